//! y ← Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A: the products by frequency are matrix products over channels.

use std::ops::Range;

use striate_compute::gemm::{Operand, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::gather::{Gather, Input};
use super::kernels::{Spectrum, Weights};
use super::layout::{LANES, Layout, Rows};
use super::scatter::{Planes, Scatter};
use super::tiles::{BLOCK, Frame, SHRINK, Tiles, blocks};
use super::transforms::Scheme;
use crate::Geometry;

/// A convolution to compute.
pub(super) struct Forward<'a, E> {
    pub(super) g: &'a Geometry,
    pub(super) tiles: Tiles,
    pub(super) x: &'a [E],
    pub(super) w: Weights<'a, E>,
    pub(super) bias: Option<&'a [E]>,
    pub(super) beta: E,
}

/// The frame of a segment in x.
pub(super) fn input_frame(g: &Geometry, tiles: &Tiles) -> Frame {
    let size = [g.input[1], g.input[2]];
    let padding = [g.padding[1], g.padding[2]];
    Frame { size, padding, rows: tiles.m + 2, columns: (tiles.width + 1) * tiles.m }
}

/// The frame of a segment in y.
pub(super) fn output_frame(g: &Geometry, tiles: &Tiles) -> Frame {
    let size = [g.output[1], g.output[2]];
    Frame { size, padding: [0, 0], rows: tiles.m, columns: tiles.width * tiles.m }
}

/// Bytes of all transformed weights that are kept at once, and of the scratch of all tasks, when tasks take some tiles
/// each; of the transformed input, and of a task's transformed weights, when they take some features each.
const ALL_WEIGHTS: usize = (8 << 20) / SHRINK;
const STRETCHES: usize = (32 << 20) / SHRINK;
const INPUT: usize = (16 << 20) / SHRINK;
const WEIGHTS: usize = (5 << 20) / SHRINK;

