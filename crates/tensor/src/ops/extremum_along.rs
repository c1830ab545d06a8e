//! The largest and the smallest element along axes; equal ones share the gradient.

use striate_compute::Real;

use super::compare::indicator;
use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::reduce;
use crate::shape::{self, Dims, ShapeError, expect, reduced};
use crate::tape::apply;
use crate::tensor::Tensor;

/// Which axes are searched, and whether they stay.
struct Search {
    axes: Dims,
    keepdim: bool,
}

/// y = max x along axes; dx = dy / k for each of the k elements that equal y, else 0
struct Amax(Search);

/// y = min x along axes; dx = dy / k for each of the k elements that equal y, else 0
struct Amin(Search);

/// x and its extrema, with the axes kept.
type Found<E> = [Array<E>; 2];

impl Search {
    fn new(op: &'static str, x: &[usize], axes: &[isize], keepdim: bool) -> Result<Self, ShapeError> {
        let axes = shape::axes(op, axes, x)?;
        non_empty(op, x, &axes)?;
        Ok(Search { axes, keepdim })
    }

    fn forward<E: Real>(
        &self,
        x: &Array<E>,
        keep: bool,
        init: E,
        pick: impl Fn(E, E) -> E + Sync + Send + Copy,
    ) -> (Outputs<E>, Option<Found<E>>) {
        let y = reduce::fold(x, &self.axes, init, pick);
        let found = keep.then(|| [x.clone(), y.reshape(&reduced(x.shape(), &self.axes, true))]);
        ([y.reshape(&reduced(x.shape(), &self.axes, self.keepdim))].into(), found)
    }

    fn backward<E: Real>(&self, [x, y]: &Found<E>, dy: &Option<Array<E>>, dx: &mut Grads<E>) {
        let Some(dy) = dy.as_ref().filter(|_| dx.wants(0)) else { return };
        let winners = Array::zip_to(x.shape(), x, y, |x, y| indicator(x == y));
        let count = reduce::sum(&winners, &self.axes).reshape(y.shape());
        let share = dy.reshape(y.shape()).zip(&count, |dy, count| dy / count);
        dx.add(0, Array::zip_to(x.shape(), &winners, &share, |wins, share| wins * share));
    }

    fn backward_tensors<E: Real>(&self, x: &Tensor<E>, y: &Tensor<E>, dy: &Tensor<E>) -> Tensor<E> {
        let kept = reduced(x.shape(), &self.axes, true);
        let winners = x.eq(y.reshape_to(&kept));
        let share = dy.reshape_to(&kept) / winners.sum_to(&kept);
        winners * share
    }
}

/// An extremum needs an element to be.
pub(super) fn non_empty(op: &'static str, x: &[usize], axes: &[usize]) -> Result<(), ShapeError> {
    match axes.iter().find(|&&axis| x[axis] == 0) {
        Some(axis) => Err(ShapeError::new(op, format!("axis {axis} has no element to choose"), &[("x", x)])),
        None => Ok(()),
    }
}

impl<E: Real> Op<E> for Amax {
    const NAME: &'static str = "amax";
    type Saved = Found<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Found<E>>) {
        self.0.forward(&x[0], keep, -E::INFINITY, E::maximum)
    }

    fn backward(&self, found: &Found<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        self.0.backward(found, &dy[0], dx);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(self.0.backward_tensors(&x[0], &y[0], dy[0].as_ref()?))])
    }
}

impl<E: Real> Op<E> for Amin {
    const NAME: &'static str = "amin";
    type Saved = Found<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Found<E>>) {
        self.0.forward(&x[0], keep, E::INFINITY, E::minimum)
    }

    fn backward(&self, found: &Found<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        self.0.backward(found, &dy[0], dx);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(self.0.backward_tensors(&x[0], &y[0], dy[0].as_ref()?))])
    }
}

impl<E: Real> Tensor<E> {
    /// The largest of all elements, a tensor without axes; see [`Tensor::amax`]. PyTorch's `torch.max(x)`.
    ///
    /// # Panics
    /// When there is no element.
    #[track_caller]
    pub fn max(&self) -> Self {
        self.amax(&[], false)
    }

    /// The smallest of all elements, a tensor without axes; see [`Tensor::amin`]. PyTorch's `torch.min(x)`.
    ///
    /// # Panics
    /// When there is no element.
    #[track_caller]
    pub fn min(&self) -> Self {
        self.amin(&[], false)
    }

    /// The largest element along `axes` (all when empty); NaN where there is one.
    ///
    /// y = max x, dx = dy / k for each of the k elements that equal y, else 0. With `keepdim` the axes stay with
    /// length 1. PyTorch's `torch.amax(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist, is named twice or is empty.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 4.0, 3.0, 2.0]);
    /// assert_eq!(x.amax(&[1], false).to_vec(), [4.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn amax(&self, axes: &[isize], keepdim: bool) -> Self {
        apply(Amax(expect(Search::new("amax", self.shape(), axes, keepdim))), &[self])
    }

    /// The smallest element along `axes` (all when empty); NaN where there is one.
    ///
    /// y = min x, dx = dy / k for each of the k elements that equal y, else 0. With `keepdim` the axes stay with
    /// length 1. PyTorch's `torch.amin(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist, is named twice or is empty.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 4.0, 3.0, 2.0]);
    /// assert_eq!(x.amin(&[1], false).to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn amin(&self, axes: &[isize], keepdim: bool) -> Self {
        apply(Amin(expect(Search::new("amin", self.shape(), axes, keepdim))), &[self])
    }
}
