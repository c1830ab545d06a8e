//! Where the tiles lie: their order, how they are cut into segments and blocks, and the lines of a plane they touch.
//!
//! With dilation d an output splits into d·d interleaved sub-images, each an undilated convolution. Tiles of m × m
//! outputs are numbered along the rows of a sub-image, by sub-image, by image. A segment is a run of tiles in one row,
//! all segments have the same number of tiles; what hangs over the edge is computed and dropped.

use std::ops::Range;

use crate::Geometry;

/// Tiles of a block: few enough that its numbers stay in the cache, and whole columns of the micro-kernel's tiles.
pub(super) const BLOCK: usize = 112;

/// How many tasks are worth cutting tiles for, and how many stretches are enough.
const MANY: usize = 4;
const MOST: usize = 14;

/// Memory is cut this much smaller under test, so that small sizes are cut in all ways.
pub(super) const SHRINK: usize = if cfg!(test) { 64 } else { 1 };

/// Cuts a stretch of segments into blocks of equal size, of at most `block` segments.
pub(super) fn blocks(stretch: &Range<usize>, block: usize) -> Vec<Range<usize>> {
    let (first, len, count) = (stretch.start, stretch.len(), stretch.len().div_ceil(block));
    (0..count).map(|i| first + i * len / count..first + (i + 1) * len / count).collect()
}

/// The tiles of a geometry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    /// Outputs of a tile along each axis.
    pub(super) m: usize,
    /// Tiles of a segment.
    pub(super) width: usize,
    /// Segments of a row of tiles.
    per_row: usize,
    /// Rows of tiles of a sub-image.
    rows: usize,
    dilation: [usize; 2],
    images: usize,
    output_rows: usize,
}

/// A run of tiles in one row: first output of the sub-image, and the sub-image.
struct Segment {
    image: usize,
    first: [usize; 2],
    phase: [usize; 2],
}

impl Tiles {
    pub(super) fn new(g: &Geometry, m: usize) -> Self {
        let dilation = [g.dilation[1], g.dilation[2]];
        let rows = g.output[1].div_ceil(dilation[0]).div_ceil(m);
        let columns = g.output[2].div_ceil(dilation[1]).div_ceil(m);
        let width = columns.div_ceil(columns.div_ceil(BLOCK).max(1));
        let per_row = if width == 0 { 0 } else { columns.div_ceil(width) };
        Tiles { m, width, per_row, rows, dilation, images: g.batch, output_rows: g.output[1] }
    }

    /// Segments of an image.
    fn per_image(&self) -> usize {
        self.per_row * self.rows * self.dilation[0] * self.dilation[1]
    }

    /// Segments of all images.
    pub(super) fn segments(&self) -> usize {
        self.per_image() * self.images
    }

    /// Tiles of all segments.
    pub(super) fn count(&self) -> usize {
        self.segments() * self.width
    }

    /// Segments of a block of at most `tiles` tiles, at least one.
    pub(super) fn block(&self, tiles: usize) -> usize {
        (tiles / self.width).clamp(1, self.segments())
    }

    /// How to cut the segments for tasks that take some each: segments of a block, and number of stretches; `None` when
    /// there would be few. A task with blocks of some columns needs `scratch(columns)` bytes, all together `budget`.
    pub(super) fn cut(
        &self,
        scratch: impl Fn(usize) -> usize,
        budget: usize,
        groups: usize,
    ) -> Option<(usize, usize)> {
        [BLOCK, BLOCK / 2].into_iter().find_map(|tiles| {
            let block = self.block(tiles);
            let affordable = budget / scratch(block * self.width);
            let count = affordable.min(self.segments().div_ceil(block)).min(MOST);
            // An even number shares out evenly among two threads, the commonest few.
            (count * groups >= MANY && count > 0).then_some((block, (count & !1).max(1)))
        })
    }

    /// Cuts the segments into at most `count` stretches of whole rows (whole images where sub-images interleave).
    pub(super) fn stretches(&self, count: usize) -> Vec<Range<usize>> {
        let band = if self.dilation[0] == 1 { self.per_row * self.dilation[1] } else { self.per_image() };
        let bands = self.segments() / band;
        let count = count.clamp(1, bands);
        (0..count).map(|i| i * bands / count * band..(i + 1) * bands / count * band).collect()
    }

    /// The images that a stretch touches and, in its first and last one, the rows of y.
    pub(super) fn stretch_rows(&self, stretch: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (per_image, stretch, this) = (self.per_image(), stretch.clone(), *self);
        let row = move |within: usize| match within {
            0 => 0,
            within if within >= per_image => this.output_rows,
            within => within / (this.per_row * this.dilation[1]) * this.m,
        };
        (stretch.start / per_image..stretch.end.div_ceil(per_image)).map(move |image| {
            let start = stretch.start.saturating_sub(image * per_image);
            (image, row(start)..row(stretch.end - image * per_image).min(this.output_rows))
        })
    }

    /// Sub-images that differ in their column alone share rows, so they come inside a row of tiles.
    fn segment(&self, index: usize) -> Segment {
        let (image, rest) = (index / self.per_image(), index % self.per_image());
        let (rest, part) = (rest / self.per_row, rest % self.per_row);
        let (rest, phase_x) = (rest / self.dilation[1], rest % self.dilation[1]);
        let (phase_y, row) = (rest / self.rows, rest % self.rows);
        Segment { image, first: [row * self.m, part * self.width * self.m], phase: [phase_y, phase_x] }
    }
}

/// The part of each plane that a segment's tiles cover.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Size of a plane.
    pub(super) size: [usize; 2],
    /// Zeros before a plane.
    pub(super) padding: [isize; 2],
    /// Rows of a tile.
    pub(super) rows: usize,
    /// Columns of a segment.
    pub(super) columns: usize,
}

/// Where a segment's frame meets a plane: element (rows.start + i, columns.start + j) of the frame lies at
/// row `row + i * row_step`, column `column + j * column_step`.
#[derive(Clone, Debug)]
pub(super) struct Patch {
    pub(super) image: usize,
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) row: usize,
    pub(super) row_step: usize,
    pub(super) column: usize,
    pub(super) column_step: usize,
}

impl Frame {
    pub(super) fn patch(&self, tiles: &Tiles, segment: usize) -> Patch {
        let Segment { image, first, phase } = tiles.segment(segment);
        let [row_step, column_step] = tiles.dilation;
        let axis = |axis: usize, count: usize| {
            let step = tiles.dilation[axis];
            let start = (phase[axis] + first[axis] * step) as isize - self.padding[axis];
            let inside = clip(start, step, self.size[axis], count);
            let first = start + (inside.start * step) as isize;
            (if inside.is_empty() { 0 } else { first as usize }, inside)
        };
        let ((row, rows), (column, columns)) = (axis(0, self.rows), axis(1, self.columns));
        Patch { image, rows, columns, row, row_step, column, column_step }
    }
}

/// The `i` below `count` for which `0 ≤ start + i·step < size`.
fn clip(start: isize, step: usize, size: usize, count: usize) -> Range<usize> {
    let before = |limit: isize| ((limit - start).max(0) as usize).div_ceil(step).min(count);
    before(0)..before(size as isize)
}
