//! Max pooling.

use striate_compute::Real;

use super::geometry::{PoolGeometry, Sliding, Span};
use super::halving::{self, is_halving};
use super::winner::{Places, Winner};
use crate::kernels::{planes, strided};

/// The largest element of each window, and which it is.
///
/// y[o] = max over t of x[o·s + t·d − p]; the first of equals wins, and of NaN the last, as in PyTorch.
/// x holds `pool.planes` planes of the input's size, y and `winners` as many of the output's.
///
/// # Panics
/// When slices have other lengths, or `W` is too small ([`PoolGeometry::narrow_winners`]).
///
/// ```
/// use striate_conv::{PoolGeometry, kernels::pool::max_pool};
///
/// let pool = PoolGeometry::new::<2>(&[1, 1, 2, 4], &2.into())?;
/// let (mut y, mut winners) = ([0.0; 2], [0u8; 2]);
/// max_pool(&pool, &[1.0f32, 5.0, 3.0, 2.0, 4.0, 0.0, 6.0, 1.0], &mut y, &mut winners);
/// assert_eq!((y, winners), ([5.0, 6.0], [1, 2]));
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn max_pool<E: Real, W: Winner>(pool: &PoolGeometry, x: &[E], y: &mut [E], winners: &mut [W]) {
    let (inputs, outputs) = (pool.input_size(), pool.output_size());
    assert_eq!(x.len(), pool.planes * inputs, "max_pool: length of x");
    assert_eq!(y.len(), pool.planes * outputs, "max_pool: length of y");
    assert_eq!(winners.len(), y.len(), "max_pool: length of winners");
    assert!(pool.taps().unwrap_or(inputs) - 1 <= W::MOST, "max_pool: winners need a larger type");
    let work = inputs.max(outputs);
    if is_halving(pool) {
        return planes::each_of_two(
            y,
            winners,
            outputs,
            work,
            #[inline(always)]
            |plane, y, winners| halving::max(pool, &x[plane * inputs..][..inputs], y, winners),
        );
    }
    let spans = [0, 1, 2].map(|axis| pool.spans(axis));
    match pool.sliding {
        Some(sliding) => {
            let columns = Columns::new(pool, &sliding);
            planes::each_of_two(
                y,
                winners,
                outputs,
                work,
                #[inline(always)]
                |plane, y, winners| {
                    slide(pool, &sliding, &columns, &spans, &x[plane * inputs..][..inputs], y, winners);
                },
            );
        }
        None => planes::each_of_two(
            y,
            winners,
            outputs,
            work,
            #[inline(always)]
            |plane, y, winners| search(pool, &spans, &x[plane * inputs..][..inputs], y, winners),
        ),
    }
}

/// Whether `x` replaces the best so far.
#[inline(always)]
pub(super) fn wins<E: Real>(x: E, best: E) -> bool {
    x > best || x.is_nan()
}

/// Columns of the output whose window has its t-th element inside the input.
struct Columns(Vec<std::ops::Range<usize>>);

impl Columns {
    fn new(pool: &PoolGeometry, sliding: &Sliding) -> Self {
        let (width, columns) = (pool.input[2], pool.output[2]);
        let (stride, padding) = (sliding.stride[2], sliding.padding[2]);
        let inside = |tap: usize| {
            let offset = tap * sliding.dilation[2];
            let first = padding.saturating_sub(offset).div_ceil(stride).min(columns);
            let end = (width + padding).saturating_sub(offset).div_ceil(stride).min(columns);
            first..end.max(first)
        };
        Columns((0..sliding.kernel[2]).map(inside).collect())
    }
}

/// Columns that are pooled together, so that they stay in the first cache.
const STRIP: usize = 1024;

