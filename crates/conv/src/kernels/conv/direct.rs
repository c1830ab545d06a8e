//! Convolution as its definition says, blocked in registers: for few channels, depthwise above all.
//!
//! x is copied into zero-bordered rows, split by the stride, so that the inner loop has no test and no gather.

use std::ops::Range;

use striate_compute::{Buffer, Real, isa, par};

use super::output::Tile;
use crate::Geometry;

/// Neighbouring places that are summed together.
const LANES: usize = 32;
/// Features that share the reading of x.
const FEATURES: usize = 4;
/// Taps of a weight gradient that share the reading of dy.
const TAPS: usize = 9;

/// Some rows of all channels of an image and group, with the zeros around them.
struct Bordered<E: Real> {
    rows: Buffer<E>,
    /// Numbers of a channel, of a depth, of a row, of a phase of the stride.
    strides: [usize; 4],
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
        let mut rows = Buffer::scratch(g.group_channels() * strides[0]);
        for (c, to) in rows.chunks_exact_mut(strides[0]).enumerate() {
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

/// The weights of one group, by blocks of features: (block, c and t, feature).
pub(super) struct Weights<E: Real> {
    blocks: Vec<E>,
    len: usize,
    width: usize,
}

impl<E: Real> Weights<E> {
    /// For w (features, channels, taps) of a group.
    pub(super) fn new(g: &Geometry, w: &[E]) -> Self {
        let (features, len) = (g.group_features(), g.group_channels() * g.taps());
        let width = if features < FEATURES { 1 } else { FEATURES };
        let mut blocks = vec![E::zero(); features.div_ceil(width) * len * width];
        for (f, w) in w.chunks_exact(len.max(1)).enumerate() {
            for (i, &w) in w.iter().enumerate() {
                blocks[(f / width * len + i) * width + f % width] = w;
            }
        }
        Weights { blocks, len, width }
    }

    /// y ← β·y + b + x ⋆ w in a tile of whole rows, for the channels x of its image and group.
    pub(super) fn tile(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        match self.width {
            1 => self.rows::<1>(g, x, beta, tile),
            _ => self.rows::<FEATURES>(g, x, beta, tile),
        }
    }

    fn rows<const F: usize>(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        let width = g.output[2];
        for lines in by_depth(g, tile.places.start / width..tile.places.end / width) {
            let x = Bordered::new(g, x, &lines);
            let offsets = x.offsets(g);
            for line in lines.clone() {
                let from = &x.rows[(line - lines.start) * g.stride[1] * x.strides[2]..];
                let at = line * width - tile.places.start;
                for (block, w) in self.blocks.chunks_exact(self.len * F).enumerate() {
                    let (w, _) = w.as_chunks::<F>();
                    let features = block * F..((block + 1) * F).min(g.group_features());
                    for first in (0..width).step_by(LANES) {
                        let sums = sums::<E, F>(from, first, &offsets, w);
                        let places = at + first..at + width.min(first + LANES);
                        for (f, sums) in features.clone().zip(&sums) {
                            tile.write(f, places.clone(), &sums[..places.len()], beta);
                        }
                    }
                }
            }
        }
    }
}

/// Whole rows of about 1024 places.
pub(super) fn tile_places(g: &Geometry) -> usize {
    let width = g.output[2].max(1);
    (1024 / width).max(1) * width
}

/// Rows cut where the depth changes.
fn by_depth(g: &Geometry, lines: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let height = g.output[1];
    (lines.start / height..lines.end.div_ceil(height))
        .map(move |d| lines.start.max(d * height)..lines.end.min((d + 1) * height))
}

/// Σ over c and t of w[t, f] · x[t, first + lane]
#[inline(always)]
fn sums<E: Real, const F: usize>(x: &[E], first: usize, offsets: &[usize], w: &[[E; F]]) -> [[E; LANES]; F] {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let mut sums = [[E::zero(); LANES]; F];
            for (&offset, w) in offsets.iter().zip(w) {
                let x: &[E; LANES] = x[offset + first..][..LANES].try_into().expect("LANES numbers");
                for (sums, &w) in sums.iter_mut().zip(w) {
                    for (sum, &x) in sums.iter_mut().zip(x) {
                        *sum += w * x;
                    }
                }
            }
            sums
        },
    )
}

/// dw ← β·dw + ∂L/∂w, one feature after the other.
pub(super) fn weight_gradient<E: Real>(g: &Geometry, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    let (channels, len) = (g.group_channels(), g.group_channels() * g.taps());
    let (x_plane, y_plane, width) = (g.input_size(), g.output_size(), g.output[2]);
    par::pieces_mut(dw, len.max(1), |f, dw| {
        let group = f / g.group_features();
        let mut total = vec![E::zero(); len.next_multiple_of(TAPS)];
        let mut padded = vec![E::zero(); width.next_multiple_of(LANES)];
        for n in 0..g.batch {
            let x = &x[(n * g.channels + group * channels) * x_plane..][..channels * x_plane];
            let dy = &dy[(n * g.features + f) * y_plane..][..y_plane];
            for lines in by_depth(g, 0..y_plane / width.max(1)) {
                let x = Bordered::new(g, x, &lines);
                let mut offsets = x.offsets(g);
                offsets.resize(total.len(), 0);
                for line in lines.clone() {
                    padded[..width].copy_from_slice(&dy[line * width..][..width]);
                    let from = &x.rows[(line - lines.start) * g.stride[1] * x.strides[2]..];
                    let (total, _) = total.as_chunks_mut::<TAPS>();
                    for (total, offsets) in total.iter_mut().zip(offsets.as_chunks::<TAPS>().0) {
                        dots(from, &padded, offsets, total);
                    }
                }
            }
        }
        for (dw, &total) in dw.iter_mut().zip(&total) {
            *dw = if beta == E::zero() { total } else { beta * *dw + total };
        }
    });
}

/// total[t] += Σ over places of dy · x[t]
#[inline(always)]
fn dots<E: Real>(x: &[E], dy: &[E], offsets: &[usize; TAPS], total: &mut [E; TAPS]) {
    const WIDE: usize = LANES / 2;
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let mut sums = [[E::zero(); WIDE]; TAPS];
            for (first, dy) in dy.as_chunks::<WIDE>().0.iter().enumerate() {
                for (sums, &offset) in sums.iter_mut().zip(offsets) {
                    let x: &[E; WIDE] = x[offset + first * WIDE..][..WIDE].try_into().expect("WIDE numbers");
                    for ((sum, &x), &dy) in sums.iter_mut().zip(x).zip(dy) {
                        *sum += x * dy;
                    }
                }
            }
            for (total, sums) in total.iter_mut().zip(&sums) {
                *total += sums.iter().copied().sum::<E>();
            }
        },
    );
}
