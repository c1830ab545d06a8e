use std::marker::PhantomData;

use super::Packed;
use crate::Real;

/// A matrix in a slice: element (i, j) is `data[i * row_stride + j * col_stride]`.
///
/// Any strides are allowed, 0 (a broadcast row, column or number) included.
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
        Mat {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    #[track_caller]
    pub(super) fn check(&self, name: &str) {
        let len = extent(self.rows, self.cols, self.row_stride, self.col_stride);
        assert!(
            len.is_some_and(|len| len <= self.data.len()),
            "gemm: {name} [{}, {}] with strides [{}, {}] does not fit in {} elements",
            self.rows,
            self.cols,
            self.row_stride,
            self.col_stride,
            self.data.len()
        );
    }
}

/// A matrix to write: element (i, j) lies at `i * row_stride + j` of a slice that this view borrows.
///
/// It splits into disjoint blocks, which parallel tasks may fill with [`gemm_serial`](super::gemm_serial):
///
/// ```
/// use striate_compute::gemm::{Mat, MatMut, gemm_serial};
///
/// let (a, b, mut c) = ([1.0, 2.0], [3.0, 4.0, 5.0], [0.0; 6]);
/// let (left, right) = MatMut::new(&mut c, 2, 3).split_cols(1);
/// rayon::join(
///     || gemm_serial(Mat::new(&a, 2, 1), Mat::new(&b[..1], 1, 1), 0.0, left),
///     || gemm_serial(Mat::new(&a, 2, 1), Mat::new(&b[1..], 1, 2), 0.0, right),
/// );
/// assert_eq!(c, [3.0, 4.0, 5.0, 6.0, 8.0, 10.0]);
/// ```
#[derive(Debug)]
pub struct MatMut<'a, E> {
    pub(super) data: *mut E,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    slice: PhantomData<&'a mut [E]>,
}

// SAFETY: a `MatMut` is an exclusive borrow of its elements, as `&mut [E]` is; blocks that were split off are disjoint.
unsafe impl<E: Send> Send for MatMut<'_, E> {}
// SAFETY: a shared `MatMut` gives no access to elements outside this module, which only reads its shape through it.
unsafe impl<E: Sync> Sync for MatMut<'_, E> {}

impl<'a, E: Real> MatMut<'a, E> {
    /// A row-major matrix without gaps.
    ///
    /// # Panics
    /// When the slice is too short.
    #[track_caller]
    pub fn new(data: &'a mut [E], rows: usize, cols: usize) -> Self {
        Self::with_stride(data, rows, cols, cols)
    }

