//! dw ← Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G, the adjoint of the forward algorithm step by step.

use std::ops::Range;

use striate_compute::gemm::{Operand, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::blocks::{Gather, Layout, OutputAdjoint, Rows, overhang};
use super::forward::{output_frame, transform_input};
use super::kernels::{TAPS, Taps, spread_adjoint};
use super::tiles::Tiles;
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

/// Bytes of the scratch of all tasks, or of both factors, transformed.
const BYTES: usize = 24 << 20;
/// Stretches of tiles that are worth cutting a gradient by them alone.
const MANY: usize = 4;

impl<E: Real> WeightGradient<'_, E> {
    pub(super) fn run<S, const M: usize, const N: usize>(&self, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let (k, c) = (self.g.group_features(), self.g.group_channels());
        let block = self.tiles.block(112);
        let gradient = Layout::new(c, k).len(N * N);
        let factors = self.factors::<N>(block, k);
        let task = gradient + factors.0.len(N * N) + factors.1.len(N * N) + k * c * TAPS;
        let stretches =
            (BYTES / size_of::<E>() / task).min(self.tiles.segments().div_ceil(2 * block)).min(14);
        if stretches >= MANY {
            self.by_stretches::<S, M, N>(block, stretches, dw);
        } else {
            self.by_features::<S, M, N>(dw);
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
                self.transform::<S, M, N>(segments, group, (v_layout, &mut v), (m_layout, &mut m), &mut rows);
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

    /// Both factors are transformed first, as much of them as fits; then every task takes some features.
    fn by_features<S, const M: usize, const N: usize>(&self, dw: &mut [E])
    where
        S: Scheme<M, N>,
    {
        let WeightGradient { g, tiles, .. } = self;
        let (k, c) = (g.group_features(), g.group_channels());
        let block = tiles.block(112).min(tiles.segments());
        let (v_layout, m_layout) = self.factors::<N>(block, k);
        let len = v_layout.len(N * N) + m_layout.len(N * N);
        let all = (len * size_of::<E>() * tiles.segments().div_ceil(block)).div_ceil(BYTES);
        let stretches = tiles.stretches(all);
        let longest = stretches.iter().map(Range::len).max().unwrap_or(0).div_ceil(block);
        let mut factors = Buffer::scratch(len * longest * g.groups);
        let chunk = k.min(64);
        let mut parts: Vec<(usize, usize, &mut [E])> = Vec::new();
        for (group, dw) in dw.chunks_exact_mut(k * c * TAPS).enumerate() {
            let chunks = dw.chunks_mut(chunk * c * TAPS).enumerate();
            parts.extend(chunks.map(|(i, dw)| (group, i * chunk, dw)));
        }
        for (s, stretch) in stretches.iter().enumerate() {
            let beta = if s == 0 { self.beta } else { E::one() };
            let blocks = stretch.len().div_ceil(block);
            let segments = |i: usize| {
                let first = stretch.start + i * block;
                first..(first + block).min(stretch.end)
            };
            par::pieces_mut(&mut factors[..len * blocks * g.groups], len, |i, factors| {
                let mut rows = Rows::new(tiles, block);
                let (v, m) = factors.split_at_mut(v_layout.len(N * N));
                self.transform::<S, M, N>(
                    segments(i % blocks),
                    i / blocks,
                    (v_layout, v),
                    (m_layout, m),
                    &mut rows,
                );
            });
            par::pieces_mut(&mut parts, 1, |_, part| {
                let (group, first, dw) = &mut part[0];
                let features = dw.len() / (c * TAPS);
                let u_layout = Layout::new(c, features);
                let mut u = Buffer::scratch(u_layout.len(N * N));
                for f in 0..N * N {
                    for i in 0..blocks {
                        let columns = segments(i).len() * tiles.width;
                        let (v, m) =
                            factors[(*group * blocks + i) * len..][..len].split_at(v_layout.len(N * N));
                        let v = v_layout.matrix(v, f, columns);
                        let mut m = m_layout.matrix(&m[*first * m_layout.pitch..], f, columns);
                        m.rows = features;
                        let beta = if i == 0 { E::zero() } else { E::one() };
                        let u = u_layout.matrix_mut(&mut u, f, features);
                        gemm_serial(Operand::InPlace(v), m.t(), beta, u);
                    }
                }
                spread_adjoint::<E, S, M, N>(&u, u_layout, Taps { features, channels: c, beta }, dw);
            });
        }
    }

    /// Bᵀ d B and A dy Aᵀ of a block, for a group.
    fn transform<S, const M: usize, const N: usize>(
        &self,
        segments: Range<usize>,
        group: usize,
        (v_layout, v): (Layout, &mut [E]),
        (m_layout, m): (Layout, &mut [E]),
        rows: &mut Rows<E>,
    ) where
        S: Scheme<M, N>,
    {
        let WeightGradient { g, tiles, x, dy, .. } = self;
        transform_input::<E, S, M, N>(g, tiles, x, segments.clone(), group, v_layout, rows, v);
        let gather = Gather::new(tiles, &output_frame(g, tiles), segments);
        for feature in 0..m_layout.channels {
            let first = group * m_layout.channels + feature;
            let plane =
                |image: usize| &dy[(image * g.features + first) * g.output_size()..][..g.output_size()];
            let m = &mut m[feature * m_layout.pitch..];
            gather.run::<E, OutputAdjoint<S>, M, M, N>(plane, g.output[2], rows, m, m_layout.stride);
        }
    }
}
