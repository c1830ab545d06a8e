//! Columns of a convolution (im2col), a tile at a time: row (c, t) of a tile holds x[c, q·s + t·d − p] for its places q.

use std::ops::Range;

use striate_compute::{Buffer, Real};

use crate::Geometry;

/// The largest stride that rows are split by.
const SPLIT: usize = 8;

/// The channels of one image and one group, with each row of x split by the stride: what a step of the window apart
/// is then contiguous.
pub(super) struct Source<'a, E: Real> {
    g: &'a Geometry,
    rows: Rows<'a, E>,
}

enum Rows<'a, E: Real> {
    /// Stride 1, or one so large that few elements are read: x itself.
    Whole(&'a [E]),
    /// (c, row, phase, place) for the rows from `first` on: place j of phase f holds x[.., j·s + f], padded with zeros.
    Split { rows: Buffer<E>, first: usize, count: usize },
}

impl<'a, E: Real> Source<'a, E> {
    /// For the channels `x` (c, *), and what the places `range` of y read of them.
    pub(super) fn new(g: &'a Geometry, x: &'a [E], range: Range<usize>) -> Self {
        let (stride, width) = (g.stride[2], g.input[2]);
        if stride == 1 || stride > SPLIT || x.is_empty() || range.is_empty() {
            return Source { g, rows: Rows::Whole(x) };
        }
        let needed = rows_read(g, range);
        let (first, count) = (needed.start, needed.len());
        let places = width.div_ceil(stride);
        let mut rows = Buffer::scratch(x.len() / g.input_size() * count * stride * places);
        let of_channel = rows.chunks_exact_mut((count * stride * places).max(1));
        for (to, from) in of_channel.zip(x.chunks_exact(g.input_size())) {
            let from = from[first * width..].chunks_exact(width);
            for (to, from) in to.chunks_exact_mut(stride * places).zip(from) {
                split_row(from, stride, places, to);
            }
        }
        Source { g, rows: Rows::Split { rows, first, count } }
    }

    /// Writes the rows (c, t) for `channels` and all taps of the places `range` of y, `pitch` numbers apart.
    pub(super) fn columns(&self, channels: Range<usize>, range: Range<usize>, pitch: usize, to: &mut [E]) {
        let g = self.g;
        let mut rows = to.chunks_mut(pitch);
        for c in channels {
            for td in 0..g.kernel[0] {
                for th in 0..g.kernel[1] {
                    for tw in 0..g.kernel[2] {
                        let row = rows.next().expect("a row for each channel and tap");
                        self.row(c, [td, th, tw], range.clone(), row);
                    }
                }
            }
        }
    }

    fn row(&self, c: usize, tap: [usize; 3], range: Range<usize>, to: &mut [E]) {
        let g = self.g;
        let [depth, height, width] = g.input;
        let [_, h_out, w_out] = g.output;
        let start = (tap[2] * g.dilation[2]) as isize - g.padding[2];
        let stride = g.stride[2] as isize;
        let (phase, shift) = (start.rem_euclid(stride) as usize, start.div_euclid(stride));
        let (mut place, mut to) = (range.start, &mut to[..range.len()]);
        while !to.is_empty() {
            let (line, first) = (place / w_out, place % w_out);
            let (part, rest) = to.split_at_mut((w_out - first).min(to.len()));
            let id = (line / h_out * g.stride[0] + tap[0] * g.dilation[0]) as isize - g.padding[0];
            let ih = (line % h_out * g.stride[1] + tap[1] * g.dilation[1]) as isize - g.padding[1];
            if (0..depth as isize).contains(&id) && (0..height as isize).contains(&ih) {
                let row = (c * depth + id as usize) * height + ih as usize;
                match &self.rows {
                    Rows::Whole(x) if stride > 1 => {
                        stepped(&x[row * width..][..width], first as isize * stride + start, stride, part);
                    }
                    Rows::Whole(x) => shifted(&x[row * width..][..width], first as isize + start, part),
                    Rows::Split { rows, first: before, count } => {
                        let places = width.div_ceil(g.stride[2]);
                        let row = c * count + (id as usize * height + ih as usize - before);
                        let line = &rows[(row * g.stride[2] + phase) * places..][..places];
                        shifted(line, first as isize + shift, part);
                    }
                }
            } else {
                part.fill(E::zero());
            }
            place += part.len();
            to = rest;
        }
    }
}

/// The rows of a channel of x, counted through all depths, that the places of a range read: from the first to the last.
fn rows_read(g: &Geometry, range: Range<usize>) -> Range<usize> {
    let lines = range.start / g.output[2]..(range.end - 1) / g.output[2] + 1;
    let (first, last) = (lines.start / g.output[1], (lines.end - 1) / g.output[1]);
    let span = |axis: usize, first: usize, last: usize| {
        let at = |place: usize, tap: usize| {
            let place = (place * g.stride[axis] + tap * g.dilation[axis]) as isize - g.padding[axis];
            place.clamp(0, g.input[axis] as isize) as usize
        };
        at(first, 0)..(at(last, g.kernel[axis] - 1) + 1).min(g.input[axis])
    };
    let depths = span(0, first, last);
    if first < last {
        return depths.start * g.input[1]..depths.end * g.input[1];
    }
    let heights = span(1, lines.start % g.output[1], (lines.end - 1) % g.output[1]);
    if depths.len() == 1 {
        depths.start * g.input[1] + heights.start..depths.start * g.input[1] + heights.end.max(heights.start)
    } else {
        depths.start * g.input[1]..depths.end.max(depths.start) * g.input[1]
    }
}

/// `to[i] = from[i · stride + start]`, zero outside
fn stepped<E: Real>(from: &[E], start: isize, stride: isize, to: &mut [E]) {
    for (i, to) in (0..).zip(to) {
        let place = usize::try_from(i * stride + start).ok();
        *to = place.and_then(|place| from.get(place)).copied().unwrap_or(E::zero());
    }
}

/// `to[i] = from[i + shift]`, zero outside
#[inline(always)]
fn shifted<E: Real>(from: &[E], shift: isize, to: &mut [E]) {
    if shift >= 0
        && let Some(from) = from.get(shift as usize..shift as usize + to.len())
    {
        return to.copy_from_slice(from);
    }
    let begin = (-shift).clamp(0, to.len() as isize) as usize;
    let end = (from.len() as isize - shift).clamp(begin as isize, to.len() as isize) as usize;
    to[..begin].fill(E::zero());
    if begin < end {
        to[begin..end].copy_from_slice(&from[(begin as isize + shift) as usize..][..end - begin]);
    }
    to[end..].fill(E::zero());
}

/// `to[f · places + j] = from[j · stride + f]`, zero outside
fn split_row<E: Real>(from: &[E], stride: usize, places: usize, to: &mut [E]) {
    if stride == 2 {
        let (even, odd) = to.split_at_mut(places);
        let (pairs, rest) = from.as_chunks::<2>();
        for ((even, odd), pair) in even.iter_mut().zip(&mut *odd).zip(pairs) {
            [*even, *odd] = *pair;
        }
        if let &[last] = rest {
            (even[places - 1], odd[places - 1]) = (last, E::zero());
        }
        return;
    }
    for (phase, to) in to.chunks_exact_mut(places).enumerate() {
        to.fill(E::zero());
        for (to, from) in to.iter_mut().zip(from.iter().skip(phase).step_by(stride)) {
            *to = *from;
        }
    }
}