/// One plane under sliding windows: a row of y takes one element of all its windows at a time.
#[inline(always)]
fn slide<E: Real, W: Winner>(
    pool: &PoolGeometry,
    sliding: &Sliding,
    columns: &Columns,
    [depths, heights, widths]: &[Vec<Span>; 3],
    x: &[E],
    y: &mut [E],
    winners: &mut [W],
) {
    let ([_, height, width], [_, rows, count]) = (pool.input, pool.output);
    let [_, kernel_height, kernel_width] = sliding.kernel;
    let (stride, dilation, padding) = (sliding.stride[2], sliding.dilation[2], sliding.padding[2]);
    for (row, (y, winners)) in y.chunks_exact_mut(count).zip(winners.chunks_exact_mut(count)).enumerate() {
        let (depths, heights) = (depths[row / rows], heights[row % rows]);
        let first_row = (depths.skipped * kernel_height + heights.skipped) * kernel_width;
        for strip in (0..count).step_by(STRIP) {
            let end = (strip + STRIP).min(count);
            y[strip..end].fill(-E::INFINITY);
            for (winner, span) in winners[strip..end].iter_mut().zip(&widths[strip..end]) {
                *winner = W::of(first_row + span.skipped);
            }
            for (tap_d, d) in depths.taps() {
                for (tap_h, h) in heights.taps() {
                    let x = &x[(d * height + h) * width..][..width];
                    for (tap_w, inside) in columns.0.iter().enumerate() {
                        let (first, end) = (inside.start.max(strip), inside.end.min(end));
                        if first >= end {
                            continue;
                        }
                        let tap = W::of((tap_d * kernel_height + tap_h) * kernel_width + tap_w);
                        strided::zip3(
                            &x[first * stride + tap_w * dilation - padding..],
                            stride,
                            &mut y[first..end],
                            &mut winners[first..end],
                            #[inline(always)]
                            |y, winner, x| {
                                let wins = wins(x, *y);
                                *y = if wins { x } else { *y };
                                *winner = if wins { tap } else { *winner };
                            },
                        );
                    }
                }
            }
        }
    }
}

/// One plane under windows of any kind, one after the other.
#[inline(always)]
fn search<E: Real, W: Winner>(
    pool: &PoolGeometry,
    [depths, heights, widths]: &[Vec<Span>; 3],
    x: &[E],
    y: &mut [E],
    winners: &mut [W],
) {
    let [_, height, width] = pool.input;
    let mut outputs = y.iter_mut().zip(winners);
    for depths in depths {
        for heights in heights {
            for (widths, (y, winner)) in widths.iter().zip(&mut outputs) {
                let first = (depths.first * height + heights.first) * width + widths.first;
                (*y, *winner) = (-E::INFINITY, W::of(first));
                for (_, d) in depths.taps() {
                    for (_, h) in heights.taps() {
                        let start = (d * height + h) * width + widths.first;
                        for (i, &x) in x[start..][..widths.count].iter().enumerate() {
                            if wins(x, *y) {
                                (*y, *winner) = (x, W::of(start + i));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Gradient of [`max_pool`]: dx ← β·dx, then every dy is added where its window's winner stands. β is 0 or 1; for 0,
/// what dx holds before is arbitrary.
///
/// # Panics
/// When slices have other lengths.
pub fn max_pool_gradient<E: Real, W: Winner>(
    pool: &PoolGeometry,
    winners: &[W],
    dy: &[E],
    beta: E,
    dx: &mut [E],
) {
    let (inputs, outputs) = (pool.input_size(), pool.output_size());
    assert_eq!(dy.len(), pool.planes * outputs, "max_pool_gradient: length of dy");
    assert_eq!(dx.len(), pool.planes * inputs, "max_pool_gradient: length of dx");
    assert_eq!(winners.len(), dy.len(), "max_pool_gradient: length of winners");
    let work = inputs.max(outputs);
    let part = |plane: usize| plane * outputs..(plane + 1) * outputs;
    if is_halving(pool) {
        return planes::each(
            dx,
            inputs,
            work,
            #[inline(always)]
            |plane, dx| halving::max_gradient(pool, &winners[part(plane)], &dy[part(plane)], beta, dx),
        );
    }
    let places = Places::new(pool);
    planes::each(
        dx,
        inputs,
        work,
        #[inline(always)]
        |plane, dx| {
            planes::keep_or_clear(dx, beta);
            let dy = &dy[part(plane)];
            places.each(&winners[part(plane)], |place, j| dx[place] += dy[j]);
        },
    );
}

/// Where the winners stand: their index in the plane, PyTorch's `return_indices`.
///
/// # Panics
/// When slices have other lengths.
pub fn max_pool_indices<W: Winner>(pool: &PoolGeometry, winners: &[W], indices: &mut [usize]) {
    assert_eq!(winners.len(), pool.planes * pool.output_size(), "max_pool_indices: length of winners");
    assert_eq!(indices.len(), winners.len(), "max_pool_indices: length of indices");
    let (outputs, places) = (pool.output_size(), Places::new(pool));
    for (winners, indices) in winners.chunks_exact(outputs).zip(indices.chunks_exact_mut(outputs)) {
        places.each(winners, |place, j| indices[j] = place);
    }
}
