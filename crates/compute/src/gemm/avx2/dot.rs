//! Products of few rows whose sums run along contiguous memory in both factors: nothing is packed.

use std::arch::x86_64::*;

use super::tile::{LANES, first_lanes};
use crate::gemm::{Mat, MatMut};
use crate::par;

/// Numbers of both factors that a task reads.
const PIECE: usize = 1 << 16;

/// C ← A·B + β·C where A has unit column stride and B unit row stride.
///
/// # Safety
/// The CPU has AVX2 and FMA, and the shapes fit.
pub(super) unsafe fn dots(a: Mat<f32>, b: Mat<f32>, beta: f32, c: &MatMut<f32>, parallel: bool) {
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
                        (1, 8) => tile.run::<1, 8>(),
                        (2, 4) => tile.run::<2, 4>(),
                        (4, 3) => tile.run::<4, 3>(),
                        (3, 3) => tile.run::<3, 3>(),
                        (2, 3) => tile.run::<2, 3>(),
                        (1, 3) => tile.run::<1, 3>(),
                        (4, _) => tile.run::<4, 1>(),
                        (3, _) => tile.run::<3, 1>(),
                        (2, _) => tile.run::<2, 1>(),
                        _ => tile.run::<1, 1>(),
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

struct Dots {
    k: usize,
    a: *const f32,
    a_row: usize,
    b: *const f32,
    b_col: usize,
    beta: f32,
    c: *mut f32,
    c_row: usize,
}

impl Dots {
    /// R rows of A with S columns of B.
    ///
    /// # Safety
    /// The CPU has AVX2 and FMA; the pointers are valid for R × k, S × k and R × S numbers, the last exclusively.
    #[target_feature(enable = "avx2,fma")]
    #[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
    unsafe fn run<const R: usize, const S: usize>(&self) {
        let mut sums = [[_mm256_setzero_ps(); S]; R];
        let whole = self.k - self.k % LANES;
        let mask = first_lanes(self.k % LANES);
        let mut add = |p: usize, load: &dyn Fn(*const f32) -> __m256| {
            let y: [__m256; S] = std::array::from_fn(|s| load(self.b.wrapping_add(s * self.b_col + p)));
            for r in 0..R {
                let x = load(self.a.wrapping_add(r * self.a_row + p));
                for s in 0..S {
                    sums[r][s] = _mm256_fmadd_ps(x, y[s], sums[r][s]);
                }
            }
        };
        for p in (0..whole).step_by(LANES) {
            // The columns that the next tile reads: each is too short for the hardware to foresee it.
            for s in 0..if R == 1 { 0 } else { S } {
                _mm_prefetch::<_MM_HINT_T0>(self.b.wrapping_add((S + s) * self.b_col + p).cast());
            }
            // SAFETY: eight numbers from p < whole on.
            add(p, &|at| unsafe { _mm256_loadu_ps(at) });
        }
        if whole < self.k {
            // SAFETY: the mask ends at k.
            add(whole, &|at| unsafe { _mm256_maskload_ps(at, mask) });
        }
        for r in 0..R {
            for s in 0..S {
                // SAFETY: element (r, s) of C.
                unsafe {
                    let c = self.c.add(r * self.c_row + s);
                    let old = if self.beta == 0.0 { 0.0 } else { self.beta * *c };
                    *c = old + sum(sums[r][s]);
                }
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn sum(x: __m256) -> f32 {
    let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps::<1>(x, x)))
}
