//! Transforms of weights to frequencies, and of frequencies to the gradient of weights.

use std::array::from_fn;
use std::ops::Range;

use striate_compute::gemm::Mat;
use striate_compute::{Real, isa};

use super::gather::split_by_position;
use super::layout::{LANES, Layout};
use super::transforms::{Lanes, Scheme};
use crate::Geometry;

/// Numbers of a 3×3 kernel.
pub(super) const TAPS: usize = 9;

/// The weights of a convolution of a [`Geometry`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weights<'a, E> {
    /// w (features, channels / groups, 3, 3).
    Direct(&'a [E]),
    /// w (channels, features / groups, 3, 3) of another convolution, whose gradient with respect to its input this
    /// one is: each kernel is rotated by 180°.
    Adjoint(&'a [E]),
}

/// U = G g Gᵀ of some features of a group: element (frequency f, outer o, inner i) at
/// `f * stride + o * pitch + i`, outer and inner as in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spectrum {
    adjoint: bool,
    outer: usize,
    inner: usize,
    pitch: usize,
    stride: usize,
}

impl Spectrum {
    pub(super) fn new<E>(w: &Weights<E>, features: usize, channels: usize) -> Self {
        let adjoint = matches!(w, Weights::Adjoint(_));
        let (outer, inner) = if adjoint { (channels, features) } else { (features, channels) };
        let pitch = inner.next_multiple_of(LANES) + LANES;
        Spectrum { adjoint, outer, inner, pitch, stride: outer * pitch + LANES }
    }

    pub(super) fn len(&self, frequencies: usize) -> usize {
        self.stride * frequencies
    }

    /// (features, channels)
    pub(super) fn matrix<'a, E: Real>(&self, u: &'a [E], frequency: usize) -> Mat<'a, E> {
        let data = &u[frequency * self.stride..];
        let Spectrum { outer, inner, pitch, .. } = *self;
        let mat = Mat { data, rows: outer, cols: inner, row_stride: pitch, col_stride: 1 };
        if self.adjoint { mat.t() } else { mat }
    }

    /// Transforms these features of a group. `scratch` has room for [`scratch_len`](Self::scratch_len) numbers.
    pub(super) fn fill<E: Real, S, const M: usize, const N: usize>(
        &self,
        g: &Geometry,
        w: &Weights<E>,
        group: usize,
        features: Range<usize>,
        scratch: &mut [E],
        u: &mut [E],
    ) where
        S: Scheme<M, N>,
    {
        let (Weights::Direct(w) | Weights::Adjoint(w)) = *w;
        let all = g.group_features() * g.group_channels() * TAPS;
        let w = w[group * all..][..all].as_chunks::<TAPS>().0;
        let (first, step) = if self.adjoint {
            (features.start, g.group_features())
        } else {
            (features.start * self.inner, self.inner)
        };
        let lanes = self.inner.next_multiple_of(LANES);
        for outer in 0..self.outer {
            let w = &w[first + outer * step..][..self.inner];
            let u = &mut u[outer * self.pitch..];
            isa::vectorized_for::<E, _>(
                #[inline(always)]
                || {
                    split_by_position(w, scratch, lanes);
                    for (at, w) in w.iter().enumerate().skip(self.inner / LANES * LANES) {
                        for (tap, &w) in w.iter().enumerate() {
                            scratch[tap * lanes + at] = w;
                        }
                    }
                    spread::<E, S, M, N>(scratch, lanes, self.adjoint, u, self.stride);
                },
            );
        }
    }

    pub(super) fn scratch_len(&self) -> usize {
        TAPS * self.inner.next_multiple_of(LANES)
    }
}

/// G g Gᵀ of kernels by tap, rotated by 180° when asked.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
fn spread<E: Real, S, const M: usize, const N: usize>(
    g: &[E],
    lanes: usize,
    rotated: bool,
    u: &mut [E],
    stride: usize,
) where
    S: Scheme<M, N>,
{
    let taps: [usize; TAPS] = from_fn(|tap| if rotated { TAPS - 1 - tap } else { tap } * lanes);
    for at in (0..lanes).step_by(LANES) {
        let mut columns = [[Lanes::<E, LANES>::default(); N]; 3];
        for (j, column) in columns.iter_mut().enumerate() {
            *column = S::kernel(from_fn(|i| Lanes::load(g, taps[i * 3 + j] + at)));
        }
        for i in 0..N {
            let row = S::kernel(from_fn(|j| columns[j][i]));
            for (j, x) in row.into_iter().enumerate() {
                x.store(u, (i * N + j) * stride + at);
            }
        }
    }
}

/// Where the gradient of weights goes: dw (features, channels, 3, 3) ← β·dw + …
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps<E> {
    pub(super) features: usize,
    pub(super) channels: usize,
    pub(super) beta: E,
}

/// dw ← Gᵀ u G + β·dw, with u (channels × features) by frequency.
pub(super) fn spread_adjoint<E: Real, S, const M: usize, const N: usize>(
    u: &[E],
    layout: Layout,
    to: Taps<E>,
    dw: &mut [E],
) where
    S: Scheme<M, N>,
{
    let Taps { features, channels, beta } = to;
    let dw = dw.as_chunks_mut::<TAPS>().0;
    for channel in 0..channels {
        let u = &u[channel * layout.pitch..];
        for first in (0..features).step_by(LANES) {
            let mut taps = [[E::zero(); LANES]; TAPS];
            isa::vectorized_for::<E, _>(
                #[inline(always)]
                || {
                    let mut columns = [[Lanes::<E, LANES>::default(); 3]; N];
                    for (j, column) in columns.iter_mut().enumerate() {
                        *column = S::kernel_adjoint(from_fn(|i| {
                            Lanes::load(u, (i * N + j) * layout.stride + first)
                        }));
                    }
                    for i in 0..3 {
                        let row = S::kernel_adjoint(from_fn(|j| columns[j][i]));
                        for (j, x) in row.into_iter().enumerate() {
                            x.store(&mut taps[i * 3 + j], 0);
                        }
                    }
                },
            );
            for feature in first..features.min(first + LANES) {
                let dw = &mut dw[feature * channels + channel];
                for (dw, taps) in dw.iter_mut().zip(&taps) {
                    let old = if beta == E::zero() { E::zero() } else { beta * *dw };
                    *dw = old + taps[feature - first];
                }
            }
        }
    }
}
