//! `matrixmultiply` on one thread per block of C: every element type, every CPU.

use std::any::TypeId;

use super::{Mat, MatMut};
use crate::{Real, par};

/// Rows and columns of a task.
const BLOCK: usize = 192;

/// C ← A·B + β·C
pub(super) fn gemm<E: Real>(a: Mat<E>, b: Mat<E>, beta: E, c: &MatMut<E>, parallel: bool) {
    let (down, across) = (c.rows.div_ceil(BLOCK), c.cols.div_ceil(BLOCK));
    let task = |task: usize| {
        let (i, j) = (task / across * BLOCK, task % across * BLOCK);
        let (m, n) = (BLOCK.min(c.rows - i), BLOCK.min(c.cols - j));
        let a = Mat { data: &a.data[i * a.row_stride..], rows: m, ..a };
        let b = Mat { data: &b.data[j * b.col_stride..], cols: n, ..b };
        // SAFETY: this block of C belongs to this task.
        unsafe { product(a, b, beta, c.at(i, j), c.row_stride) };
    };
    if parallel {
        par::each(down * across, task);
    } else {
        (0..down * across).for_each(task);
    }
}

/// # Safety
/// A and B fit in their slices, and `c` is valid for their product.
unsafe fn product<E: Real>(a: Mat<E>, b: Mat<E>, beta: E, c: *mut E, c_row: usize) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    let [ar, ac, br, bc, cr] =
        [a.row_stride, a.col_stride, b.row_stride, b.col_stride, c_row].map(|s| s as isize);
    let (a, b) = (a.data.as_ptr(), b.data.as_ptr());
    if TypeId::of::<E>() == TypeId::of::<f32>() {
        let beta = beta.f64() as f32;
        // SAFETY: E is f32; the caller's promise.
        unsafe {
            matrixmultiply::sgemm(m, k, n, 1.0, a.cast(), ar, ac, b.cast(), br, bc, beta, c.cast(), cr, 1)
        }
    } else {
        // SAFETY: E is f64, the only other `Real`; the caller's promise.
        unsafe {
            matrixmultiply::dgemm(
                m,
                k,
                n,
                1.0,
                a.cast(),
                ar,
                ac,
                b.cast(),
                br,
                bc,
                beta.f64(),
                c.cast(),
                cr,
                1,
            )
        }
    }
}
