//! From frequencies to planes: the tiles of a block, one feature at a time.

use std::array::from_fn;
use std::ops::Range;

use striate_compute::{Real, isa};

use super::layout::{LANES, Rows};
use super::tiles::{Frame, Patch, Tiles};
use super::transforms::{Lanes, Scheme};

/// The segments of a block.
pub(super) struct Scatter<'a> {
    tiles: &'a Tiles,
    patches: Vec<Patch>,
}

impl<'a> Scatter<'a> {
    pub(super) fn new(tiles: &'a Tiles, frame: &Frame, segments: Range<usize>) -> Self {
        Scatter { tiles, patches: segments.map(|segment| frame.patch(tiles, segment)).collect() }
    }

    /// y ← Aᵀ m A + bias + β·y for one feature of `planes`, with m at `m[f * stride + t]`.
    #[expect(clippy::too_many_arguments, reason = "the numbers of the equation and where they lie")]
    pub(super) fn run<E: Real, S, const M: usize, const N: usize>(
        &self,
        m: &[E],
        stride: usize,
        scratch: &mut Rows<E>,
        bias: E,
        beta: E,
        planes: &mut Planes<E>,
        feature: usize,
    ) where
        S: Scheme<M, N>,
    {
        let width = self.tiles.width;
        let count = self.patches.len() * width;
        let pitch = count.next_multiple_of(LANES);
        let split = &mut scratch.split[..pitch * M * M];
        let rows = &mut scratch.rows[..count * M * M];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                output_by_position::<E, S, M, N>(m, stride, split, pitch);
                for (row, split) in rows.chunks_exact_mut(count * M).zip(split.chunks_exact(pitch * M)) {
                    join_positions::<E, M>(split, pitch, row);
                }
                for (s, patch) in self.patches.iter().enumerate() {
                    let row_length = planes.row_length;
                    let plane = planes.part(patch.image, feature);
                    for i in patch.rows.clone() {
                        let from = &rows[(i * count + s * width) * M..][..patch.columns.len()];
                        let row = patch.row + i * patch.row_step - plane.first_row;
                        let to = &mut plane.data[row * row_length + patch.column..];
                        match patch.column_step {
                            1 => add_row(from, bias, beta, to[..from.len()].iter_mut()),
                            step => add_row(from, bias, beta, to.iter_mut().step_by(step)),
                        }
                    }
                }
            },
        );
    }
}

/// Aᵀ m A by position in the tile.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices as in the equation")]
fn output_by_position<E: Real, S, const M: usize, const N: usize>(
    m: &[E],
    stride: usize,
    split: &mut [E],
    pitch: usize,
) where
    S: Scheme<M, N>,
{
    for at in (0..pitch).step_by(LANES) {
        let mut columns = [[Lanes::<E, LANES>::default(); M]; N];
        for (j, column) in columns.iter_mut().enumerate() {
            *column = S::output(from_fn(|i| Lanes::load(m, (i * N + j) * stride + at)));
        }
        for i in 0..M {
            let y = S::output(from_fn(|j| columns[j][i]));
            for (j, y) in y.into_iter().enumerate() {
                y.store(split, (i * M + j) * pitch + at);
            }
        }
    }
}

/// `row[u * M + j] = split[j * pitch + u]`
#[inline(always)]
fn join_positions<E: Real, const M: usize>(split: &[E], pitch: usize, row: &mut [E]) {
    let row = row.as_chunks_mut::<M>().0;
    let split: [&[E]; M] = from_fn(|j| &split[j * pitch..][..row.len()]);
    for (u, y) in row.iter_mut().enumerate() {
        *y = from_fn(|j| split[j][u]);
    }
}

#[inline(always)]
fn add_row<'y, E: Real>(from: &[E], bias: E, beta: E, to: impl Iterator<Item = &'y mut E>) {
    if beta == E::zero() {
        to.zip(from).for_each(|(y, &x)| *y = x + bias);
    } else {
        to.zip(from).for_each(|(y, &x)| *y = x + bias + beta * *y);
    }
}

/// The parts of y that a task writes: rows of the planes of some features, for a run of images.
pub(super) struct Planes<'y, E> {
    first_image: usize,
    pub(super) features: usize,
    row_length: usize,
    /// By image, then by feature.
    parts: Vec<Part<'y, E>>,
}

/// Neighbouring rows of a plane.
struct Part<'y, E> {
    first_row: usize,
    data: &'y mut [E],
}

impl<'y, E: Real> Planes<'y, E> {
    pub(super) fn new(first_image: usize, features: usize, row_length: usize) -> Self {
        Planes { first_image, features, row_length, parts: Vec::new() }
    }

    /// Adds rows of the next feature, or of the first one of the next image.
    pub(super) fn push(&mut self, first_row: usize, data: &'y mut [E]) {
        self.parts.push(Part { first_row, data });
    }

    fn part(&mut self, image: usize, feature: usize) -> &mut Part<'y, E> {
        &mut self.parts[(image - self.first_image) * self.features + feature]
    }
}
