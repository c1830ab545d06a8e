//! Sums along axes.

use striate_compute::Real;

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::reduce;
use crate::shape::{self, Dims, elements, expect, reduced};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = Σ x along axes; dx = dy repeated
struct Sum {
    axes: Dims,
    keepdim: bool,
}

impl Sum {
    /// dy with the summed axes back, of length 1.
    fn kept(&self, x_shape: &[usize]) -> Dims {
        reduced(x_shape, &self.axes, true)
    }
}

impl<E: Real> Op<E> for Sum {
    const NAME: &'static str = "sum";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let y = reduce::sum(&x[0], &self.axes).reshape(&reduced(x[0].shape(), &self.axes, self.keepdim));
        ([y].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let shape = dx.shape(0);
        dx.add(0, dy.reshape(&self.kept(shape)).broadcast_to(shape));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let shape = x[0].shape();
        Some(vec![Some(dy[0].as_ref()?.reshape_to(&self.kept(shape)).expand(shape))])
    }
}

impl<E: Real> Tensor<E> {
    /// Sum of all elements, a tensor without axes.
    pub fn sum(&self) -> Self {
        self.sum_dim(&[], false)
    }

    /// Sum along `axes` (all when empty); with `keepdim` they stay with length 1. PyTorch's `torch.sum(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_dim(&self, axes: &[isize], keepdim: bool) -> Self {
        let axes = expect(shape::axes("sum", axes, self.shape()));
        apply(Sum { axes, keepdim }, &[self])
    }

    /// Mean of all elements, a tensor without axes.
    pub fn mean(&self) -> Self {
        self.mean_dim(&[], false)
    }

    /// Mean along `axes` (all when empty). PyTorch's `torch.mean(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_dim(&self, axes: &[isize], keepdim: bool) -> Self {
        let summed = expect(shape::axes("mean", axes, self.shape()));
        let count = elements(&summed.iter().map(|&axis| self.shape()[axis]).collect::<Dims>());
        self.sum_dim(axes, keepdim) / count as f64
    }

    /// Sums what broadcasting from `shape` to this tensor's shape repeated.
    pub fn sum_to(&self, shape: &[usize]) -> Self {
        if self.shape() == shape {
            return self.clone();
        }
        let new = self.rank() - shape.len();
        let repeated = |&axis: &usize| axis < new || (shape[axis - new] == 1 && self.shape()[axis] != 1);
        let axes: Vec<isize> = (0..self.rank()).filter(repeated).map(|axis| axis as isize).collect();
        self.sum_dim(&axes, false).reshape_to(shape)
    }
}
