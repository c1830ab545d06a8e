//! Windows of 2 × 2 that touch and do not overlap: every element is read, and every gradient written, once.

use striate_compute::Real;

use super::geometry::{PoolGeometry, Sliding};
use super::max::wins;
use super::winner::Winner;
use crate::kernels::planes;

/// Whether windows are 2 × 2 side by side, and all lie inside the input.
pub(super) fn is_halving(pool: &PoolGeometry) -> bool {
    let halves = Sliding { kernel: [1, 2, 2], stride: [1, 2, 2], dilation: [1; 3], padding: [0; 3] };
    pool.sliding == Some(halves) && (1..3).all(|axis| pool.output[axis] * 2 <= pool.input[axis])
}

/// Pairs of neighbours in the two rows that a row of windows covers.
type Pairs<'a, E> = [&'a [[E; 2]]; 2];

#[inline(always)]
pub(super) fn max<E: Real, W: Winner>(pool: &PoolGeometry, x: &[E], y: &mut [E], winners: &mut [W]) {
    let ([_, height, width], [_, rows, columns]) = (pool.input, pool.output);
    for (row, (y, winners)) in y.chunks_exact_mut(columns).zip(winners.chunks_exact_mut(columns)).enumerate()
    {
        let start = (row / rows * height + row % rows * 2) * width;
        let (upper, lower) = x[start..][..2 * width].split_at(width);
        max_row([upper.as_chunks().0, lower.as_chunks().0], y, winners);
    }
}

#[inline(always)]
fn max_row<E: Real, W: Winner>([upper, lower]: Pairs<E>, y: &mut [E], winners: &mut [W]) {
    for (((y, winner), &[a, b]), &[c, d]) in y.iter_mut().zip(winners).zip(upper).zip(lower) {
        let mut best = a;
        let mut place = W::of(0);
        for (i, x) in [(1, b), (2, c), (3, d)] {
            let wins = wins(x, best);
            best = if wins { x } else { best };
            place = if wins { W::of(i) } else { place };
        }
        *y = best;
        *winner = place;
    }
}

#[inline(always)]
pub(super) fn max_gradient<E: Real, W: Winner>(
    pool: &PoolGeometry,
    winners: &[W],
    dy: &[E],
    beta: E,
    dx: &mut [E],
) {
    let ([_, height, width], [_, rows, columns]) = (pool.input, pool.output);
    for (d, dx) in dx.chunks_exact_mut(height * width).enumerate() {
        for (h, dx) in dx.chunks_mut(2 * width).enumerate() {
            if h >= rows {
                planes::keep_or_clear(dx, beta);
                continue;
            }
            let start = (d * rows + h) * columns;
            let (winners, dy) = (&winners[start..][..columns], &dy[start..][..columns]);
            let (upper, lower) = dx.split_at_mut(width);
            let (upper, upper_rest) = upper.split_at_mut(2 * columns);
            let (lower, lower_rest) = lower.split_at_mut(2 * columns);
            let [upper, lower] = [upper.as_chunks_mut().0, lower.as_chunks_mut().0];
            if beta == E::zero() {
                gradient_row(
                    winners,
                    dy,
                    upper,
                    lower,
                    #[inline(always)]
                    |dx, g| *dx = g,
                );
                upper_rest.fill(E::zero());
                lower_rest.fill(E::zero());
            } else {
                gradient_row(
                    winners,
                    dy,
                    upper,
                    lower,
                    #[inline(always)]
                    |dx, g| *dx += g,
                );
            }
        }
    }
}

#[inline(always)]
fn gradient_row<E: Real, W: Winner>(
    winners: &[W],
    dy: &[E],
    upper: &mut [[E; 2]],
    lower: &mut [[E; 2]],
    put: impl Fn(&mut E, E),
) {
    for (((winner, &dy), [a, b]), [c, d]) in winners.iter().zip(dy).zip(upper).zip(lower) {
        let winner = winner.place();
        for (i, dx) in [a, b, c, d].into_iter().enumerate() {
            put(dx, if winner == i { dy } else { E::zero() });
        }
    }
}
