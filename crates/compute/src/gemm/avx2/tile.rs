//! The micro-kernel: a tile of C, up to 6 × 16, in registers.

use std::arch::x86_64::*;

/// Numbers in a vector register.
pub(super) const LANES: usize = 8;
/// Rows of the largest tile.
pub(super) const MR: usize = 6;
/// Columns of the largest tile.
pub(super) const NR: usize = 16;

/// C ← A·B + β·C for one tile. A has any strides, the rows of B and C are contiguous, those of B may lie anywhere.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) k: usize,
    pub(super) a: *const f32,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    pub(super) b: *const f32,
    pub(super) b_step: usize,
    /// Where each row of B starts, counted from `b`; null when they are `b_step` apart.
    pub(super) b_starts: *const usize,
    pub(super) beta: f32,
    pub(super) c: *mut f32,
    pub(super) c_row: usize,
}

/// Runs the kernel for `rows` (1 to [`MR`]) times `cols` (1 to [`NR`]).
///
/// # Safety
/// The CPU has AVX2 and FMA; the pointers are valid for k steps of `rows` numbers of A, of `cols` numbers of B,
/// and for `rows` × `cols` numbers of C, which nothing else accesses.
pub(super) unsafe fn run(tile: &Tile, rows: usize, cols: usize) {
    type Kernel = unsafe fn(&Tile, usize);
    const fn row<const R: usize, const ANYWHERE: bool>() -> [Kernel; 4] {
        [
            kernel::<R, 1, false, ANYWHERE>,
            kernel::<R, 2, false, ANYWHERE>,
            kernel::<R, 1, true, ANYWHERE>,
            kernel::<R, 2, true, ANYWHERE>,
        ]
    }
    const fn kernels<const ANYWHERE: bool>() -> [[Kernel; 4]; MR] {
        [
            row::<1, ANYWHERE>(),
            row::<2, ANYWHERE>(),
            row::<3, ANYWHERE>(),
            row::<4, ANYWHERE>(),
            row::<5, ANYWHERE>(),
            row::<6, ANYWHERE>(),
        ]
    }
    const EVEN: [[Kernel; 4]; MR] = kernels::<false>();
    const ANYWHERE: [[Kernel; 4]; MR] = kernels::<true>();
    let tail = cols % LANES;
    let which = cols.div_ceil(LANES) - 1 + if tail > 0 { 2 } else { 0 };
    let kernels = if tile.b_starts.is_null() { &EVEN } else { &ANYWHERE };
    // SAFETY: the caller's promise; the masked kernels touch `tail` numbers of the last vector.
    unsafe { kernels[rows - 1][which](tile, tail) }
}

/// R rows, W vectors; with `MASKED`, only `tail` lanes of the last vector exist; with `ANYWHERE`, the rows of B start
/// where `b_starts` says.
///
/// # Safety
/// As [`run`].
#[target_feature(enable = "avx2,fma")]
#[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
pub(super) unsafe fn kernel<const R: usize, const W: usize, const MASKED: bool, const ANYWHERE: bool>(
    tile: &Tile,
    tail: usize,
) {
    let Tile { k, mut a, a_row, a_step, mut b, b_step, b_starts, beta, c, c_row } = *tile;
    let mask = first_lanes(tail);
    let masked = |w: usize| MASKED && w == W - 1;
    for r in 0..R {
        _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add(r * c_row).cast());
    }
    let mut sums = [[_mm256_setzero_ps(); W]; R];
    for p in 0..k {
        if ANYWHERE {
            // SAFETY: there is a start for each of k steps.
            b = tile.b.wrapping_add(unsafe { *b_starts.add(p) });
        }
        let mut row = [_mm256_setzero_ps(); W];
        for w in 0..W {
            // SAFETY: `b` is at one of k steps, and the mask keeps from what is not there.
            row[w] = unsafe {
                if masked(w) {
                    _mm256_maskload_ps(b.add(w * LANES), mask)
                } else {
                    _mm256_loadu_ps(b.add(w * LANES))
                }
            };
        }
        for r in 0..R {
            // SAFETY: row r < R of A at one of k steps.
            let x = _mm256_set1_ps(unsafe { *a.add(r * a_row) });
            for w in 0..W {
                sums[r][w] = _mm256_fmadd_ps(x, row[w], sums[r][w]);
            }
        }
        a = a.wrapping_add(a_step);
        if !ANYWHERE {
            b = b.wrapping_add(b_step);
        }
    }
    let scale = _mm256_set1_ps(beta);
    for r in 0..R {
        for w in 0..W {
            // SAFETY: C has R rows of W vectors, the last one as the mask says.
            unsafe {
                let c = c.add(r * c_row + w * LANES);
                let mut sum = sums[r][w];
                if masked(w) {
                    if beta != 0.0 {
                        sum = _mm256_fmadd_ps(scale, _mm256_maskload_ps(c, mask), sum);
                    }
                    _mm256_maskstore_ps(c, mask, sum);
                } else {
                    if beta != 0.0 {
                        sum = _mm256_fmadd_ps(scale, _mm256_loadu_ps(c), sum);
                    }
                    _mm256_storeu_ps(c, sum);
                }
            }
        }
    }
}

/// A mask of the first `lanes` of 8.
#[target_feature(enable = "avx2")]
pub(super) fn first_lanes(lanes: usize) -> __m256i {
    _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
}
