//! dw ← Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G, the adjoint of the forward algorithm step by step.

use std::ops::Range;

use striate_compute::gemm::{Mat, MatMut, Operand, Packed, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::blocks::{Gather, LANES, Layout, OutputAdjoint, Rows, overhang};
use super::forward::{output_frame, transform_input};
use super::kernels::{TAPS, Taps, spread_adjoint};
use super::tiles::{BLOCK, Tiles};
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

/// Bytes of the scratch of all tasks that take some tiles each; and of both factors and of their products when tasks
/// take a frequency each.
const STRETCHES: usize = 28 << 20;
const FACTORS: usize = 20 << 20;
const PRODUCTS: usize = 10 << 20;
/// Tiles of a block and channels of a chunk when tasks take a frequency each.
const LONG_BLOCK: usize = 256;
const CHUNK: usize = 64;
/// How many tasks are worth cutting tiles for, and how many are enough.
const MANY: usize = 4;
const MOST: usize = 14;

impl<E: Real> WeightGradient<'_, E> {
    pub(super) fn run<S, const M: usize, const N: usize>(&self, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let (k, c) = (self.g.group_features(), self.g.group_channels());
        let stretches = |block: usize| {
            let (v, m) = self.factors::<N>(block, k);
            let task = Layout::new(c, k).len(N * N) + v.len(N * N) + m.len(N * N) + k * c * TAPS;
            (STRETCHES / size_of::<E>() / task).min(self.tiles.segments() / block).min(MOST)
        };
        let block = self.tiles.block(BLOCK);
        let halves = self.tiles.block(BLOCK / 2);
        if stretches(block) * self.g.groups >= MANY {
            self.by_stretches::<S, M, N>(block, stretches(block), dw);
        } else if stretches(halves) * self.g.groups >= MANY {
            self.by_stretches::<S, M, N>(halves, stretches(halves), dw);
        } else {
            self.by_frequencies::<S, M, N>(dw);
        }
    }

    /// Bᵀ d B and A dy Aᵀ of a block.
    fn factors<const N: usize>(&self, block: usize, features: usize) -> (Layout, Layout) {
        let columns = block * self.tiles.width;
        let v = Layout::new(self.g.group_channels(), columns + overhang(self.tiles.width));
        (v, Layout::new(features, columns + overhang(self.tiles.width)))
    }

    /// Every task takes some tiles through all steps; their gradients are added in order.
    fn by_stretches<S, const M: usize, const N: usize>(&self, block: usize, stretches: usize, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let WeightGradient { g, tiles, .. } = self;
        let (k, c) = (g.group_features(), g.group_channels());
        let (v_layout, m_layout) = self.factors::<N>(block, k);
        let u_layout = Layout::new(c, k);
        let stretches = tiles.stretches(stretches);
        let mut parts = Buffer::scratch(stretches.len() * dw.len());
        par::pieces_mut(&mut parts, k * c * TAPS, |i, part| {
            let (segments, group) = (&stretches[i / g.groups], i % g.groups);
            let mut u = Buffer::scratch(u_layout.len(N * N));
            let mut v = Buffer::scratch(v_layout.len(N * N));
            let mut m = Buffer::scratch(m_layout.len(N * N));
            let mut rows = Rows::new(tiles, block);
            for first in segments.clone().step_by(block) {
                let beta = if first == segments.start { E::zero() } else { E::one() };
                let segments = first..(first + block).min(segments.end);
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
        let block = (LONG_BLOCK / tiles.width).clamp(1, tiles.segments());
        let layout = Layout::new(CHUNK, block * tiles.width + overhang(tiles.width));
        let len = layout.len(N * N);
        let (v_chunks, m_chunks) = (c.div_ceil(CHUNK), k.div_ceil(CHUNK));
        let chunks = v_chunks + m_chunks;
        let bytes = len * chunks * size_of::<E>() * tiles.segments().div_ceil(block);
        let stretches = tiles.stretches(bytes.div_ceil(FACTORS));
        let longest = stretches.iter().map(Range::len).max().unwrap_or(0).div_ceil(block);
        let mut factors = Buffer::scratch(len * chunks * longest);

        let pass = (PRODUCTS / size_of::<E>() / Layout::new(c, CHUNK).len(N * N)).max(1) * CHUNK;
        let u_layout = Layout::new(c, pass.min(k));
        let mut u = Buffer::scratch(u_layout.len(N * N));
        for (group, dw) in dw.chunks_exact_mut(k * c * TAPS).enumerate() {
            for (s, stretch) in stretches.iter().enumerate() {
                let beta = if s == 0 { self.beta } else { E::one() };
                let blocks = stretch.len().div_ceil(block);
                let segments = |i: usize| {
                    let first = stretch.start + i * block;
                    first..(first + block).min(stretch.end)
                };
                par::pieces_mut(&mut factors[..len * chunks * blocks], len, |i, factor| {
                    let (i, chunk) = (i / chunks, i % chunks);
                    let mut rows = Rows::new(tiles, block);
                    if chunk < v_chunks {
                        let channels = part(c, chunk, group);
                        self.input::<S, M, N>(segments(i), channels, layout, &mut rows, factor);
                    } else {
                        let features = part(k, chunk - v_chunks, group);
                        self.output::<S, M, N>(segments(i), features, layout, &mut rows, factor);
                    }
                });
                let factor = |f: usize, i: usize, chunk: usize, rows: usize| {
                    let data = &factors[(i * chunks + chunk) * len..];
                    Mat { rows, ..layout.matrix(data, f, segments(i).len() * tiles.width) }
                };
                for (p, dw) in dw.chunks_mut(pass * c * TAPS).enumerate() {
                    let features = dw.len() / (c * TAPS);
                    par::pieces_mut(&mut u, u_layout.stride, |f, u| {
                        for (i, j) in
                            (0..blocks).flat_map(|i| (0..features.div_ceil(CHUNK)).map(move |j| (i, j)))
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
