//! Softmax, its logarithm, and the logarithm of a sum of exponentials.

use striate_compute::{Real, isa, map, par};

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::reduce;
use crate::shape::{self, Dims, expect, reduced};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = e^(x − max x) / Σ e^(x − max x) along an axis; dx = y (dy − Σ y dy)
struct Softmax {
    axis: usize,
}

/// y = x − ln Σ eˣ along an axis; dx = dy − e^y Σ dy
struct LogSoftmax {
    axis: usize,
}

/// y = ln Σ eˣ along axes; dx = dy · e^(x − y)
struct LogSumExp {
    axes: Dims,
    keepdim: bool,
}

/// Calls `f(a row of a, the same row of b, the same row of y)` for all rows along the last axis.
fn each_row<E: Real>(a: &Array<E>, b: &Array<E>, f: impl Fn(&[E], &[E], &mut [E]) + Sync + Send) -> Array<E> {
    let shape = a.shape();
    let (a, b) = (a.contiguous(), b.contiguous());
    let (a, b) = (a.as_slice().expect("contiguous"), b.as_slice().expect("contiguous"));
    Array::build(shape, |y| {
        if y.is_empty() {
            return;
        }
        let n = shape[shape.len() - 1];
        let rows = (par::PIECE / n).max(1);
        par::pieces_mut(y, rows * n, |piece, y| {
            let start = piece * rows * n;
            isa::vectorized_for::<E, _>(
                #[inline(always)]
                || {
                    for (i, y) in y.chunks_exact_mut(n).enumerate() {
                        let row = start + i * n;
                        f(&a[row..][..n], &b[row..][..n], y);
                    }
                },
            );
        });
    })
}

#[inline(always)]
fn row_max<E: Real>(x: &[E]) -> E {
    map::reduce_piece(x, -E::INFINITY, E::maximum)
}

#[inline(always)]
fn row_sum<E: Real>(x: &[E]) -> E {
    map::reduce_piece(x, E::zero(), |a, b| a + b)
}

/// Reduces along `axis`, which stays with length 1.
fn kept<E: Real>(x: &Array<E>, axis: usize, reduce: impl Fn(&Array<E>, &[usize]) -> Array<E>) -> Array<E> {
    reduce(x, &[axis]).reshape(&reduced(x.shape(), &[axis], true))
}

fn max<E: Real>(x: &Array<E>, axes: &[usize]) -> Array<E> {
    reduce::fold(x, axes, -E::INFINITY, E::maximum)
}

impl<E: Real> Op<E> for Softmax {
    const NAME: &'static str = "softmax";
    type Saved = Array<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Array<E>>) {
        let x = &x[0];
        let shape = x.shape();
        let y = if self.axis + 1 == shape.len() {
            each_row(
                x,
                x,
                #[inline(always)]
                |x, _, y| {
                    let max = row_max(x);
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = (x - max).exp();
                    }
                    let scale = E::one() / row_sum(y);
                    for y in y {
                        *y *= scale;
                    }
                },
            )
        } else {
            let e = Array::zip_to(
                shape,
                x,
                &kept(x, self.axis, max),
                #[inline(always)]
                |x, max| (x - max).exp(),
            );
            let scale = kept(&e, self.axis, reduce::sum).map(|sum| E::one() / sum);
            Array::zip_to(shape, &e, &scale, |e, scale| e * scale)
        };
        let saved = keep.then(|| y.clone());
        ([y].into(), saved)
    }

    fn backward(&self, y: &Array<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let shape = y.shape();
        let g = if self.axis + 1 == shape.len() {
            each_row(
                y,
                dy,
                #[inline(always)]
                |y, dy, dx| {
                    for ((dx, &y), &dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = y * dy;
                    }
                    let dot = row_sum(dx);
                    for ((dx, &y), &dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = y * (dy - dot);
                    }
                },
            )
        } else {
            let dot = kept(&y.zip(dy, |y, dy| y * dy), self.axis, reduce::sum);
            y.zip(&Array::zip_to(shape, dy, &dot, |dy, dot| dy - dot), |y, d| y * d)
        };
        dx.add(0, g);
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (y, dy) = (&y[0], dy[0].as_ref()?);
        Some(vec![Some(y * (dy - (y * dy).sum_dim(&[self.axis as isize], true)))])
    }
}

