//! Convolution as its definition says, blocked in registers: for few channels, depthwise above all.
//!
//! x is copied into zero-bordered rows, split by the stride, so that the inner loop has no test and no gather.

use std::ops::Range;

use striate_compute::{Buffer, Real, isa, par};

use super::depthwise;
use super::output::Tile;
use crate::Geometry;

/// Neighbouring places that are summed together.
const LANES: usize = 16;
/// Taps that are summed together.
const TAPS: usize = 3;
/// Smaller scratch would come from the system allocator, which zeroes it.
const MIN_SCRATCH: usize = 1 << 14;

/// Some rows of all channels of an image and group, with the zeros around them.
struct Bordered<E: Real> {
    rows: Buffer<E>,
    /// Numbers of a channel, of a depth, of a row, of a phase of the stride.
    strides: [usize; 4],
}

/// The most numbers that the rows of one tile may take.
const LIMIT: usize = 1 << 26;

/// Whether the rows and their borders are within the limit.
pub(super) fn supports(g: &Geometry) -> bool {
    let border = |axis: usize| (g.kernel[axis] - 1).saturating_mul(g.dilation[axis]).saturating_add(1);
    let along = |axis: usize| g.output[axis].saturating_mul(g.stride[axis]).saturating_add(border(axis));
    let width = g.output[2].saturating_add(LANES).saturating_mul(g.stride[2]).saturating_add(border(2));
    let all = [g.group_channels(), border(0), along(1), width];
    all.into_iter().fold(1, usize::saturating_mul) <= LIMIT
}

impl<E: Real> Bordered<E> {
    /// What the rows `lines` of y, all of one depth, read.
    fn new(g: &Geometry, x: &[E], lines: &Range<usize>) -> Self {
        let [depth, height, width] = g.input;
        let (first_depth, first_line) = (lines.start / g.output[1], lines.start % g.output[1]);
        let span_depth = (g.kernel[0] - 1) * g.dilation[0] + 1;
        let span_height = (lines.len() - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] + 1;
        let stride = g.stride[2];
        let places = g.output[2].next_multiple_of(LANES) + (g.kernel[2] - 1) * g.dilation[2] / stride + 1;
        let strides = [
            span_depth * span_height * stride * places,
            span_height * stride * places,
            stride * places,
            places,
        ];
        let mut rows = Buffer::scratch((g.group_channels() * strides[0]).max(MIN_SCRATCH));
        for (c, to) in rows.chunks_exact_mut(strides[0]).enumerate().take(g.group_channels()) {
            for (d, to) in to.chunks_exact_mut(strides[1]).enumerate() {
                let id = (first_depth * g.stride[0] + d) as isize - g.padding[0];
                for (h, to) in to.chunks_exact_mut(strides[2]).enumerate() {
                    let ih = (first_line * g.stride[1] + h) as isize - g.padding[1];
                    if (0..depth as isize).contains(&id) && (0..height as isize).contains(&ih) {
                        let from = &x[((c * depth + id as usize) * height + ih as usize) * width..][..width];
                        border_row(from, g.padding[2], stride, places, to);
                    } else {
                        to.fill(E::zero());
                    }
                }
            }
        }
        Bordered { rows, strides }
    }

    /// Where channel c and tap t of the first place of the first row stand.
    fn offsets(&self, g: &Geometry) -> Vec<usize> {
        let [channel, depth, row, phase] = self.strides;
        let mut offsets = Vec::with_capacity(g.group_channels() * g.taps());
        for c in 0..g.group_channels() {
            for td in 0..g.kernel[0] {
                for th in 0..g.kernel[1] {
                    for tw in 0..g.kernel[2] {
                        let at = tw * g.dilation[2];
                        let line = c * channel + td * g.dilation[0] * depth + th * g.dilation[1] * row;
                        offsets.push(line + at % g.stride[2] * phase + at / g.stride[2]);
                    }
                }
            }
        }
        offsets
    }
}

/// `to[f · places + j] = from[j · stride + f − padding]`, zero outside
fn border_row<E: Real>(from: &[E], padding: isize, stride: usize, places: usize, to: &mut [E]) {
    for (phase, to) in to.chunks_exact_mut(places).enumerate() {
        let start = phase as isize - padding;
        // First place inside, and how many there are.
        let begin = if start < 0 { (-start) as usize } else { 0 }.div_ceil(stride).min(places);
        let first = (begin * stride) as isize + start;
        let inside = usize::try_from(first).ok().filter(|&first| first < from.len());
        let count = inside.map_or(0, |first| (from.len() - first).div_ceil(stride).min(places - begin));
        to[..begin].fill(E::zero());
        to[begin + count..].fill(E::zero());
        if let Some(first) = inside {
            let to = &mut to[begin..begin + count];
            if stride == 1 {
                to.copy_from_slice(&from[first..first + count]);
            } else {
                for (to, from) in to.iter_mut().zip(from[first..].iter().step_by(stride)) {
                    *to = *from;
                }
            }
        }
    }
}

/// The weights (features, c and t) of one group.
pub(super) struct Weights<E: Real>(Buffer<E>);

impl<E: Real> Weights<E> {
    pub(super) fn new(w: &[E]) -> Self {
        let mut copy = Buffer::scratch(w.len());
        copy.copy_from_slice(w);
        Weights(copy)
    }

