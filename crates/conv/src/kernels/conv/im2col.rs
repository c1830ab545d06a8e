//! Convolution as a product with columns that are made tile by tile and never all at once.

use striate_compute::gemm::{Mat, MatMut, Operand, Packed, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::columns::Source;
use super::output::Tile;
use crate::Geometry;

/// Places of y in a tile, about.
pub(super) const PLACES: usize = 240;
/// Rows of columns that a tile holds at once, about.
const ROWS: usize = 256;
/// Numbers that the partial sums of a weight gradient may hold.
const PARTIALS: usize = 1 << 21;
/// Tasks to aim at where the size leaves a choice.
const TASKS: usize = 16;

/// Whether columns are x itself.
pub(super) fn is_pointwise(g: &Geometry) -> bool {
    g.kernel == [1; 3] && g.stride == [1; 3] && g.padding == [0; 3] && g.input == g.output
}

/// An odd multiple of 16: rows of a tile then spread over all sets of the first-level cache.
fn pitch(places: usize) -> usize {
    (places.div_ceil(16) | 1) * 16
}

/// The weights of one group, packed by blocks of channels.
pub(super) struct Weights<E: Real> {
    channels: usize,
    packed: Vec<Packed<E>>,
}

impl<E: Real> Weights<E> {
    /// For w (features, channels, taps) of a group.
    pub(super) fn new(g: &Geometry, w: &[E]) -> Self {
        let (all, taps) = (g.group_channels(), g.taps());
        let channels = (ROWS / taps).clamp(1, all.max(1));
        let k = all * taps;
        let pack = |c: usize| {
            let cols = channels.min(all - c) * taps;
            Packed::left(Mat {
                data: &w[c * taps..],
                rows: g.group_features(),
                cols,
                row_stride: k,
                col_stride: 1,
            })
        };
        Weights { channels, packed: (0..all).step_by(channels).map(pack).collect() }
    }

    /// y ← β·y + b + x ⋆ w in a tile, for the channels x of its image and group.
    pub(super) fn tile(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        let (all, taps, plane) = (g.group_channels(), g.taps(), g.input_size());
        let (places, width) = (tile.places.clone(), tile.places.len());
        let blocks =
            (0..all).step_by(self.channels).map(|c| c..(c + self.channels).min(all)).zip(&self.packed);
        if is_pointwise(g) {
            for (c, w) in blocks {
                let data = &x[c.start * plane + places.start..];
                let x = Mat { data, rows: c.len(), cols: width, row_stride: plane, col_stride: 1 };
                tile.product(w.into(), x.into(), beta, c.start == 0);
            }
            return;
        }
        let pitch = pitch(width);
        let source = Source::new(g, x, places.clone());
        let mut columns = Buffer::scratch(self.channels * taps * pitch);
        for (c, w) in blocks {
            source.columns(c.clone(), places.clone(), pitch, &mut columns);
            let columns =
                Mat { data: &columns, rows: c.len() * taps, cols: width, row_stride: pitch, col_stride: 1 };
            tile.product(w.into(), Operand::InPlace(columns), beta, c.start == 0);
        }
    }
}

/// The places of a tile: more of them where the columns are short.
pub(super) fn tile_places(g: &Geometry) -> usize {
    let rows = (g.group_channels() * g.taps()).clamp(1, ROWS);
    let places = PLACES * ROWS / rows.next_power_of_two();
    let all = g.output_size();
    all.div_ceil(all.div_ceil(places).max(1)).next_multiple_of(16)
}

/// dw ← β·dw + ∂L/∂w: the products of columns with the transpose of dy, summed over places and images.
pub(super) fn weight_gradient<E: Real>(g: &Geometry, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    let (channels, features, taps) = (g.group_channels(), g.group_features(), g.taps());
    let k = channels * taps;
    let all = g.groups * k * features;
    let chunks = (PARTIALS / all.max(1)).clamp(1, TASKS).min(g.batch.max(1));
    let blocks = TASKS.div_ceil(chunks * g.groups).min(channels.max(1));
    let block = channels.div_ceil(blocks.max(1)).max(1);
    // (chunk of images, group, c, t, feature)
    let mut partials = Buffer::<E>::scratch(chunks * all);
    let mut tasks = Vec::new();
    let mut rest = &mut partials[..];
    for chunk in 0..chunks {
        let images = chunk * g.batch / chunks..(chunk + 1) * g.batch / chunks;
        for group in 0..g.groups {
            for c in (0..channels).step_by(block) {
                let c = c..(c + block).min(channels);
                let (sums, after) = rest.split_at_mut(c.len() * taps * features);
                rest = after;
                tasks.push((images.clone(), group, c, sums));
            }
        }
    }
    let (x_plane, y_plane) = (g.input_size(), g.output_size());
    let step = tile_places(g);
    let pointwise = is_pointwise(g);
    par::pieces_mut(&mut tasks, 1, |_, task| {
        let (images, group, c, sums) = &mut task[0];
        sums.fill(E::zero());
        let rows = c.len() * taps;
        let pitch = pitch(step);
        let mut columns = Buffer::scratch(if pointwise { 0 } else { rows * pitch });
        for n in images.clone() {
            let x = &x[(n * g.channels + *group * channels + c.start) * x_plane..][..c.len() * x_plane];
            let source = (!pointwise).then(|| Source::new(g, x, 0..y_plane));
            for first in (0..y_plane).step_by(step) {
                let places = first..(first + step).min(y_plane);
                let cols = features;
                let dy = Mat {
                    data: &dy[(n * g.features + *group * features) * y_plane + first..],
                    rows: places.len(),
                    cols,
                    row_stride: 1,
                    col_stride: y_plane,
                };
                let columns = match &source {
                    Some(source) => {
                        source.columns(0..c.len(), places.clone(), pitch, &mut columns);
                        Mat { data: &columns, rows, cols: places.len(), row_stride: pitch, col_stride: 1 }
                    }
                    None => {
                        let data = &x[first..];
                        Mat { data, rows, cols: places.len(), row_stride: x_plane, col_stride: 1 }
                    }
                };
                gemm_serial(Operand::InPlace(columns), dy, E::one(), MatMut::new(sums, rows, cols));
            }
        }
    });
    add_transposed(&partials, chunks, k, beta, dw, features);
}

/// `dw[f, k] ← β·dw[f, k] + Σ partials[chunk][k, f]` for each group.
fn add_transposed<E: Real>(partials: &[E], chunks: usize, k: usize, beta: E, dw: &mut [E], features: usize) {
    let all = dw.len();
    par::pieces_mut(dw, k.max(1), |row, dw| {
        let (group, f) = (row / features, row % features);
        for (i, dw) in dw.iter_mut().enumerate() {
            let at = (group * k + i) * features + f;
            let sum = (0..chunks).map(|chunk| partials[chunk * all + at]).sum::<E>();
            *dw = if beta == E::zero() { sum } else { beta * *dw + sum };
        }
    });
}
