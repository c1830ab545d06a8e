//! Convolution as a product with columns, tile by tile and never all at once: windows of a tile's bordered copy of x,
//! multiplied where they lie, or columns that are written down.

use striate_compute::gemm::{Mat, MatMut, Operand, Packed, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::bordered::{self, Bordered, MIN_SCRATCH, Region, regions};
use super::columns::Source;
use super::output::Tile;
use crate::Geometry;

/// Places of y in a tile, about.
pub(super) const PLACES: usize = 240;
/// Rows of columns that a tile holds at once, about.
const ROWS: usize = 256;
/// Numbers of the columns that are made at once, about.
const COLUMNS: usize = 1 << 17;
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

/// The weights of one group, packed.
pub(super) struct Weights<E: Real>(Packed<E>);

impl<E: Real> Weights<E> {
    /// For w (features, channels, taps) of a group.
    pub(super) fn new(g: &Geometry, w: &[E]) -> Self {
        Weights(Packed::left(Mat::new(w, g.group_features(), g.group_channels() * g.taps())))
    }

    /// y ← β·y + b + x ⋆ w in a tile, for the channels x of its image and group.
    pub(super) fn tile(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        if is_pointwise(g) {
            let (first, cols) = (tile.places.start, tile.places.len());
            let (rows, row_stride) = (g.group_channels(), g.input_size());
            let x = Mat { data: &x[first..], rows, cols, row_stride, col_stride: 1 };
            return tile.product((&self.0).into(), x.into(), beta);
        }
        let narrow = 4 * ((g.kernel[2] - 1) * g.dilation[2] / g.stride[2]) > g.output[2] + 4;
        if narrow || !bordered::supports(g) {
            return self.columns(g, x, beta, tile);
        }
        for region in regions(g, tile.places.clone()) {
            self.region(g, x, &region, beta, tile);
        }
    }

    /// By columns: for lines so short that what lies between windows would cost more.
    fn columns(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        let (rows, features) = (g.group_channels() * g.taps(), g.group_features());
        let step = (COLUMNS / rows).clamp(16, PLACES);
        let pitch = pitch(step);
        let mut columns = Buffer::scratch(rows * pitch);
        let mut sums = Buffer::scratch((features * pitch).max(MIN_SCRATCH));
        for first in tile.places.clone().step_by(step) {
            let places = first..(first + step).min(tile.places.end);
            let cols = places.len();
            Source::new(g, x, places.clone()).columns(0..g.group_channels(), places, pitch, &mut columns);
            let columns =
                Operand::InPlace(Mat { data: &columns, rows, cols, row_stride: pitch, col_stride: 1 });
            gemm_serial(&self.0, columns, E::zero(), MatMut::with_stride(&mut sums, features, cols, pitch));
            let first = first - tile.places.start;
            for (f, sums) in sums.chunks_exact(pitch).take(features).enumerate() {
                tile.write(f, first, cols, &sums[..cols], cols, beta);
            }
        }
    }

    /// The rows of the right factor are windows of the bordered copy: whole lines, with what lies between them.
    fn region(&self, g: &Geometry, x: &[E], region: &Region, beta: E, tile: &mut Tile<E>) {
        let x = Bordered::new(g, x, region, 1);
        let (lines, columns) = (region.lines.len(), region.columns.len());
        let cols = (lines - 1) * x.line + columns;
        let (features, pitch) = (g.group_features(), pitch(cols));
        let mut sums = Buffer::scratch((features * pitch).max(MIN_SCRATCH));
        tile.prefetch();
        let windows = Operand::Rows { data: &x.values, starts: &x.starts, cols };
        gemm_serial(&self.0, windows, E::zero(), MatMut::with_stride(&mut sums, features, cols, pitch));
        let first = region.start(g) - tile.places.start;
        for (f, sums) in sums.chunks_exact(pitch).take(features).enumerate() {
            tile.write(f, first, columns, &sums[..cols], x.line, beta);
        }
    }
}

/// The places of a tile: more of them where the columns are short.
pub(super) fn tile_places(g: &Geometry) -> usize {
    let rows = (g.group_channels() * g.taps()).clamp(1, ROWS);
    let places = PLACES * ROWS / rows.next_power_of_two();
    let (all, width) = (g.output_size(), g.output[2]);
    // Whole lines, when several fit.
    let unit = if !is_pointwise(g) && 2 * width <= places { width } else { 16 };
    all.div_ceil(all.div_ceil(places).max(1)).next_multiple_of(unit)
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