    /// y ← β·y + b + x ⋆ w in a tile of whole rows, for the channels x of its image and group.
    pub(super) fn tile(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        if let Some(side) = depthwise::side(g) {
            return depthwise::tile(side, g, x, &self.0, beta, tile);
        }
        let (len, width) = (g.group_channels() * g.taps(), g.output[2]);
        let padded = width.next_multiple_of(LANES);
        for lines in by_depth(g, tile.places.start / width..tile.places.end / width) {
            let x = Bordered::new(g, x, &lines);
            let offsets = x.offsets(g);
            let step = g.stride[1] * x.strides[2];
            let mut sums = Buffer::scratch((lines.len() * padded).max(MIN_SCRATCH));
            let sums = &mut sums[..lines.len() * padded];
            for (f, w) in self.0.chunks_exact(len).enumerate() {
                correlate(&x.rows, step, &offsets, w, padded, sums);
                for (line, sums) in lines.clone().zip(sums.chunks_exact(padded)) {
                    let first = line * width - tile.places.start;
                    tile.write(f, first..first + width, &sums[..width], beta);
                }
            }
        }
    }
}

/// sums[line, q] = Σ over t of w[t] · x[line · step + offset[t] + q], in lines of `width` places.
fn correlate<E: Real>(x: &[E], step: usize, offsets: &[usize], w: &[E], width: usize, sums: &mut [E]) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let (offsets, last_offsets) = offsets.as_chunks::<TAPS>();
            let (w, last_w) = w.as_chunks::<TAPS>();
            for (line, sums) in sums.chunks_exact_mut(width).enumerate() {
                let x = &x[line * step..];
                let (sums, _) = sums.as_chunks_mut::<LANES>();
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = &x[i * LANES..];
                    let mut sum = [E::zero(); LANES];
                    for (offsets, w) in offsets.iter().zip(w) {
                        for t in 0..TAPS {
                            add_scaled(&mut sum, w[t], &x[offsets[t]..]);
                        }
                    }
                    for (&offset, &w) in last_offsets.iter().zip(last_w) {
                        add_scaled(&mut sum, w, &x[offset..]);
                    }
                    *sums = sum;
                }
            }
        },
    );
}

#[inline(always)]
fn add_scaled<E: Real>(sum: &mut [E; LANES], w: E, x: &[E]) {
    let x: &[E; LANES] = x[..LANES].try_into().expect("LANES numbers");
    for (sum, &x) in sum.iter_mut().zip(x) {
        *sum += w * x;
    }
}

/// Whole rows of about 4096 places.
pub(super) fn tile_places(g: &Geometry) -> usize {
    let width = g.output[2].max(1);
    (4096 / width).max(1) * width
}

/// Rows cut where the depth changes.
fn by_depth(g: &Geometry, lines: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let height = g.output[1];
    (lines.start / height..lines.end.div_ceil(height))
        .map(move |d| lines.start.max(d * height)..lines.end.min((d + 1) * height))
}

/// dw ← β·dw + ∂L/∂w, one feature after the other.
pub(super) fn weight_gradient<E: Real>(g: &Geometry, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    if let Some(side) = depthwise::side(g) {
        return depthwise::weight_gradient(side, g, x, dy, beta, dw);
    }
    let (channels, len) = (g.group_channels(), g.group_channels() * g.taps());
    let (x_plane, y_plane, width) = (g.input_size(), g.output_size(), g.output[2]);
    let padded = width.next_multiple_of(LANES);
    par::pieces_mut(dw, len.max(1), |f, dw| {
        let group = f / g.group_features();
        let mut total = vec![E::zero(); len];
        let mut rows = Buffer::filled(g.output[1] * padded, E::zero());
        for n in 0..g.batch {
            let x = &x[(n * g.channels + group * channels) * x_plane..][..channels * x_plane];
            let dy = &dy[(n * g.features + f) * y_plane..][..y_plane];
            for lines in by_depth(g, 0..y_plane / width.max(1)) {
                let x = Bordered::new(g, x, &lines);
                let offsets = x.offsets(g);
                for (line, row) in lines.zip(rows.chunks_exact_mut(padded)) {
                    row[..width].copy_from_slice(&dy[line * width..][..width]);
                }
                for (total, &offset) in total.iter_mut().zip(&offsets) {
                    *total += dot(&x.rows[offset..], g.stride[1] * x.strides[2], &rows, padded);
                }
            }
        }
        for (dw, &total) in dw.iter_mut().zip(&total) {
            *dw = if beta == E::zero() { total } else { beta * *dw + total };
        }
    });
}

/// Σ over lines and places q of dy[line, q] · x[line · step + q]
fn dot<E: Real>(x: &[E], step: usize, dy: &[E], width: usize) -> E {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let mut sum = [E::zero(); LANES];
            for (line, dy) in dy.chunks_exact(width).enumerate() {
                let x = x[line * step..][..width].as_chunks::<LANES>().0;
                for (dy, x) in dy.as_chunks::<LANES>().0.iter().zip(x) {
                    for l in 0..LANES {
                        sum[l] += dy[l] * x[l];
                    }
                }
            }
            sum.iter().copied().sum::<E>()
        },
    )
}
