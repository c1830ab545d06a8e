//! dw ← Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G, the adjoint of the forward algorithm step by step.

use std::ops::Range;

use striate_compute::gemm::{Mat, MatMut, Operand, Packed, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::forward::{output_frame, transform_input};
use super::gather::{Gather, OutputAdjoint};
use super::kernels::{TAPS, Taps, spread_adjoint};
use super::layout::{LANES, Layout, Rows};
use super::tiles::{SHRINK, Tiles, blocks};
use super::transforms::Scheme;
use crate::Geometry;

/// A gradient to compute.
pub(super) struct WeightGradient<'a, E> {
    pub(super) g: &'a Geometry,
    pub(super) tiles: Tiles,
    pub(super) x: &'a [E],
    pub(super) dy: &'a [E],
    pub(super) beta: E,
}

/// Bytes of the scratch of all tasks that take some tiles each; of both factors, and of their products, when tasks
/// take a frequency each.
const STRETCHES: usize = (28 << 20) / SHRINK;
const FACTORS: usize = (20 << 20) / SHRINK;
const PRODUCTS: usize = (10 << 20) / SHRINK;
/// Tiles of a block and channels of a chunk when tasks take a frequency each.
const LONG_BLOCK: usize = 256;
const CHUNK: usize = 64;

impl<E: Real> WeightGradient<'_, E> {
    pub(super) fn run<S, const M: usize, const N: usize>(&self, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let (k, c) = (self.g.group_features(), self.g.group_channels());
        let gradient = Layout::new(c, k).len(N * N) + k * c * TAPS;
        let task = |columns: usize| (Layout::new(k + c, columns).len(N * N) + gradient) * size_of::<E>();
        match self.tiles.cut(task, STRETCHES, self.g.groups) {
            Some((block, count)) => self.by_stretches::<S, M, N>(block, count, dw),
            None => self.by_frequencies::<S, M, N>(dw),
        }
    }

    /// Every task takes some tiles through all steps; their gradients are added in order.
    fn by_stretches<S, const M: usize, const N: usize>(&self, block: usize, count: usize, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let WeightGradient { g, tiles, .. } = self;
        let (k, c) = (g.group_features(), g.group_channels());
        let columns = block * tiles.width;
        let (v_layout, m_layout, u_layout) =
            (Layout::new(c, columns), Layout::new(k, columns), Layout::new(c, k));
        let stretches = tiles.stretches(count);
        let mut parts = Buffer::scratch(stretches.len() * dw.len());
        par::pieces_mut(&mut parts, k * c * TAPS, |i, part| {
            let (segments, group) = (&stretches[i / g.groups], i % g.groups);
            let mut u = Buffer::scratch(u_layout.len(N * N));
            let mut v = Buffer::scratch(v_layout.len(N * N));
            let mut m = Buffer::scratch(m_layout.len(N * N));
            let mut rows = Rows::new(tiles, block);
            for (i, segments) in blocks(segments, block).into_iter().enumerate() {
                let beta = if i == 0 { E::zero() } else { E::one() };
                let columns = segments.len() * tiles.width;
                let (channels, features) = (group * c..(group + 1) * c, group * k..(group + 1) * k);
                self.input::<S, M, N>(segments.clone(), channels, v_layout, &mut rows, &mut v);
                self.output::<S, M, N>(segments, features, m_layout, &mut rows, &mut m);
                for f in 0..N * N {
                    let v = v_layout.matrix(&v, f, columns);
                    let m = m_layout.matrix(&m, f, columns);
                    gemm_serial(Operand::InPlace(v), m.t(), beta, u_layout.matrix_mut(&mut u, f, k));
                }
            }
            let taps = Taps { features: k, channels: c, beta: E::zero() };
            spread_adjoint::<E, S, M, N>(&u, u_layout, taps, part);
        });
        let len = dw.len();
        par::pieces_mut(dw, par::PIECE, |i, dw| {
            let first = i * par::PIECE;
            for (stretch, part) in parts.chunks_exact(len).enumerate() {
                let part = &part[first..][..dw.len()];
                match stretch {
                    0 if self.beta == E::zero() => dw.copy_from_slice(part),
                    0 => dw.iter_mut().zip(part).for_each(|(dw, &part)| *dw = self.beta * *dw + part),
                    _ => dw.iter_mut().zip(part).for_each(|(dw, &part)| *dw += part),
                }
            }
        });
    }

    /// Both factors are transformed first, as much of them as fits; then every task takes a frequency.
    fn by_frequencies<S, const M: usize, const N: usize>(&self, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let WeightGradient { g, tiles, .. } = self;
        let (k, c) = (g.group_features(), g.group_channels());
        // Both factors lie by block of tiles, then by chunk of channels, then by frequency.
        let (v_chunks, m_chunks) = (c.div_ceil(CHUNK), k.div_ceil(CHUNK));
        let chunks = v_chunks + m_chunks;
        let tile = CHUNK * chunks * N * N * size_of::<E>();
        let block = tiles.block((FACTORS / tile).min(LONG_BLOCK));
        let layout = Layout::new(CHUNK, block * tiles.width);
        let len = layout.len(N * N);
        let stretches = tiles.stretches((tiles.count() * tile).div_ceil(FACTORS));
        let most = stretches.iter().map(|stretch| stretch.len().div_ceil(block)).max().unwrap_or(0);
        let mut factors = Buffer::scratch(len * chunks * most);

        let pass = (PRODUCTS / size_of::<E>() / Layout::new(c, CHUNK).len(N * N)).max(1) * CHUNK;
        let u_layout = Layout::new(c, pass.min(k));
        let mut u = Buffer::scratch(u_layout.len(N * N));
        for (group, dw) in dw.chunks_exact_mut(k * c * TAPS).enumerate() {
            for (s, stretch) in stretches.iter().enumerate() {
                let beta = if s == 0 { self.beta } else { E::one() };
                let blocks = blocks(stretch, block);
                par::pieces_mut(&mut factors[..len * chunks * blocks.len()], len, |i, factor| {
                    let (segments, chunk) = (blocks[i / chunks].clone(), i % chunks);
                    let mut rows = Rows::new(tiles, block);
                    if chunk < v_chunks {
                        let channels = part(c, chunk, group);
                        self.input::<S, M, N>(segments, channels, layout, &mut rows, factor);
                    } else {
                        let features = part(k, chunk - v_chunks, group);
                        self.output::<S, M, N>(segments, features, layout, &mut rows, factor);
                    }
                });
                let factor = |f: usize, i: usize, chunk: usize, rows: usize| {
                    let data = &factors[(i * chunks + chunk) * len..];
                    Mat { rows, ..layout.matrix(data, f, blocks[i].len() * tiles.width) }
                };
                for (p, dw) in dw.chunks_mut(pass * c * TAPS).enumerate() {
                    let features = dw.len() / (c * TAPS);
                    par::pieces_mut(&mut u, u_layout.stride, |f, u| {
                        for (i, j) in
                            (0..blocks.len()).flat_map(|i| (0..features.div_ceil(CHUNK)).map(move |j| (i, j)))
                        {
                            let beta = if i == 0 { E::zero() } else { E::one() };
                            let columns = part(features, j, 0).len();
                            let m = factor(f, i, v_chunks + p * pass / CHUNK + j, columns);
                            let m = Packed::right(m.t());
                            for chunk in 0..v_chunks {
                                let v = factor(f, i, chunk, part(c, chunk, 0).len());
                                let u = &mut u[chunk * CHUNK * u_layout.pitch + j * CHUNK..];
                                let u = MatMut::with_stride(u, v.rows, columns, u_layout.pitch);
                                gemm_serial(Operand::InPlace(v), &m, beta, u);
                            }
                        }
                    });
                    par::pieces_mut(dw, LANES * c * TAPS, |i, dw| {
                        let taps = Taps { features: dw.len() / (c * TAPS), channels: c, beta };
                        spread_adjoint::<E, S, M, N>(&u[i * LANES..], u_layout, taps, dw);
                    });
                }
            }
        }
    }

    /// Bᵀ d B of a block, for some channels of x.
    fn input<S, const M: usize, const N: usize>(
        &self,
        segments: Range<usize>,
        channels: Range<usize>,
        layout: Layout,
        rows: &mut Rows<E>,
        v: &mut [E],
    ) where
        S: Scheme<M, N>,
    {
        transform_input::<E, S, M, N>(self.g, &self.tiles, self.x, segments, channels, layout, rows, v);
    }

    /// A dy Aᵀ of a block, for some channels of dy.
    fn output<S, const M: usize, const N: usize>(
        &self,
        segments: Range<usize>,
        features: Range<usize>,
        layout: Layout,
        rows: &mut Rows<E>,
        m: &mut [E],
    ) where
        S: Scheme<M, N>,
    {
        let WeightGradient { g, tiles, dy, .. } = self;
        let gather = Gather::new(tiles, &output_frame(g, tiles), segments);
        let layout = Layout { channels: features.len(), ..layout };
        let size = g.output_size();
        let plane = |image: usize, feature: usize| {
            &dy[(image * g.features + features.start + feature) * size..][..size]
        };
        gather.run::<E, OutputAdjoint<S>, M, M, N>(plane, g.output[2], rows, layout, m);
    }
}

/// The channels of a chunk of a group of `size` channels.
fn part(size: usize, chunk: usize, group: usize) -> Range<usize> {
    group * size + chunk * CHUNK..group * size + ((chunk + 1) * CHUNK).min(size)
}
