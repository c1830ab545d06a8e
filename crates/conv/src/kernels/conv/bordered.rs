//! What a tile reads of x, with the zeros around it: rows that are split by the stride, so that the window of any tap is
//! one stretch of memory.

use std::ops::Range;

use striate_compute::{Buffer, Real, isa};

use crate::Geometry;

/// Smaller scratch would come from the system allocator, which zeroes it.
pub(super) const MIN_SCRATCH: usize = 1 << 14;
/// Zeros after the copy, so that the last window may be read in whole vectors.
const SLACK: usize = 64;
/// Numbers of the next channel to ask for beforehand.
const PREFETCH: usize = 1 << 11;
/// The most numbers that a copy may take.
const LIMIT: usize = 1 << 26;

/// A rectangle of y: some columns of a line, or whole lines of one depth.
#[derive(Clone)]
pub(super) struct Region {
    pub(super) lines: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl Region {
    /// The first place, counted through y.
    pub(super) fn start(&self, g: &Geometry) -> usize {
        self.lines.start * g.output[2] + self.columns.start
    }
}

/// Cuts a range of places into rectangles.
pub(super) fn regions(g: &Geometry, places: Range<usize>) -> Vec<Region> {
    let [_, height, width] = g.output;
    let mut regions = Vec::new();
    let mut first = places.start;
    while first < places.end {
        let (line, column) = (first / width, first % width);
        let whole = (places.end - first) / width;
        let region = if column > 0 || whole == 0 {
            let end = width.min(column + places.end - first);
            Region { lines: line..line + 1, columns: column..end }
        } else {
            // No further than the end of this depth.
            Region { lines: line..(line + whole).min((line / height + 1) * height), columns: 0..width }
        };
        first += region.lines.len() * region.columns.len();
        regions.push(region);
    }
    regions
}

/// Whether the copies of any tile are within the limit.
pub(super) fn supports(g: &Geometry) -> bool {
    let span = |axis: usize| (g.kernel[axis] - 1).saturating_mul(g.dilation[axis]).saturating_add(1);
    let along = |axis: usize| g.output[axis].saturating_mul(g.stride[axis]).saturating_add(span(axis));
    let width = along(2).saturating_add(64 * g.stride[2].min(1 << 20));
    let all = [g.group_channels(), span(0), along(1), width];
    all.into_iter().fold(1, usize::saturating_mul) <= LIMIT
}

/// The copy: (c, depth, phase of height, phase of width, line, place).
pub(super) struct Bordered<E: Real> {
    pub(super) values: Buffer<E>,
    /// From a line of y to the next.
    pub(super) line: usize,
    /// Where each channel and tap reads for the first place of the region.
    pub(super) starts: Vec<usize>,
}

impl<E: Real> Bordered<E> {
    /// What `region` reads of the channels `x`, in lines that hold a multiple of `lanes` places for every tap.
    pub(super) fn new(g: &Geometry, x: &[E], region: &Region, lanes: usize) -> Self {
        let [_, height, width] = g.input;
        let [depth_step, row_step, step] = g.stride;
        let phases = |axis: usize| g.stride[axis].min((g.kernel[axis] - 1) * g.dilation[axis] + 1);
        let further = |axis: usize| (g.kernel[axis] - 1) * g.dilation[axis] / g.stride[axis];
        let depths = (g.kernel[0] - 1) * g.dilation[0] + 1;
        let rows = region.lines.len() + further(1);
        let line = region.columns.len().next_multiple_of(lanes) + further(2);
        let (row_phases, phases) = (phases(1), phases(2));
        let plane = rows * line;
        let len = g.group_channels() * depths * row_phases * phases * plane;
        let mut values = Buffer::scratch((len + SLACK).max(MIN_SCRATCH));
        values[len..len + SLACK].fill(E::zero());

        let first_depth = (region.lines.start / g.output[1] * depth_step) as isize - g.padding[0];
        let first_row = (region.lines.start % g.output[1] * row_step) as isize - g.padding[1];
        let first = (region.columns.start * step) as isize - g.padding[2];
        let inside = |place: isize, size: usize| usize::try_from(place).ok().filter(|&place| place < size);
        for (i, to) in values[..len].chunks_exact_mut(row_phases * phases * plane).enumerate() {
            let (c, depth) = (i / depths, inside(first_depth + (i % depths) as isize, g.input[0]));
            if depths == 1 {
                let next = ((c + 1) * g.input[0] * height + first_row.max(0) as usize) * width;
                isa::prefetch(x.get(next..next + (rows * row_step * width).min(PREFETCH)).unwrap_or(&[]));
            }
            for (row_phase, to) in to.chunks_exact_mut(phases * plane).enumerate() {
                for row in 0..rows {
                    let to = &mut to[row * line..];
                    match (depth, inside(first_row + (row * row_step + row_phase) as isize, height)) {
                        (Some(depth), Some(row)) => {
                            let from = &x[((c * g.input[0] + depth) * height + row) * width..][..width];
                            split(from, first, step, phases, plane, line, to);
                        }
                        _ => (0..phases).for_each(|phase| to[phase * plane..][..line].fill(E::zero())),
                    }
                }
            }
        }

        let mut starts = Vec::with_capacity(g.group_channels() * g.taps());
        for c in 0..g.group_channels() {
            for td in 0..g.kernel[0] {
                for th in 0..g.kernel[1] {
                    for tw in 0..g.kernel[2] {
                        let (h, w) = (th * g.dilation[1], tw * g.dilation[2]);
                        let block = (c * depths + td * g.dilation[0]) * row_phases + h % row_step;
                        let start = (block * phases + w % step) * plane + h / row_step * line + w / step;
                        starts.push(start);
                    }
                }
            }
        }
        Bordered { values, line, starts }
    }
}

/// `to[f · plane + j] = from[first + j · step + f]` for the phases f and j < line, zero outside
fn split<E: Real>(
    from: &[E],
    first: isize,
    step: usize,
    phases: usize,
    plane: usize,
    line: usize,
    to: &mut [E],
) {
    for phase in 0..phases {
        let to = &mut to[phase * plane..][..line];
        let start = first + phase as isize;
        // Places before x, and places inside.
        let before = start.min(0).unsigned_abs().div_ceil(step).min(line);
        let place = start + (before * step) as isize;
        let from = usize::try_from(place).ok().and_then(|place| from.get(place..)).unwrap_or(&[]);
        let count = from.len().div_ceil(step).min(line - before);
        to[..before].fill(E::zero());
        to[before + count..].fill(E::zero());
        let to = &mut to[before..before + count];
        match step {
            1 => to.copy_from_slice(&from[..count]),
            2 => every_other(from, to),
            _ => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(to, from)| *to = *from),
        }
    }
}

/// `to[i] = from[2 · i]`
fn every_other<E: Real>(from: &[E], to: &mut [E]) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let (pairs, rest) = from.as_chunks::<2>();
            for (to, pair) in to.iter_mut().zip(pairs) {
                *to = pair[0];
            }
            if let (Some(to), [last]) = (to.get_mut(pairs.len()), rest) {
                *to = *last;
            }
        },
    );
}
