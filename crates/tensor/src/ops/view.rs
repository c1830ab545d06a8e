//! Operations that move no element: another shape, another order of axes, repetition.

use striate_compute::Real;

use crate::array::Array;
use crate::layout::inverse;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// The same elements in another shape; dx = dy in the old one.
struct Reshape(Dims);

impl<E: Real> Op<E> for Reshape {
    const NAME: &'static str = "reshape";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([x[0].reshape(&self.0)].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        dx.add(0, dy.reshape(dx.shape(0)));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(dy[0].as_ref()?.reshape_to(x[0].shape()))])
    }
}

/// Axis i of y is axis `order[i]` of x; dx is dy in the inverse order.
struct Permute(Dims);

impl<E: Real> Op<E> for Permute {
    const NAME: &'static str = "permute";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([x[0].permute(&self.0)].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        if let Some(dy) = &dy[0] {
            dx.add(0, dy.permute(&inverse(&self.0)));
        }
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(apply(Permute(inverse(&self.0)), &[dy[0].as_ref()?]))])
    }
}

/// x repeated along axes of length 1 and new ones at the front; dx = dy summed over the repetitions.
struct Expand(Dims);

impl<E: Real> Op<E> for Expand {
    const NAME: &'static str = "expand";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([x[0].broadcast_to(&self.0)].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        dx.add(0, dy.sum_to(dx.shape(0)));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(dy[0].as_ref()?.sum_to(x[0].shape()))])
    }
}

impl<E: Real> Tensor<E> {
    /// The same elements in another shape; one length may be −1, for what is left.
    ///
    /// dx = dy in the shape of x. Copies only when no strides describe the result. PyTorch's `reshape`.
    ///
    /// # Panics
    /// When the numbers of elements differ.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::<f32>::arange(0.0, 6).reshape(&[2, -1]).shape(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: &[isize]) -> Self {
        self.reshape_to(&expect(shape::reshape(self.shape(), shape)))
    }

    #[track_caller]
    pub(crate) fn reshape_to(&self, shape: &[usize]) -> Self {
        apply(Reshape(shape.into()), &[self])
    }

    /// Joins axes `start` to `end`, both included, into one. PyTorch's `flatten`.
    ///
    /// # Panics
    /// When an axis does not exist or `end` comes before `start`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros(&[8, 3, 4, 5]).flatten(1, -1).shape(), [8, 60]);
    /// ```
    #[track_caller]
    pub fn flatten(&self, start: isize, end: isize) -> Self {
        self.reshape_to(&expect(shape::flatten(self.shape(), start, end)))
    }

    /// A new axis of length 1 in front of axis `axis`, or at the end for −1. PyTorch's `unsqueeze`.
    ///
    /// # Panics
    /// When `axis` is no place in the result's shape.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::<f32>::zeros(&[2, 3]);
    /// assert_eq!(x.unsqueeze(0).shape(), [1, 2, 3]);
    /// assert_eq!(x.unsqueeze(-1).shape(), [2, 3, 1]);
    /// ```
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Self {
        self.reshape_to(&expect(shape::unsqueeze("unsqueeze", self.shape(), axis)))
    }

    /// Drops an axis of length 1; one of another length stays, as in PyTorch's `squeeze(dim)`.
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Self {
        let axis = expect(shape::axis("squeeze", axis, self.shape()));
        let mut shape: Dims = self.shape().into();
        if shape[axis] != 1 {
            return self.clone();
        }
        shape.remove(axis);
        self.reshape_to(&shape)
    }

    /// Axis i of the result is axis `order[i]` of this, without copying; dx = dy in the inverse order. PyTorch's `permute`.
    ///
    /// # Panics
    /// When `order` does not name every axis once.
    #[track_caller]
    pub fn permute(&self, order: &[isize]) -> Self {
        let order = expect(shape::permutation(order, self.shape()));
        apply(Permute(order), &[self])
    }

    /// Exchanges two axes, without copying. PyTorch's `transpose`.
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn transpose(&self, i: isize, j: isize) -> Self {
        let axis = |axis| expect(shape::axis("transpose", axis, self.shape()));
        let mut order: Dims = (0..self.rank()).collect();
        order.swap(axis(i), axis(j));
        apply(Permute(order), &[self])
    }

    /// The transpose of a matrix, without copying. PyTorch's `t`.
    ///
    /// # Panics
    /// When this has not two axes.
    #[track_caller]
    pub fn t(&self) -> Self {
        assert_eq!(self.rank(), 2, "t: needs a matrix, has shape {:?}", self.shape());
        self.transpose(0, 1)
    }

    /// Repeats axes of length 1, and new ones at the front, without copying; dx = Σ dy over the repetitions.
    /// PyTorch's `expand`.
    ///
    /// # Panics
    /// When this does not broadcast to `shape`.
    #[track_caller]
    pub fn expand(&self, shape: &[usize]) -> Self {
        expect(shape::expand(self.shape(), shape));
        apply(Expand(shape.into()), &[self])
    }
}
