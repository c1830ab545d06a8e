//! Two-dimensional transforms of the tiles of a block, one channel at a time.
//!
//! A block's numbers are matrices by frequency, channels × tiles. Columns of tiles come first: they run along
//! contiguous rows. Then rows are split by position in the tile, so that neighbouring lanes are neighbouring tiles.

use std::array::from_fn;
use std::marker::PhantomData;
use std::ops::Range;

use striate_compute::gemm::{Mat, MatMut};
use striate_compute::{Buffer, Real, isa};

use super::tiles::{Frame, Patch, Tiles};
use super::transforms::{Lanes, Scheme};

/// Lanes of the widest vectors, and of a column of the micro-kernel's tiles.
pub(super) const LANES: usize = 16;

/// How a block's matrices lie: element (frequency f, channel c, tile t) at `f * stride + c * pitch + t`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) channels: usize,
    pub(super) pitch: usize,
    pub(super) stride: usize,
}

impl Layout {
    /// For rows of `columns` numbers. Odd multiples of a cache line spread over the cache's sets.
    pub(super) fn new(channels: usize, columns: usize) -> Self {
        let pitch = (columns.div_ceil(LANES) | 1) * LANES;
        Layout { channels, pitch, stride: channels * pitch + LANES }
    }

    pub(super) fn len(&self, frequencies: usize) -> usize {
        self.stride * frequencies
    }

    pub(super) fn matrix<'a, E: Real>(&self, data: &'a [E], frequency: usize, columns: usize) -> Mat<'a, E> {
        let data = &data[frequency * self.stride..];
        Mat { data, rows: self.channels, cols: columns, row_stride: self.pitch, col_stride: 1 }
    }

    pub(super) fn matrix_mut<'a, E: Real>(
        &self,
        data: &'a mut [E],
        frequency: usize,
        columns: usize,
    ) -> MatMut<'a, E> {
        let data = &mut data[frequency * self.stride..][..self.stride];
        MatMut::with_stride(data, self.channels, columns, self.pitch)
    }
}

/// Neighbouring tiles that are transformed at once.
fn lanes(width: usize) -> usize {
    match width {
        0..=4 => 4,
        5..=8 => 8,
        _ => LANES,
    }
}

/// Room for the lanes past the last tile of a block that end a segment.
pub(super) fn overhang(width: usize) -> usize {
    width.next_multiple_of(lanes(width)) - width
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

/// Scratch for the rows of one channel of a block, before and after they are split by position.
pub(super) struct Rows<E: Real> {
    rows: Buffer<E>,
    split: Buffer<E>,
}

impl<E: Real> Rows<E> {
    /// For blocks of up to `segments` segments.
    pub(super) fn new(tiles: &Tiles, segments: usize) -> Self {
        let runs = segments * (tiles.width + 1) + 2 * LANES;
        let row = runs * tiles.m + LANES;
        Rows { rows: Buffer::scratch(row * (tiles.m + 2)), split: Buffer::scratch(runs * tiles.m * tiles.m) }
    }
}

/// From planes to frequencies: the segments of a block.
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

/// From frequencies to planes: Aᵀ m A for the segments of a block.
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
                gather_output::<E, S, M, N>(m, stride, split, pitch);
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
fn gather_output<E: Real, S, const M: usize, const N: usize>(
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