impl<E: Real> Forward<'_, E> {
    pub(super) fn run<S, const M: usize, const N: usize>(&self, y: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let (k, c) = (self.g.group_features(), self.g.group_channels());
        let weights = Spectrum::new(&self.w, k, c).len(N * N) * self.g.groups * size_of::<E>();
        let task = |columns: usize| Layout::new(k + c, columns).len(N * N) * size_of::<E>();
        match self.tiles.cut(task, STRETCHES, self.g.groups) {
            Some((block, count)) if weights <= ALL_WEIGHTS => self.by_stretches::<S, M, N>(block, count, y),
            _ => self.by_features::<S, M, N>(y),
        }
    }

    /// Every task takes some tiles through all three steps; the weights are transformed before.
    fn by_stretches<S, const M: usize, const N: usize>(&self, block: usize, count: usize, y: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let Forward { g, tiles, w, .. } = self;
        let (k, c) = (g.group_features(), g.group_channels());
        let spectrum = Spectrum::new(w, k, c);
        let mut u = Buffer::scratch(spectrum.len(N * N) * g.groups);
        par::pieces_mut(&mut u, spectrum.len(N * N), |group, u| {
            let mut scratch = Buffer::scratch(spectrum.scratch_len());
            spectrum.fill::<E, S, M, N>(g, w, group, 0..k, &mut scratch, u);
        });

        let columns = block * tiles.width;
        let (v_layout, m_layout) = (Layout::new(c, columns), Layout::new(k, columns));
        let stretches = tiles.stretches(count);
        let mut tasks = self.tasks(&stretches, k, y);
        par::pieces_mut(&mut tasks, 1, |_, task| {
            let Task { segments, group, planes, .. } = &mut task[0];
            let mut v = Buffer::scratch(v_layout.len(N * N));
            let mut m = Buffer::scratch(m_layout.len(N * N));
            let mut rows = Rows::new(tiles, block);
            let u = &u[*group * spectrum.len(N * N)..];
            for segments in blocks(segments, block) {
                self.input::<S, M, N>(segments.clone(), *group, v_layout, &mut rows, &mut v);
                for f in 0..N * N {
                    let columns = segments.len() * tiles.width;
                    let v = v_layout.matrix(&v, f, columns);
                    let m = m_layout.matrix_mut(&mut m, f, columns);
                    gemm_serial(Operand::InPlace(spectrum.matrix(u, f)), Operand::InPlace(v), E::zero(), m);
                }
                self.output::<S, M, N>(segments, *group * k, m_layout, &m, &mut rows, planes);
            }
        });
    }

    /// The input is transformed first, as much of it as fits; then every task takes some features.
    fn by_features<S, const M: usize, const N: usize>(&self, y: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let Forward { g, tiles, w, .. } = self;
        let (k, c) = (g.group_features(), g.group_channels());
        let tile = g.channels.max(1) * N * N * size_of::<E>();
        let even = tiles.count().div_ceil(tiles.count().div_ceil(BLOCK).next_multiple_of(2));
        let block = tiles.block(even.min(INPUT / tile));
        let columns = block * tiles.width;
        let v_layout = Layout::new(c, columns);
        let v_len = v_layout.len(N * N);
        let stretches = tiles.stretches((tiles.count() * tile).div_ceil(INPUT));
        let most = stretches.iter().map(|stretch| stretch.len().div_ceil(block)).max().unwrap_or(0);
        let mut v = Buffer::scratch(v_len * most * g.groups);

        let affordable = WEIGHTS / (Spectrum::new(w, LANES, c).len(N * N) * size_of::<E>()) * LANES;
        let chunk = (k / 4).next_multiple_of(LANES).min(affordable).clamp(LANES, 32).min(k);
        let chunks = g.groups * k.div_ceil(chunk);
        let mut tasks = self.tasks(&stretches, chunk, y);
        for (stretch, tasks) in stretches.iter().zip(tasks.chunks_exact_mut(chunks)) {
            let blocks = blocks(stretch, block);
            par::pieces_mut(&mut v[..blocks.len() * g.groups * v_len], v_len, |i, v| {
                let (group, segments) = (i / blocks.len(), blocks[i % blocks.len()].clone());
                self.input::<S, M, N>(segments, group, v_layout, &mut Rows::new(tiles, block), v);
            });
            par::pieces_mut(tasks, 1, |_, task| {
                let Task { group, features, planes, .. } = &mut task[0];
                let spectrum = Spectrum::new(w, features.len(), c);
                let m_layout = Layout::new(features.len(), columns);
                let mut u = Buffer::scratch(spectrum.len(N * N));
                let mut scratch = Buffer::scratch(spectrum.scratch_len());
                let mut m = Buffer::scratch(m_layout.len(N * N));
                let mut rows = Rows::new(tiles, block);
                spectrum.fill::<E, S, M, N>(g, w, *group, features.clone(), &mut scratch, &mut u);
                for (i, segments) in blocks.iter().enumerate() {
                    let v = &v[(*group * blocks.len() + i) * v_len..][..v_len];
                    let columns = segments.len() * tiles.width;
                    for f in 0..N * N {
                        let v = v_layout.matrix(v, f, columns);
                        let m = m_layout.matrix_mut(&mut m, f, columns);
                        gemm_serial(
                            Operand::InPlace(spectrum.matrix(&u, f)),
                            Operand::InPlace(v),
                            E::zero(),
                            m,
                        );
                    }
                    self.output::<S, M, N>(
                        segments.clone(),
                        *group * k + features.start,
                        m_layout,
                        &m,
                        &mut rows,
                        planes,
                    );
                }
            });
        }
    }

    /// V ← Bᵀ d B for all channels of a group.
    fn input<S, const M: usize, const N: usize>(
        &self,
        segments: Range<usize>,
        group: usize,
        layout: Layout,
        rows: &mut Rows<E>,
        v: &mut [E],
    ) where
        S: Scheme<M, N>,
    {
        let channels = group * layout.channels..(group + 1) * layout.channels;
        transform_input::<E, S, M, N>(self.g, &self.tiles, self.x, segments, channels, layout, rows, v);
    }

    /// y ← Aᵀ m A + bias + β·y for the features from `first` on.
    fn output<S, const M: usize, const N: usize>(
        &self,
        segments: Range<usize>,
        first: usize,
        layout: Layout,
        m: &[E],
        rows: &mut Rows<E>,
        planes: &mut Planes<E>,
    ) where
        S: Scheme<M, N>,
    {
        let scatter = Scatter::new(&self.tiles, &output_frame(self.g, &self.tiles), segments);
        for feature in 0..planes.features {
            let bias = self.bias.map_or(E::zero(), |bias| bias[first + feature]);
            let m = &m[feature * layout.pitch..];
            scatter.run::<E, S, M, N>(m, layout.stride, rows, bias, self.beta, planes, feature);
        }
    }

    /// Cuts y: by stretch, then by group, then by `chunk` features.
    fn tasks<'y>(&self, stretches: &[Range<usize>], chunk: usize, y: &'y mut [E]) -> Vec<Task<'y, E>> {
        let g = self.g;
        let k = g.group_features();
        let row_length = g.output[2];
        let chunks = k.div_ceil(chunk);
        let mut tasks = Vec::with_capacity(stretches.len() * g.groups * chunks);
        for segments in stretches {
            let first_image = self.tiles.stretch_rows(segments).next().map_or(0, |(image, _)| image);
            for group in 0..g.groups {
                for first in (0..k).step_by(chunk) {
                    let features = first..(first + chunk).min(k);
                    let planes = Planes::new(first_image, features.len(), row_length);
                    tasks.push(Task { segments: segments.clone(), group, features, planes });
                }
            }
        }
        let mut planes: Vec<&mut [E]> = y.chunks_exact_mut(g.output_size()).collect();
        for (i, segments) in stretches.iter().enumerate() {
            for (image, rows) in self.tiles.stretch_rows(segments) {
                for (feature, plane) in planes[image * g.features..][..g.features].iter_mut().enumerate() {
                    let (part, rest) = std::mem::take(plane).split_at_mut(rows.len() * row_length);
                    *plane = rest;
                    let task = i * g.groups * chunks + feature / k * chunks + feature % k / chunk;
                    tasks[task].planes.push(rows.start, part);
                }
            }
        }
        tasks
    }
}

/// V ← Bᵀ d B for some channels of x.
#[expect(clippy::too_many_arguments, reason = "the numbers of the equation and where they lie")]
pub(super) fn transform_input<E: Real, S, const M: usize, const N: usize>(
    g: &Geometry,
    tiles: &Tiles,
    x: &[E],
    segments: Range<usize>,
    channels: Range<usize>,
    layout: Layout,
    rows: &mut Rows<E>,
    v: &mut [E],
) where
    S: Scheme<M, N>,
{
    let gather = Gather::new(tiles, &input_frame(g, tiles), segments);
    let layout = Layout { channels: channels.len(), ..layout };
    let size = g.input_size();
    let plane =
        |image: usize, channel: usize| &x[(image * g.channels + channels.start + channel) * size..][..size];
    gather.run::<E, Input<S>, M, N, N>(plane, g.input[2], rows, layout, v);
}

/// What a task writes.
struct Task<'y, E> {
    segments: Range<usize>,
    group: usize,
    /// Within the group.
    features: Range<usize>,
    planes: Planes<'y, E>,
}
