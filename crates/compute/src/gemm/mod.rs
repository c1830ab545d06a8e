//! Matrix products on strided views.
//!
//! C ← α·A·B + β·C

use crate::Real;

/// A matrix in a slice: element (i, j) is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a, E> {
    /// The elements.
    pub data: &'a [E],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Distance of two elements in a column.
    pub row_stride: usize,
    /// Distance of two elements in a row.
    pub col_stride: usize,
}

impl<'a, E: Real> Mat<'a, E> {
    /// A row-major matrix without gaps.
    pub fn new(data: &'a [E], rows: usize, cols: usize) -> Self {
        Mat { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The transpose: no element moves.
    pub fn t(self) -> Self {
        Mat { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }
}

/// C ← A·B + β·C for row-major C (m, n) without gaps; β = 0 overwrites C, whatever it holds.
///
/// # Panics
/// When the shapes do not fit or a slice is too short for its shape.
pub fn gemm<E: Real>(a: Mat<E>, b: Mat<E>, beta: E, c: &mut [E]) {
    assert_eq!(a.cols, b.rows, "gemm: inner dimensions differ");
    let n = b.cols;
    for i in 0..a.rows {
        for j in 0..n {
            let mut sum = E::zero();
            for k in 0..a.cols {
                sum += a.data[i * a.row_stride + k * a.col_stride] * b.data[k * b.row_stride + j * b.col_stride];
            }
            let old = if beta == E::zero() { E::zero() } else { beta * c[i * n + j] };
            c[i * n + j] = old + sum;
        }
    }
}
