//! Products that move more memory than they compute: few rows of A, or k = 1. Nothing is packed.

use super::micro::Micro;
use super::tile::Tile;
use super::vector::Vector;
use crate::gemm::{Mat, MatMut};
use crate::{isa, par};

/// C ← A·B + β·C for at most three rows of A and a B with unit column stride, in wide tiles.
///
/// # Safety
/// The CPU has the instructions of V, which are those of `micro`, and the shapes fit.
pub(super) unsafe fn few_rows<V: Vector>(
    micro: &Micro,
    a: Mat<f32>,
    b: Mat<f32>,
    beta: f32,
    c: &MatMut<f32>,
    parallel: bool,
) {
    let wide = if a.rows == 1 { 8 * V::LANES } else { 4 * V::LANES };
    let task = |task: usize| {
        let end = ((task + 1) * wide).min(b.cols);
        let mut j = task * wide;
        while j < end {
            let cols = if end - j == wide { wide } else { (end - j).min(micro.cols) };
            let tile = Tile {
                k: a.cols,
                a: a.data.as_ptr(),
                a_row: a.row_stride,
                a_step: a.col_stride,
                b: b.data[j..].as_ptr(),
                b_step: b.row_stride,
                b_starts: std::ptr::null(),
                beta,
                c: c.at(0, j),
                c_row: c.row_stride,
            };
            // SAFETY: the tile lies within the matrices, and only this task writes it.
            unsafe {
                match (a.rows, cols == wide) {
                    (1, true) => V::tile::<1, 8, false, false>(&tile, 0),
                    (2, true) => V::tile::<2, 4, false, false>(&tile, 0),
                    (3, true) => V::tile::<3, 4, false, false>(&tile, 0),
                    _ => micro.run(&tile, a.rows, cols),
                }
            }
            j += cols;
        }
    };
    let tasks = b.cols.div_ceil(wide);
    if parallel {
        par::each(tasks, task);
    } else {
        (0..tasks).for_each(task);
    }
}

/// C ← a·b + β·C for a column a and a row b with unit stride.
pub(super) fn outer(a: Mat<f32>, b: Mat<f32>, beta: f32, c: &MatMut<f32>, parallel: bool) {
    let b_row = &b.data[..b.cols];
    let group = ((1 << 15) / b.cols).max(1);
    let task = |task: usize| {
        for i in task * group..((task + 1) * group).min(a.rows) {
            let x = a.data[i * a.row_stride];
            // SAFETY: row i of C, which only this task accesses.
            let c = unsafe { std::slice::from_raw_parts_mut(c.at(i, 0), b.cols) };
            isa::vectorized(|| {
                if beta == 0.0 {
                    c.iter_mut().zip(b_row).for_each(|(c, &y)| *c = x * y);
                } else {
                    c.iter_mut().zip(b_row).for_each(|(c, &y)| *c = x * y + beta * *c);
                }
            });
        }
    };
    let tasks = a.rows.div_ceil(group);
    if parallel {
        par::each(tasks, task);
    } else {
        (0..tasks).for_each(task);
    }
}