    /// A row-major matrix whose rows start `row_stride` elements apart.
    ///
    /// # Panics
    /// When the slice is too short or rows would overlap.
    #[track_caller]
    pub fn with_stride(data: &'a mut [E], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(
            rows <= 1 || row_stride >= cols,
            "gemm: rows of c overlap: {cols} columns, row stride {row_stride}"
        );
        assert!(
            extent(rows, cols, row_stride, 1).is_some_and(|len| len <= data.len()),
            "gemm: c [{rows}, {cols}] with row stride {row_stride} does not fit in {} elements",
            data.len()
        );
        MatMut { data: data.as_mut_ptr(), rows, cols, row_stride, slice: PhantomData }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The same matrix for as long as the result is used.
    pub fn reborrow(&mut self) -> MatMut<'_, E> {
        self.block(0, self.rows, self.cols)
    }

    /// Row `i`.
    ///
    /// # Panics
    /// When there are fewer.
    #[track_caller]
    pub fn row_mut(&mut self, i: usize) -> &mut [E] {
        assert!(i < self.rows, "gemm: c has {} rows, not {i}", self.rows);
        // SAFETY: the constructor checked that row i lies in the slice, which is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(i * self.row_stride), self.cols) }
    }

    /// The first `rows` rows and the others.
    ///
    /// # Panics
    /// When there are fewer.
    #[track_caller]
    pub fn split_rows(self, rows: usize) -> (Self, Self) {
        assert!(rows <= self.rows, "gemm: c has {} rows, not {rows}", self.rows);
        let below = if rows < self.rows { rows * self.row_stride } else { 0 };
        (self.block(0, rows, self.cols), self.block(below, self.rows - rows, self.cols))
    }

    /// The first `cols` columns and the others.
    ///
    /// # Panics
    /// When there are fewer.
    #[track_caller]
    pub fn split_cols(self, cols: usize) -> (Self, Self) {
        assert!(cols <= self.cols, "gemm: c has {} columns, not {cols}", self.cols);
        let right = if self.rows > 0 { cols } else { 0 };
        (self.block(0, self.rows, cols), self.block(right, self.rows, self.cols - cols))
    }

    fn block(&self, offset: usize, rows: usize, cols: usize) -> Self {
        // SAFETY: `offset` is that of an element of this matrix, or one past its first row's end.
        let data = unsafe { self.data.add(offset) };
        MatMut { data, rows, cols, row_stride: self.row_stride, slice: PhantomData }
    }

    /// The same elements, for an E that is f32.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn cast(self) -> MatMut<'a, f32> {
        assert_eq!(size_of::<E>(), size_of::<f32>());
        MatMut {
            data: self.data.cast(),
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            slice: PhantomData,
        }
    }

    /// A column without gaps as a row.
    ///
    /// # Safety
    /// `self` is not used while the row is.
    pub(super) unsafe fn as_row(&self) -> Self {
        assert!(self.cols == 1 && self.row_stride == 1);
        MatMut { data: self.data, rows: 1, cols: self.rows, row_stride: self.rows, slice: PhantomData }
    }

    /// The address of an element that exists.
    pub(super) fn at(&self, i: usize, j: usize) -> *mut E {
        debug_assert!(i < self.rows && j < self.cols);
        self.data.wrapping_add(i * self.row_stride + j)
    }

    /// C ← β·C
    pub(super) fn scale(&mut self, beta: E) {
        for i in 0..self.rows {
            let row = self.row_mut(i);
            if beta == E::zero() {
                row.fill(E::zero());
            } else {
                row.iter_mut().for_each(|c| *c *= beta);
            }
        }
    }
}

/// Elements from the first to the last, or `None` when that overflows.
fn extent(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Option<usize> {
    if rows == 0 || cols == 0 {
        return Some(0);
    }
    let last = (rows - 1).checked_mul(row_stride)?.checked_add((cols - 1).checked_mul(col_stride)?)?;
    last.checked_add(1)
}

/// A factor of a product: a view, or a matrix packed beforehand.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a, E: Real> {
    /// A strided view, packed where that pays.
    View(Mat<'a, E>),
    /// A view that is read where it lies: one that the caller wrote for this product, small enough for the cache.
    /// Right factors need unit column stride.
    InPlace(Mat<'a, E>),
    /// Rows that lie anywhere, read in place: row p is `data[starts[p]..][..cols]`. For right factors, such as the
    /// windows of a convolution.
    Rows {
        /// The elements.
        data: &'a [E],
        /// Where each row starts.
        starts: &'a [usize],
        /// Number of columns.
        cols: usize,
    },
    /// A matrix in the order in which the kernels read it.
    Packed(&'a Packed<E>),
}

impl<E: Real> Operand<'_, E> {
    pub(super) fn rows(&self) -> usize {
        match self {
            Operand::View(mat) | Operand::InPlace(mat) => mat.rows,
            Operand::Rows { starts, .. } => starts.len(),
            Operand::Packed(packed) => packed.rows,
        }
    }

    pub(super) fn cols(&self) -> usize {
        match self {
            Operand::View(mat) | Operand::InPlace(mat) => mat.cols,
            Operand::Rows { cols, .. } => *cols,
            Operand::Packed(packed) => packed.cols,
        }
    }
}

impl<'a, E: Real> From<Mat<'a, E>> for Operand<'a, E> {
    fn from(mat: Mat<'a, E>) -> Self {
        Operand::View(mat)
    }
}

impl<'a, E: Real> From<&'a Packed<E>> for Operand<'a, E> {
    fn from(packed: &'a Packed<E>) -> Self {
        Operand::Packed(packed)
    }
}
