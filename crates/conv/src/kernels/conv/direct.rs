//! Convolution as its definition says: for few channels, depthwise above all.

use striate_compute::{Buffer, Real, isa, par};

use super::bordered::{Bordered, MIN_SCRATCH, regions};
use super::depthwise;
use super::output::Tile;
use crate::Geometry;

/// Neighbouring places that are summed together.
const LANES: usize = 32;
/// Numbers of the next planes to ask for beforehand.
const PREFETCH: usize = 1 << 12;

/// The weights (features, c and t) of one group.
pub(super) struct Weights<E: Real>(Buffer<E>);

impl<E: Real> Weights<E> {
    pub(super) fn new(w: &[E]) -> Self {
        let mut copy = Buffer::scratch(w.len());
        copy.copy_from_slice(w);
        Weights(copy)
    }

    /// y ← β·y + b + x ⋆ w in a tile, for the channels x of its image and group.
    pub(super) fn tile(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        let whole_rows =
            [tile.places.start, tile.places.end].iter().all(|place| place.is_multiple_of(g.output[2]));
        if let Some(side) = depthwise::side(g).filter(|_| whole_rows) {
            return depthwise::tile(side, g, x, &self.0, beta, tile);
        }
        let len = g.group_channels() * g.taps();
        for region in regions(g, tile.places.clone()) {
            let x = Bordered::new(g, x, &region, LANES);
            let (lines, columns) = (region.lines.len(), region.columns.len());
            let padded = columns.next_multiple_of(LANES);
            let mut sums = Buffer::scratch((lines * padded).max(MIN_SCRATCH));
            let sums = &mut sums[..lines * padded];
            let first = region.start(g) - tile.places.start;
            for (f, w) in self.0.chunks_exact(len).enumerate() {
                correlate(&x, w, padded, sums);
                tile.write(f, first, columns, sums, padded, beta);
            }
        }
    }
}

/// `sums[line, q] = Σ over t of w[t] · x[line, start[t] + q]`, in lines of `width` places.
fn correlate<E: Real>(x: &Bordered<E>, w: &[E], width: usize, sums: &mut [E]) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            for (line, sums) in sums.chunks_exact_mut(width).enumerate() {
                let from = &x.values[line * x.line..];
                let (sums, _) = sums.as_chunks_mut::<LANES>();
                for (i, sums) in sums.iter_mut().enumerate() {
                    let from = &from[i * LANES..];
                    let mut sum = [E::zero(); LANES];
                    for (&start, &w) in x.starts.iter().zip(w) {
                        let x: &[E; LANES] = from[start..][..LANES].try_into().expect("LANES numbers");
                        for (sum, &x) in sum.iter_mut().zip(x) {
                            *sum += w * x;
                        }
                    }
                    *sums = sum;
                }
            }
        },
    );
}

/// Whole rows of about 4096 places.
pub(super) fn tile_places(g: &Geometry) -> usize {
    let width = g.output[2].max(1);
    (4096 / width).max(1) * width
}

/// dw ← β·dw + ∂L/∂w, one feature after the other: a tap's gradient is the product of dy with the window that it reads,
/// where dy is laid out in lines as long as those of x, with zeros between.
pub(super) fn weight_gradient<E: Real>(g: &Geometry, x_all: &[E], dy_all: &[E], beta: E, dw: &mut [E]) {
    let (channels, len) = (g.group_channels(), g.group_channels() * g.taps());
    let (x_plane, y_plane) = (g.input_size(), g.output_size());
    par::pieces_mut(dw, len.max(1), |f, dw| {
        let group = f / g.group_features();
        let mut total = vec![E::zero(); len];
        for n in 0..g.batch {
            let x = &x_all[(n * g.channels + group * channels) * x_plane..][..channels * x_plane];
            let dy = &dy_all[(n * g.features + f) * y_plane..][..y_plane];
            // The planes of the next image lie far from these.
            let next = ((n + 1) * g.channels + group * channels) * x_plane;
            isa::prefetch(x_all.get(next..next + x_plane.min(PREFETCH)).unwrap_or(&[]));
            let next = ((n + 1) * g.features + f) * y_plane;
            isa::prefetch(dy_all.get(next..next + y_plane.min(PREFETCH)).unwrap_or(&[]));
            for region in regions(g, 0..y_plane) {
                let x = Bordered::new(g, x, &region, 1);
                let (lines, columns) = (region.lines.len(), region.columns.len());
                let count = ((lines - 1) * x.line + columns).next_multiple_of(LANES);
                let mut grid = Buffer::scratch(count.max(MIN_SCRATCH));
                let grid = &mut grid[..count];
                let from = dy[region.start(g)..].chunks_exact(columns);
                for (line, from) in grid.chunks_mut(x.line).zip(from).take(lines) {
                    let (places, between) = line.split_at_mut(columns);
                    places.copy_from_slice(from);
                    between.fill(E::zero());
                }
                grid[(lines - 1) * x.line + columns..].fill(E::zero());
                for (total, &start) in total.iter_mut().zip(&x.starts) {
                    *total += dot(&x.values[start..start + count], grid);
                }
            }
        }
        for (dw, &total) in dw.iter_mut().zip(&total) {
            *dw = if beta == E::zero() { total } else { beta * *dw + total };
        }
    });
}

/// Σ a · b, in a fixed order
fn dot<E: Real>(a: &[E], b: &[E]) -> E {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let mut sum = [E::zero(); LANES];
            for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
                for l in 0..LANES {
                    sum[l] += a[l] * b[l];
                }
            }
            sum.iter().copied().sum::<E>()
        },
    )
}
