//! Matrix products.

use striate_compute::gemm::{Mat, gemm};
use striate_compute::{Real, par};

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, elements, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = a · b over the last two axes, the ones before broadcast; da = dy · bᵀ, db = aᵀ · dy
struct MatMul;

impl<E: Real> Op<E> for MatMul {
    const NAME: &'static str = "matmul";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<[Array<E>; 2]>) {
        let (a, b) = (&x[0], &x[1]);
        let shape = expect(shape::matmul(a.shape(), b.shape()));
        let y = Array::build(&shape, |y| multiply(a, b, E::zero(), y));
        ([y].into(), keep.then(|| [a.clone(), b.clone()]))
    }

    fn backward(&self, [a, b]: &[Array<E>; 2], dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        if dx.wants(0) {
            let bt = b.transpose(b.shape().len() - 2, b.shape().len() - 1);
            accumulate(dx, 0, dy, &bt);
        }
        if dx.wants(1) {
            let at = a.transpose(a.shape().len() - 2, a.shape().len() - 1);
            if b.shape().len() == 2 && a.shape().len() > 2 {
                // One weight for all of the batch: aᵀ · dy over the joined rows.
                accumulate(dx, 1, &joined_rows(a).transpose(0, 1), &joined_rows(dy));
            } else {
                accumulate(dx, 1, &at, dy);
            }
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        let da = dy.matmul(&x[1].transpose(-2, -1)).sum_to(x[0].shape());
        let db = x[0].transpose(-2, -1).matmul(dy).sum_to(x[1].shape());
        Some(vec![Some(da), Some(db)])
    }
}

/// Adds a · b to the gradient of input `i`, summed over the axes that broadcasting repeated.
fn accumulate<E: Real>(dx: &mut Grads<E>, i: usize, a: &Array<E>, b: &Array<E>) {
    let shape = expect(shape::matmul(a.shape(), b.shape()));
    if shape[..] == *dx.shape(i) {
        dx.write(i, |g, beta| multiply(a, b, beta, g));
    } else {
        let product = Array::build(&shape, |y| multiply(a, b, E::zero(), y));
        dx.add(i, product.sum_to(dx.shape(i)));
    }
}

/// (…, k) as one matrix of rows.
fn joined_rows<E: Real>(x: &Array<E>) -> Array<E> {
    let (columns, rows) = x.shape().split_last().expect("a matrix has axes");
    x.reshape(&[elements(rows), *columns])
}

fn matrix<'a, E: Real>(x: &'a Array<E>, offset: usize) -> Mat<'a, E> {
    let (shape, strides) = (x.shape(), x.strides());
    let rank = shape.len();
    Mat {
        data: x.data().get(offset..).unwrap_or(&[]),
        rows: shape[rank - 2],
        cols: shape[rank - 1],
        row_stride: strides[rank - 2],
        col_stride: strides[rank - 1],
    }
}

/// y ← a · b + β · y for a (…, m, k), b (…, k, n), both of rank 2 or more.
fn multiply<E: Real>(a: &Array<E>, b: &Array<E>, beta: E, y: &mut [E]) {
    if b.shape().len() == 2 && a.shape().len() > 2 && a.is_contiguous() {
        return multiply(&joined_rows(a), b, beta, y);
    }
    let (a_rank, b_rank) = (a.shape().len(), b.shape().len());
    let (m, n) = (a.shape()[a_rank - 2], b.shape()[b_rank - 1]);
    let batch = expect(shape::broadcast("matmul", &a.shape()[..a_rank - 2], &b.shape()[..b_rank - 2]));
    let full = |x: &Array<E>| {
        let tail = &x.shape()[x.shape().len() - 2..];
        x.broadcast_to(&batch.iter().chain(tail).copied().collect::<Dims>())
    };
    let (a, b) = (full(a), full(b));
    let offset = |x: &Array<E>, mut index: usize| {
        let mut offset = 0;
        for axis in (0..batch.len()).rev() {
            offset += index % batch[axis] * x.strides()[axis];
            index /= batch[axis];
        }
        offset
    };
    if elements(&batch) == 1 {
        return gemm(matrix(&a, 0), matrix(&b, 0), beta, y);
    }
    if m * n == 0 {
        return;
    }
    par::pieces_mut(y, m * n, |i, y| gemm(matrix(&a, offset(&a, i)), matrix(&b, offset(&b, i)), beta, y));
}

impl<E: Real> Tensor<E> {
    /// Matrix product over the last two axes: (…, m, k) × (…, k, n) → (…, m, n), axes before them broadcast.
    ///
    /// y = a · b; da = dy · bᵀ, db = aᵀ · dy. A vector on the left is a row, on the right a column, and that axis
    /// vanishes from the result. Transposed operands cost no copy. PyTorch's `torch.matmul`.
    ///
    /// # Panics
    /// When the inner lengths differ or the axes before them do not broadcast.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let a = Tensor::from_vec(&[1, 2], vec![1.0f32, 2.0]);
    /// let b = Tensor::from_vec(&[2, 1], vec![3.0, 4.0]);
    /// assert_eq!(a.matmul(&b).item(), 11.0);
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Self {
        let shape = expect(shape::matmul(self.shape(), other.shape()));
        if self.rank() > 1 && other.rank() > 1 {
            return apply(MatMul, &[self, other]);
        }
        let row = if self.rank() == 1 { self.reshape(&[1, -1]) } else { self.clone() };
        let column = if other.rank() == 1 { other.reshape(&[-1, 1]) } else { other.clone() };
        apply(MatMul, &[&row, &column]).reshape_to(&shape)
    }
}
