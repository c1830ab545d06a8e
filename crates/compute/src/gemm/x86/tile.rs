//! The micro-kernel: a tile of C in registers.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::vector::Vector;

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

/// R rows, W vectors; with `MASKED`, only `tail` lanes of the last vector exist; with `ANYWHERE`, the rows of B start
/// where `b_starts` says.
///
/// # Safety
/// The CPU has the instructions of V; the pointers are valid for k steps of R numbers of A, of the columns' numbers of
/// B, and for as many rows and columns of C, which nothing else accesses.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
pub(super) unsafe fn kernel<
    V: Vector,
    const R: usize,
    const W: usize,
    const MASKED: bool,
    const ANYWHERE: bool,
>(
    tile: &Tile,
    tail: usize,
) {
    let Tile { k, mut a, a_row, a_step, mut b, b_step, b_starts, beta, c, c_row } = *tile;
    let masked = |w: usize| MASKED && w == W - 1;
    // SAFETY: `b` is at one of k steps, row r < R of A likewise, C has R rows of W vectors, and the mask keeps from
    // what is not there. There is a start for each of k steps.
    unsafe {
        let mask = V::first_lanes(tail);
        for r in 0..R {
            for w in 0..W {
                _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add(r * c_row + w * V::LANES).cast());
            }
        }
        let mut sums = [[V::splat(0.0); W]; R];
        for p in 0..k {
            if ANYWHERE {
                b = tile.b.wrapping_add(*b_starts.add(p));
            }
            let mut row = [V::splat(0.0); W];
            for w in 0..W {
                let b = b.wrapping_add(w * V::LANES);
                row[w] = if masked(w) { V::load_first(b, mask) } else { V::load(b) };
            }
            for r in 0..R {
                let x = V::splat(*a.add(r * a_row));
                for w in 0..W {
                    sums[r][w] = x.multiply_add(row[w], sums[r][w]);
                }
            }
            a = a.wrapping_add(a_step);
            if !ANYWHERE {
                b = b.wrapping_add(b_step);
            }
        }
        let scale = V::splat(beta);
        for r in 0..R {
            for w in 0..W {
                let c = c.wrapping_add(r * c_row + w * V::LANES);
                let mut sum = sums[r][w];
                if masked(w) {
                    if beta != 0.0 {
                        sum = scale.multiply_add(V::load_first(c, mask), sum);
                    }
                    sum.store_first(c, mask);
                } else {
                    if beta != 0.0 {
                        sum = scale.multiply_add(V::load(c), sum);
                    }
                    sum.store(c);
                }
            }
        }
    }
}
