//! From planes to frequencies: the tiles of a block, one channel at a time.
//!
//! The transform down the columns comes first: it runs along contiguous rows. Then rows are split by position in the
//! tile, so that neighbouring lanes are neighbouring tiles.

use std::array::from_fn;
use std::marker::PhantomData;
use std::ops::Range;

use striate_compute::{Real, isa};

use super::layout::{LANES, Layout, Rows};
use super::tiles::{Frame, Patch, Tiles};
use super::transforms::{Lanes, Scheme};

/// Neighbouring tiles that are transformed at once.
fn lanes(width: usize) -> usize {
    match width {
        0..=4 => 4,
        5..=8 => 8,
        _ => LANES,
    }
}

/// A transform from R numbers to N along one axis of a tile of M outputs.
pub(super) trait Spread<const M: usize, const R: usize, const N: usize> {
    fn apply<E: Real, const W: usize>(x: [Lanes<E, W>; R]) -> [Lanes<E, W>; N];
}

/// Bᵀ d B
pub(super) struct Input<S>(PhantomData<S>);

impl<S: Scheme<M, N>, const M: usize, const N: usize> Spread<M, N, N> for Input<S> {
    #[inline(always)]
    fn apply<E: Real, const W: usize>(x: [Lanes<E, W>; N]) -> [Lanes<E, W>; N] {
        S::input(x)
    }
}

/// A y Aᵀ
pub(super) struct OutputAdjoint<S>(PhantomData<S>);

impl<S: Scheme<M, N>, const M: usize, const N: usize> Spread<M, M, N> for OutputAdjoint<S> {
    #[inline(always)]
    fn apply<E: Real, const W: usize>(x: [Lanes<E, W>; M]) -> [Lanes<E, W>; N] {
        S::output_adjoint(x)
    }
}

/// The segments of a block.
pub(super) struct Gather<'a> {
    tiles: &'a Tiles,
    patches: Vec<Patch>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(tiles: &'a Tiles, frame: &Frame, segments: Range<usize>) -> Self {
        Gather { tiles, patches: segments.map(|segment| frame.patch(tiles, segment)).collect() }
    }

    /// Writes the tiles of all channels of `layout`; `plane(image, channel)` is one channel of an image.
    pub(super) fn run<'x, E: Real, T, const M: usize, const R: usize, const N: usize>(
        &self,
        plane: impl Fn(usize, usize) -> &'x [E],
        row_length: usize,
        scratch: &mut Rows<E>,
        layout: Layout,
        v: &mut [E],
    ) where
        T: Spread<M, R, N>,
    {
        let width = self.tiles.width;
        let run = width + usize::from(R > M);
        let shape = [self.patches.len(), width, run];
        let count = (self.patches.len() * run).next_multiple_of(LANES);
        let (split_pitch, pitch) = (count + LANES, count * M);
        let split = &mut scratch.split[..split_pitch * M];
        let rows = &mut scratch.rows[..pitch * N];
        // Columns outside a plane stay zero through all channels, rows are overwritten.
        rows.fill(E::zero());
        for channel in 0..layout.channels {
            for (i, row) in rows.chunks_exact_mut(pitch).take(R).enumerate() {
                for (patch, row) in self.patches.iter().zip(row.chunks_exact_mut(run * M)) {
                    patch.copy_row(i, plane(patch.image, channel), row_length, row);
                }
            }
            let v = &mut v[channel * layout.pitch..];
            isa::vectorized_for::<E, _>(
                #[inline(always)]
                || {
                    spread_columns::<E, T, M, R, N>(rows, pitch);
                    for (i, row) in rows.chunks_exact(pitch).enumerate() {
                        split_by_position(row.as_chunks::<M>().0, split, split_pitch);
                        let v = &mut v[i * N * layout.stride..];
                        match lanes(width) {
                            4 => spread_rows::<E, T, 4, M, R, N>(split, split_pitch, shape, v, layout.stride),
                            8 => spread_rows::<E, T, 8, M, R, N>(split, split_pitch, shape, v, layout.stride),
                            _ => spread_rows::<E, T, LANES, M, R, N>(
                                split,
                                split_pitch,
                                shape,
                                v,
                                layout.stride,
                            ),
                        }
                    }
                },
            );
        }
    }
}

impl Patch {
    /// Writes row `i` of the frame where it lies in the plane; a row outside it is zero.
    #[inline(always)]
    fn copy_row<E: Real>(&self, i: usize, plane: &[E], row_length: usize, row: &mut [E]) {
        if !self.rows.contains(&i) {
            return row.fill(E::zero());
        }
        let row = &mut row[self.columns.clone()];
        let plane = &plane[(self.row + (i - self.rows.start) * self.row_step) * row_length + self.column..];
        match self.column_step {
            1 => row.copy_from_slice(&plane[..row.len()]),
            step => row.iter_mut().zip(plane.iter().step_by(step)).for_each(|(y, &x)| *y = x),
        }
    }
}

/// The transform down the columns, in place: R rows become N.
#[inline(always)]
fn spread_columns<E: Real, T, const M: usize, const R: usize, const N: usize>(rows: &mut [E], pitch: usize)
where
    T: Spread<M, R, N>,
{
    let rows = &mut rows[..pitch * N];
    for at in (0..pitch).step_by(LANES) {
        let y = T::apply::<E, LANES>(from_fn(|i| Lanes::load(rows, i * pitch + at)));
        for (i, y) in y.into_iter().enumerate() {
            y.store(rows, i * pitch + at);
        }
    }
}

/// `split[j * pitch + u] = row[u][j]` for whole blocks of lanes. Blocks of fixed size compile to shuffles.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
pub(super) fn split_by_position<E: Real, const M: usize>(row: &[[E; M]], split: &mut [E], pitch: usize) {
    for (block, row) in row.as_chunks::<LANES>().0.iter().enumerate() {
        for j in 0..M {
            Lanes::<E, LANES>::new(|l| row[l][j]).store(split, j * pitch + block * LANES);
        }
    }
}

/// The transform along the rows. Lanes past a segment's end are overwritten by the next segment.
#[inline(always)]
fn spread_rows<E: Real, T, const W: usize, const M: usize, const R: usize, const N: usize>(
    split: &[E],
    pitch: usize,
    [segments, width, run]: [usize; 3],
    v: &mut [E],
    stride: usize,
) where
    T: Spread<M, R, N>,
{
    for segment in 0..segments {
        for first in (0..width).step_by(W) {
            let at = segment * run + first;
            let y = T::apply::<E, W>(from_fn(|j| Lanes::load(split, j % M * pitch + j / M + at)));
            for (j, y) in y.into_iter().enumerate() {
                y.store(v, j * stride + segment * width + first);
            }
        }
    }
}
