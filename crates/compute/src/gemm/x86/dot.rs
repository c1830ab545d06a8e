//! Products of few rows whose sums run along contiguous memory in both factors: nothing is packed.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::vector::Vector;
use crate::gemm::{Mat, MatMut};
use crate::par;

/// Numbers of both factors that a task reads.
const PIECE: usize = 1 << 16;

/// C ← A·B + β·C where A has unit column stride and B unit row stride.
///
/// # Safety
/// The CPU has the instructions of V, and the shapes fit.
pub(super) unsafe fn dots<V: Vector>(a: Mat<f32>, b: Mat<f32>, beta: f32, c: &MatMut<f32>, parallel: bool) {
    let by_cols = b.cols >= a.rows;
    let long = b.cols.max(a.rows);
    let group = (PIECE / a.cols).max(1).next_multiple_of(24).min(long.div_ceil(8).next_multiple_of(24));
    let task = |task: usize| {
        let part = task * group..((task + 1) * group).min(long);
        let (rows, cols) = if by_cols { (0..a.rows, part) } else { (part, 0..b.cols) };
        let mut j = cols.start;
        while j < cols.end {
            let mut i = rows.start;
            let wide = match a.rows {
                1 => 8,
                2 => 4,
                _ => 3,
            };
            let wide = if j + wide <= cols.end { wide } else { 1 };
            while i < rows.end {
                let left = rows.end - i;
                let tall = if left == 5 || left == 6 { 3 } else { left.min(4) };
                let tile = Dots {
                    k: a.cols,
                    a: a.data[i * a.row_stride..].as_ptr(),
                    a_row: a.row_stride,
                    b: b.data[j * b.col_stride..].as_ptr(),
                    b_col: b.col_stride,
                    beta,
                    c: c.at(i, j),
                    c_row: c.row_stride,
                };
                // SAFETY: the tile lies within the matrices, and only this task writes it.
                unsafe {
                    match (tall, wide) {
                        (1, 8) => V::dots::<1, 8>(&tile),
                        (2, 4) => V::dots::<2, 4>(&tile),
                        (4, 3) => V::dots::<4, 3>(&tile),
                        (3, 3) => V::dots::<3, 3>(&tile),
                        (2, 3) => V::dots::<2, 3>(&tile),
                        (1, 3) => V::dots::<1, 3>(&tile),
                        (4, _) => V::dots::<4, 1>(&tile),
                        (3, _) => V::dots::<3, 1>(&tile),
                        (2, _) => V::dots::<2, 1>(&tile),
                        _ => V::dots::<1, 1>(&tile),
                    }
                }
                i += tall;
            }
            j += wide;
        }
    };
    let tasks = long.div_ceil(group);
    if parallel {
        par::each(tasks, task);
    } else {
        (0..tasks).for_each(task);
    }
}

pub(super) struct Dots {
    k: usize,
    a: *const f32,
    a_row: usize,
    b: *const f32,
    b_col: usize,
    beta: f32,
    c: *mut f32,
    c_row: usize,
}

/// R rows of A with S columns of B.
///
/// # Safety
/// The CPU has the instructions of V; the pointers are valid for R × k, S × k and R × S numbers, the last exclusively.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
pub(super) unsafe fn kernel<V: Vector, const R: usize, const S: usize>(dots: &Dots) {
    let Dots { k, a, a_row, b, b_col, beta, c, c_row } = *dots;
    let (whole, tail) = (k - k % V::LANES, k % V::LANES);
    // SAFETY: all lanes before `whole` are there, and the mask ends at k; element (r, s) of C is ours.
    unsafe {
        let mask = V::first_lanes(tail);
        let load = |from: *const f32, all: bool| if all { V::load(from) } else { V::load_first(from, mask) };
        let mut sums = [[V::splat(0.0); S]; R];
        for p in (0..k).step_by(V::LANES) {
            let all = p < whole;
            // The columns that the next tile reads: each is too short for the hardware to foresee it.
            for s in 0..if R == 1 { 0 } else { S } {
                _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add((S + s) * b_col + p).cast());
            }
            let mut y = [V::splat(0.0); S];
            for s in 0..S {
                y[s] = load(b.wrapping_add(s * b_col + p), all);
            }
            for r in 0..R {
                let x = load(a.wrapping_add(r * a_row + p), all);
                for s in 0..S {
                    sums[r][s] = x.multiply_add(y[s], sums[r][s]);
                }
            }
        }
        for r in 0..R {
            for s in 0..S {
                let c = c.add(r * c_row + s);
                let old = if beta == 0.0 { 0.0 } else { beta * *c };
                *c = old + sums[r][s].sum();
            }
        }
    }
}