impl<E: Real> Op<E> for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    type Saved = Array<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Array<E>>) {
        let x = &x[0];
        let shape = x.shape();
        let y = if self.axis + 1 == shape.len() {
            each_row(
                x,
                x,
                #[inline(always)]
                |x, _, y| {
                    let max = row_max(x);
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = (x - max).exp();
                    }
                    let log = row_sum(y).ln();
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = x - max - log;
                    }
                },
            )
        } else {
            let d = Array::zip_to(shape, x, &kept(x, self.axis, max), |x, max| x - max);
            let log = kept(&d.map(E::exp), self.axis, reduce::sum).map(E::ln);
            Array::zip_to(shape, &d, &log, |d, log| d - log)
        };
        let saved = keep.then(|| y.clone());
        ([y].into(), saved)
    }

    fn backward(&self, y: &Array<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let shape = y.shape();
        let g = if self.axis + 1 == shape.len() {
            each_row(
                y,
                dy,
                #[inline(always)]
                |y, dy, dx| {
                    let sum = row_sum(dy);
                    for ((dx, &y), &dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = dy - y.exp() * sum;
                    }
                },
            )
        } else {
            let sum = kept(dy, self.axis, reduce::sum);
            dy.zip(
                &Array::zip_to(
                    shape,
                    y,
                    &sum,
                    #[inline(always)]
                    |y, sum| y.exp() * sum,
                ),
                |dy, d| dy - d,
            )
        };
        dx.add(0, g);
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        Some(vec![Some(dy - y[0].exp() * dy.sum_dim(&[self.axis as isize], true))])
    }
}

/// `x`, or 0 where an infinity would make the difference to it NaN.
#[inline(always)]
fn finite<E: Real>(x: E) -> E {
    if x.abs() == E::INFINITY { E::zero() } else { x }
}

impl<E: Real> Op<E> for LogSumExp {
    const NAME: &'static str = "logsumexp";
    /// x and y, with the axes kept
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let x = &x[0];
        let shape = x.shape();
        let kept = reduced(shape, &self.axes, true);
        let max = max(x, &self.axes).map(finite).reshape(&kept);
        let e = Array::zip_to(
            shape,
            x,
            &max,
            #[inline(always)]
            |x, max| (x - max).exp(),
        );
        let y = reduce::sum(&e, &self.axes).reshape(&kept).zip(&max, |sum, max| sum.ln() + max);
        let output = y.reshape(&reduced(shape, &self.axes, self.keepdim));
        ([output].into(), keep.then(|| [x.clone(), y]))
    }

    fn backward(&self, [x, y]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let softmax = Array::zip_to(
            x.shape(),
            x,
            y,
            #[inline(always)]
            |x, y| (x - finite(y)).exp(),
        );
        dx.add(0, Array::zip_to(x.shape(), &softmax, &dy.reshape(y.shape()), |p, dy| p * dy));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let kept = reduced(x[0].shape(), &self.axes, true);
        let softmax = (&x[0] - y[0].reshape_to(&kept)).exp();
        Some(vec![Some(softmax * dy[0].as_ref()?.reshape_to(&kept))])
    }
}

impl<E: Real> Tensor<E> {
    /// Numbers as probabilities along an axis.
    ///
    /// y = eˣ / Σ eˣ, dx = y (dy − Σ y dy). Three things hold along the axis: every y > 0 (0 only where
    /// e^(x − max x) underflows), every y ≤ 1, and Σ y = 1 up to rounding. The largest element is subtracted first, so
    /// nothing overflows. The result has the shape of x. PyTorch's `torch.softmax(x, dim)`.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1e4f32, 1e4]).softmax(0).to_vec(), [0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Self {
        apply(Softmax { axis: expect(shape::axis("softmax", axis, self.shape())) }, &[self])
    }

    /// The logarithm of [`Tensor::softmax`], finite where softmax itself is 0.
    ///
    /// y = x − ln Σ eˣ, dx = dy − e^y Σ dy. The result has the shape of x. PyTorch's `torch.log_softmax(x, dim)`.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32, -1e4]).log_softmax(0).to_vec(), [0.0, -1e4]);
    /// ```
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Self {
        apply(LogSoftmax { axis: expect(shape::axis("log_softmax", axis, self.shape())) }, &[self])
    }

    /// The logarithm of the sum of exponentials along `axes` (all when empty), a smooth maximum.
    ///
    /// y = ln Σ eˣ, dx = dy · e^(x − y). The largest element is subtracted first, so nothing overflows. With `keepdim`
    /// the axes stay with length 1. PyTorch's `torch.logsumexp(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1e4f32, -1e4]).logsumexp(&[0], false).item(), 1e4);
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, axes: &[isize], keepdim: bool) -> Self {
        let axes = expect(shape::axes("logsumexp", axes, self.shape()));
        apply(LogSumExp { axes, keepdim }, &[self])
    }
}
