//! How the numbers of a block of tiles lie: matrices by frequency, channels × tiles.

use striate_compute::gemm::{Mat, MatMut};
use striate_compute::{Buffer, Real};

use super::tiles::Tiles;

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
    /// For rows of `columns` numbers. Odd multiples of half a cache line spread over the cache's sets. Lanes past a
    /// row's end run into the next row, and past the last row into a gap.
    pub(super) fn new(channels: usize, columns: usize) -> Self {
        let pitch = (columns.div_ceil(LANES / 2) | 1) * (LANES / 2);
        Layout { channels, pitch, stride: channels * pitch + 2 * LANES }
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

/// Scratch for the rows of one channel of a block, before and after they are split by position.
pub(super) struct Rows<E: Real> {
    pub(super) rows: Buffer<E>,
    pub(super) split: Buffer<E>,
}

impl<E: Real> Rows<E> {
    /// For blocks of up to `segments` segments.
    pub(super) fn new(tiles: &Tiles, segments: usize) -> Self {
        let runs = segments * (tiles.width + 1) + 2 * LANES;
        let row = runs * tiles.m + LANES;
        Rows { rows: Buffer::scratch(row * (tiles.m + 2)), split: Buffer::scratch(runs * tiles.m * tiles.m) }
    }
}
