//! The larger and the smaller of two tensors.

use striate_compute::Real;

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{broadcast, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = max(a, b); da = dy where a > b, dy / 2 where a = b, else 0; db the same with a and b exchanged
struct Maximum;

/// y = min(a, b); da = dy where a < b, dy / 2 where a = b, else 0; db the same with a and b exchanged
struct Minimum;

/// The part of dy that goes to a; all of it to both when one is NaN, as PyTorch has it.
#[inline(always)]
fn share<E: Real>(a: E, b: E, loses: bool) -> E {
    if loses {
        E::zero()
    } else if a == b {
        E::of(0.5)
    } else {
        E::one()
    }
}

fn backward<E: Real>(
    x: &[Array<E>; 2],
    dy: &Option<Array<E>>,
    dx: &mut Grads<E>,
    loses: impl Fn(E, E) -> bool + Sync + Send + Copy,
) {
    let Some(dy) = dy else { return };
    for i in 0..2 {
        if dx.wants(i) {
            let shares = Array::zip_to(
                dy.shape(),
                &x[i],
                &x[1 - i],
                #[inline(always)]
                |a, b| share(a, b, loses(a, b)),
            );
            dx.add(
                i,
                shares
                    .zip(
                        dy,
                        #[inline(always)]
                        |share, dy| if share == E::zero() { share } else { share * dy },
                    )
                    .sum_to(dx.shape(i)),
            );
        }
    }
}

/// Gradients of the pair whose first wins where `a_wins`.
fn backward_tensors<E: Real>(x: &[Tensor<E>], a_wins: Tensor<E>, dy: &Tensor<E>) -> Vec<Option<Tensor<E>>> {
    let a_share = a_wins + x[0].eq(&x[1]) * 0.5;
    let (da, db) = (dy * &a_share, dy * (-&a_share + 1.0));
    vec![Some(da.sum_to(x[0].shape())), Some(db.sum_to(x[1].shape()))]
}

impl<E: Real> Op<E> for Maximum {
    const NAME: &'static str = "maximum";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let shape = expect(broadcast("maximum", x[0].shape(), x[1].shape()));
        ([Array::zip_to(&shape, &x[0], &x[1], E::maximum)].into(), keep.then(|| [x[0].clone(), x[1].clone()]))
    }

    fn backward(&self, x: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        backward(
            x,
            &dy[0],
            dx,
            #[inline(always)]
            |a, b| a < b,
        );
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(backward_tensors(x, x[0].gt(&x[1]), dy[0].as_ref()?))
    }
}

impl<E: Real> Op<E> for Minimum {
    const NAME: &'static str = "minimum";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let shape = expect(broadcast("minimum", x[0].shape(), x[1].shape()));
        ([Array::zip_to(&shape, &x[0], &x[1], E::minimum)].into(), keep.then(|| [x[0].clone(), x[1].clone()]))
    }

    fn backward(&self, x: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        backward(
            x,
            &dy[0],
            dx,
            #[inline(always)]
            |a, b| a > b,
        );
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(backward_tensors(x, x[0].lt(&x[1]), dy[0].as_ref()?))
    }
}

impl<E: Real> Tensor<E> {
    /// The larger of two, element by element; NaN where either is NaN.
    ///
    /// y = max(a, b); the gradient goes to the larger, half to each where they are equal. Shapes broadcast.
    /// PyTorch's `torch.maximum`.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let y = Tensor::from_slice(&[1.0f32, 5.0]).maximum(&Tensor::scalar(3.0));
    /// assert_eq!(y.to_vec(), [3.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn maximum(&self, other: &Self) -> Self {
        apply(Maximum, &[self, other])
    }

    /// The smaller of two, element by element; NaN where either is NaN.
    ///
    /// y = min(a, b); the gradient goes to the smaller, half to each where they are equal. Shapes broadcast.
    /// PyTorch's `torch.minimum`.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let y = Tensor::from_slice(&[1.0f32, 5.0]).minimum(&Tensor::scalar(3.0));
    /// assert_eq!(y.to_vec(), [1.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn minimum(&self, other: &Self) -> Self {
        apply(Minimum, &[self, other])
    }
}
