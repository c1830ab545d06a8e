//! Max pooling.

use striate_compute::Real;

use super::geometry::{PoolGeometry, Sliding, Span};
use super::halving::{self, is_halving};
use super::winner::{Places, Winner};
use crate::kernels::planes;

/// The largest element of each window, and which it is.
///
/// `y[o] = max x[o·s + t·d − p]` over t; the first of equals wins, and of NaN the last, as in PyTorch.
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
    assert!(pool.largest_winner() <= W::MOST, "max_pool: winners need a larger type");
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
    let interior = pool.sliding.map(|sliding| Interior::new(pool, &sliding));
    planes::each_of_two(
        y,
        winners,
        outputs,
        work,
        #[inline(always)]
        |plane, y, winners| {
            let x = &x[plane * inputs..][..inputs];
            match &interior {
                Some(interior) => slide(pool, interior, &spans, x, y, winners),
                None => search(pool, &spans, x, y, winners),
            }
        },
    );
}

/// Whether `x` replaces the best so far.
#[inline(always)]
pub(super) fn wins<E: Real>(x: E, best: E) -> bool {
    x > best || x.is_nan()
}

/// Windows along the last axis that lie inside the input, with room for a whole step after each element.
struct Interior {
    columns: std::ops::Range<usize>,
    sliding: Sliding,
}

impl Interior {
    fn new(pool: &PoolGeometry, sliding: &Sliding) -> Self {
        let (stride, padding) = (sliding.stride[2], sliding.padding[2]);
        let reach = sliding.dilation[2] * (sliding.kernel[2] - 1);
        let first = padding.div_ceil(stride).min(pool.output[2]);
        let end = (pool.input[2] + padding).saturating_sub(reach) / stride;
        Interior { columns: first..end.clamp(first, pool.output[2]), sliding: *sliding }
    }
}

/// One plane under sliding windows: inside the input several neighbouring windows at a time, at its borders each alone.
#[inline(always)]
fn slide<E: Real, W: Winner>(
    pool: &PoolGeometry,
    interior: &Interior,
    [depths, heights, widths]: &[Vec<Span>; 3],
    x: &[E],
    y: &mut [E],
    winners: &mut [W],
) {
    let ([_, height, width], [_, rows, columns]) = (pool.input, pool.output);
    let [_, kernel_height, kernel_width] = interior.sliding.kernel;
    for (row, (y, winners)) in y.chunks_exact_mut(columns).zip(winners.chunks_exact_mut(columns)).enumerate()
    {
        let (depths, heights) = (depths[row / rows], heights[row % rows]);
        let (inside, step) = match interior.columns.len() {
            0..8 => (0..0, 1),
            8..16 => (interior.columns.clone(), 8),
            _ => (interior.columns.clone(), 16),
        };
        for column in (0..inside.start).chain(inside.end..columns) {
            (y[column], winners[column]) = largest(
                x,
                [height, width],
                [depths, heights, widths[column]],
                #[inline(always)]
                |[d, h, w], _| (d * kernel_height + h) * kernel_width + w,
            );
        }
        let mut column = inside.start;
        while column < inside.end {
            // The last windows overlap those before: once more the same results.
            let first = column.min(inside.end - step);
            let rows = Rows { x, height, width, depths, heights };
            match step {
                8 => neighbours::<8, _, _>(rows, interior, first, &mut y[first..], &mut winners[first..]),
                _ => neighbours::<16, _, _>(rows, interior, first, &mut y[first..], &mut winners[first..]),
            }
            column += step;
        }
    }
}

/// The rows of x that a row of windows covers.
struct Rows<'a, E> {
    x: &'a [E],
    height: usize,
    width: usize,
    depths: Span,
    heights: Span,
}

/// The first `N` of y: windows from the `column` on, which lie inside the input.
#[inline(always)]
fn neighbours<const N: usize, E: Real, W: Winner>(
    rows: Rows<E>,
    interior: &Interior,
    column: usize,
    y: &mut [E],
    winners: &mut [W],
) {
    let Interior { sliding, .. } = interior;
    let [_, kernel_height, kernel_width] = sliding.kernel;
    let (stride, origin) = (sliding.stride[2], column * sliding.stride[2] - sliding.padding[2]);
    let first_tap = (rows.depths.skipped * kernel_height + rows.heights.skipped) * kernel_width;
    let mut best = [-E::INFINITY; N];
    let mut winner = [W::of(first_tap); N];
    for (d, depth) in rows.depths.taps() {
        for (h, row) in rows.heights.taps() {
            let x = &rows.x[(depth * rows.height + row) * rows.width..][..rows.width];
            for w in 0..kernel_width {
                let x = &x[origin + w * sliding.dilation[2]..];
                let tap = W::of((d * kernel_height + h) * kernel_width + w);
                let x = match stride {
                    1 => every::<1, N, _>(x),
                    2 => every::<2, N, _>(x),
                    3 => every::<3, N, _>(x),
                    _ => std::array::from_fn(|i| x[i * stride]),
                };
                for i in 0..N {
                    let wins = wins(x[i], best[i]);
                    best[i] = if wins { x[i] } else { best[i] };
                    winner[i] = if wins { tap } else { winner[i] };
                }
            }
        }
    }
    y[..N].copy_from_slice(&best);
    winners[..N].copy_from_slice(&winner);
}

/// Every S-th element.
#[inline(always)]
fn every<const S: usize, const N: usize, E: Copy>(x: &[E]) -> [E; N] {
    let blocks: &[[E; S]; N] = x.as_chunks().0.first_chunk().expect("the interior has room for all steps");
    std::array::from_fn(|i| blocks[i][0])
}

/// One plane under adaptive windows.
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
    for &depths in depths {
        for &heights in heights {
            for (&widths, (y, winner)) in widths.iter().zip(&mut outputs) {
                let spans = [depths, heights, widths];
                (*y, *winner) = largest(
                    x,
                    [height, width],
                    spans,
                    #[inline(always)]
                    |_, place| place,
                );
            }
        }
    }
}

/// The largest element of one window, and how `name` calls it by its numbers in the window and its place in the plane.
#[inline(always)]
fn largest<E: Real, W: Winner>(
    x: &[E],
    [height, width]: [usize; 2],
    [depths, heights, widths]: [Span; 3],
    name: impl Fn([usize; 3], usize) -> usize,
) -> (E, W) {
    let numbers = [depths.skipped, heights.skipped, widths.skipped];
    let mut best = -E::INFINITY;
    let mut winner = name(numbers, (depths.first * height + heights.first) * width + widths.first);
    for (d, depth) in depths.taps() {
        for (h, row) in heights.taps() {
            for (w, column) in widths.taps() {
                let place = (depth * height + row) * width + column;
                if wins(x[place], best) {
                    (best, winner) = (x[place], name([d, h, w], place));
                }
            }
        }
    }
    (best, W::of(winner))
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
