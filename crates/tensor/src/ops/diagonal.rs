//! Diagonals, and products of vectors.

use striate_compute::Real;

use crate::array::Array;
use crate::nest::Nest;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, ShapeError, contiguous_strides, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = x where the indices along axes i < j are equal, a view with axis j gone; dx = dy on that diagonal
struct Diagonal {
    i: usize,
    j: usize,
}

impl<E: Real> Op<E> for Diagonal {
    const NAME: &'static str = "diagonal";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([x[0].diagonal(self.i, self.j)].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|dy| dx.wants(0) && !dy.is_empty()) else {
            return;
        };
        let mut strides: Dims = contiguous_strides(dx.shape(0));
        strides[self.i] += strides.remove(self.j);
        let nest = Nest::new(dy.shape(), [&strides, dy.strides()]);
        let (dx, dy) = (dx.slot(0), dy.data());
        nest.rows(0, nest.count(), |_, [to, from]| {
            for n in 0..nest.inner {
                dx[to + n * nest.steps[0]] += dy[from + n * nest.steps[1]];
            }
        });
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (n, m) = (x[0].shape()[self.i], x[0].shape()[self.j]);
        let mask = ndarray::Array2::from_shape_fn((n, m), |(row, column)| row == column);
        let mut mask_shape = Dims::from_elem(1, x[0].rank());
        (mask_shape[self.i], mask_shape[self.j]) = (n, m);
        let mask = Tensor::mask(&mask).reshape_to(&mask_shape);
        // dy repeats along j; along i, places that the diagonal does not reach are padded.
        let mut padding = vec![(0, 0); x[0].rank() - 1];
        padding[self.i].1 = n - n.min(m);
        let dy = dy[0].as_ref()?.pad(&padding, super::Padding::Constant(0.0)).unsqueeze(self.j as isize);
        Some(vec![Some(dy.where_(&mask, &Tensor::scalar(0.0)))])
    }
}

impl<E: Real> Tensor<E> {
    /// The elements whose indices along two axes are equal, without copying: along the earlier of the two, while the
    /// later vanishes.
    ///
    /// dx = dy on the diagonal, 0 elsewhere. PyTorch's `diagonal`, which puts the diagonal last.
    ///
    /// # Panics
    /// When an axis does not exist or both are the same.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::<f32>::arange(0.0, 6).reshape(&[2, 3]);
    /// assert_eq!(x.diagonal(0, 1).to_vec(), [0.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn diagonal(&self, i: isize, j: isize) -> Self {
        let axes = expect(shape::axes("diagonal", &[i, j], self.shape()));
        apply(Diagonal { i: axes[0], j: axes[1] }, &[self])
    }

    /// The sum of a matrix's diagonal: Σᵢ x[i, i]. PyTorch's `trace`.
    ///
    /// # Panics
    /// When this has not two axes.
    #[track_caller]
    pub fn trace(&self) -> Self {
        if self.rank() != 2 {
            expect::<()>(Err(ShapeError::new("trace", "needs a matrix", &[("x", self.shape())])));
        }
        self.diagonal(0, 1).sum()
    }

    /// The outer product of two vectors: `y[i, j] = a[i] · b[j]`; da = dy · b, db = dyᵀ · a. PyTorch's `outer`.
    ///
    /// # Panics
    /// When an operand is no vector.
    #[track_caller]
    pub fn outer(&self, other: &Self) -> Self {
        self.vectors("outer", other);
        self.unsqueeze(1) * other.unsqueeze(0)
    }

    /// The inner product of two vectors: `y = Σᵢ a[i] · b[i]`; da = dy · b, db = dy · a. PyTorch's `dot`.
    ///
    /// # Panics
    /// When an operand is no vector or the lengths differ.
    #[track_caller]
    pub fn dot(&self, other: &Self) -> Self {
        self.vectors("dot", other);
        self.matmul(other)
    }

    #[track_caller]
    fn vectors(&self, op: &'static str, other: &Self) {
        if self.rank() != 1 || other.rank() != 1 {
            let operands = [("a", self.shape()), ("b", other.shape())];
            expect::<()>(Err(ShapeError::new(op, "needs two vectors", &operands)));
        }
    }
}
