//! Losses that are a sum over elements, fused with their reduction.

use striate_compute::{isa, map, par};
use striate_tensor::shape::{ShapeError, expect};
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use super::Reduction;
use crate::lanes;

/// The loss of one element, a function of N numbers: its equation and its derivatives.
pub(super) trait Term<E: Real, const N: usize>: Send + Sync + 'static {
    const NAME: &'static str;
    /// Names of the inputs, for messages.
    const INPUTS: [&'static str; N];
    /// l; `#[inline(always)]`, so that the loop over it vectorises, as the next.
    fn value(&self, x: [E; N]) -> E;
    /// ∂l/∂x_I
    fn slope<const I: usize>(&self, x: [E; N]) -> E;
    /// All ∂l/∂x_i in tensor operations, for gradients of gradients.
    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; N];
}

/// Sum, mean or the single values of a [`Term`] over tensors of one shape.
///
/// # Panics
/// When the shapes differ: a loss does not broadcast.
#[track_caller]
pub(super) fn reduced<E: Real, F: Term<E, N>, const N: usize>(
    term: F,
    x: [&Tensor<E>; N],
    reduction: Reduction,
) -> Tensor<E> {
    if x.iter().any(|other| other.shape() != x[0].shape()) {
        let operands: Vec<_> = F::INPUTS.into_iter().zip(x.iter().map(|x| x.shape())).collect();
        expect::<()>(Err(ShapeError::new(
            F::NAME,
            "the shapes must be equal, a loss does not broadcast",
            &operands,
        )));
    }
    apply(Reduced { term, reduction }, &x)
}

/// x, but not below `lowest`; NaN stays. One comparison, so that loops over it vectorise.
#[inline(always)]
pub(super) fn at_least<E: Real>(x: E, lowest: E) -> E {
    if x < lowest { lowest } else { x }
}

/// [`Reduction`] of losses that are there already.
pub(super) fn reduce<E: Real>(losses: Tensor<E>, reduction: Reduction) -> Tensor<E> {
    match reduction {
        Reduction::Mean => losses.mean(),
        Reduction::Sum => losses.sum(),
        Reduction::None => losses,
    }
}

struct Reduced<F, const N: usize> {
    term: F,
    reduction: Reduction,
}

impl<F, const N: usize> Reduced<F, N> {
    /// What every loss is multiplied by.
    fn factor(&self, count: usize) -> f64 {
        if self.reduction == Reduction::Mean { 1.0 / count as f64 } else { 1.0 }
    }

    /// dL/dx_I in one axis.
    fn gradient<E: Real, const I: usize>(&self, x: [&[E]; N], dy: &Array<E>) -> Array<E>
    where
        F: Term<E, N>,
    {
        let term = &self.term;
        Array::build(&[x[0].len()], |dx| match self.reduction {
            Reduction::None => {
                write(
                    x,
                    dx,
                    #[inline(always)]
                    |x| term.slope::<I>(x),
                );
                map::update(dx, dy.contiguous().as_slice().unwrap(), |slope, dy| slope * dy);
            }
            _ => {
                let scale = E::of(self.factor(dx.len())) * dy.data()[0];
                write(
                    x,
                    dx,
                    #[inline(always)]
                    |x| term.slope::<I>(x) * scale,
                );
            }
        })
    }
}

/// y\[j\] = f(x\[0\]\[j\], …, x\[N − 1\]\[j\])
fn write<E: Real, const N: usize>(x: [&[E]; N], y: &mut [E], f: impl Fn([E; N]) -> E + Sync + Send) {
    par::pieces_mut(y, par::PIECE, |piece, y| {
        let x = x.map(|x| &x[piece * par::PIECE..][..y.len()]);
        isa::vectorized(
            #[inline(always)]
            || write_piece(x, y, &f),
        );
    });
}

/// Elements at a time.
const BLOCK: usize = 64;

#[inline(always)]
fn write_piece<E: Real, const N: usize>(x: [&[E]; N], y: &mut [E], f: &impl Fn([E; N]) -> E) {
    let x = x.map(|x| x.as_chunks::<BLOCK>());
    let (blocks, rest) = y.as_chunks_mut::<BLOCK>();
    for (i, y) in blocks.iter_mut().enumerate() {
        let x = x.map(|(blocks, _)| &blocks[i]);
        for (j, y) in y.iter_mut().enumerate() {
            *y = f(std::array::from_fn(
                #[inline(always)]
                |k| x[k][j],
            ));
        }
    }
    for (j, y) in rest.iter_mut().enumerate() {
        *y = f(std::array::from_fn(
            #[inline(always)]
            |k| x[k].1[j],
        ));
    }
}

/// Σ f(x\[0\]\[j\], …)
fn sum<E: Real, const N: usize>(x: [&[E]; N], f: impl Fn([E; N]) -> E + Sync + Send) -> f64 {
    let len = x[0].len();
    let sums = par::collect(len.div_ceil(par::PIECE), |piece| {
        let x = x.map(|x| &x[piece * par::PIECE..len.min((piece + 1) * par::PIECE)]);
        let mut values = [E::zero(); 4 * BLOCK];
        let mut sum = 0.0;
        for start in (0..x[0].len()).step_by(values.len()) {
            let end = x[0].len().min(start + values.len());
            let values = &mut values[..end - start];
            isa::vectorized(
                #[inline(always)]
                || {
                    write_piece(x.map(|x| &x[start..end]), values, &f);
                    sum += lanes::sum(
                        values,
                        #[inline(always)]
                        |value| value,
                    )
                    .f64();
                },
            );
        }
        sum
    });
    sums.into_iter().sum()
}

impl<E: Real, F: Term<E, N>, const N: usize> Op<E> for Reduced<F, N> {
    const NAME: &'static str = F::NAME;
    type Saved = [Array<E>; N];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let arrays: [Array<E>; N] = std::array::from_fn(|i| x[i].contiguous());
        let x = arrays.each_ref().map(|x| x.as_slice().unwrap());
        let y = match self.reduction {
            Reduction::None => Array::build(arrays[0].shape(), |y| {
                write(
                    x,
                    y,
                    #[inline(always)]
                    |x| self.term.value(x),
                )
            }),
            _ => {
                let sum = sum(
                    x,
                    #[inline(always)]
                    |x| self.term.value(x),
                );
                Array::full(&[], E::of(sum * self.factor(x[0].len())))
            }
        };
        ([y].into(), keep.then_some(arrays))
    }

    fn backward(&self, saved: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let x = saved.each_ref().map(|x| x.as_slice().unwrap());
        for i in 0..N {
            if !dx.wants(i) {
                continue;
            }
            let gradient = match i {
                0 => self.gradient::<E, 0>(x, dy),
                1 => self.gradient::<E, 1>(x, dy),
                2 => self.gradient::<E, 2>(x, dy),
                _ => self.gradient::<E, 3>(x, dy),
            };
            dx.add(i, gradient.reshape(saved[0].shape()));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let scale = dy[0].as_ref()? * self.factor(x[0].len());
        Some(self.term.slopes(x).into_iter().map(|slope| Some(slope * &scale)).collect())
    }
}
