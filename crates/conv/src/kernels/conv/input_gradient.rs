//! The gradient with respect to the input, which is also the transposed convolution: phases, interleaved.

use std::ops::Range;

use striate_compute::gemm::MatMut;
use striate_compute::{Buffer, Real, isa, par};

use super::im2col::PLACES;
use super::output::{Tile, prefetch_rows};
use super::phases::{Part, count, places};
use super::{ConvAlgorithm, Engine};
use crate::Geometry;

/// dx ← β·dx + b + the sum of the phases, each place of dx from one of them.
pub(super) fn interleave<E: Real>(
    g: &Geometry,
    algorithm: ConvAlgorithm,
    parts: &[Part<E>],
    dy: &[E],
    bias: Option<&[E]>,
    beta: E,
    dx: &mut [E],
) {
    let engine = |part: &Part<E>| {
        let new = |w: &Buffer<E>| Engine::new(&part.geometry, algorithm.for_tiles(&part.geometry), w);
        part.weights.as_ref().map(new)
    };
    let engines: Vec<Option<Engine<E>>> = parts.iter().map(engine).collect();
    let channels = g.group_channels();
    // The first axis along which there is anything to cut.
    let axis = (0..2).find(|&axis| g.input[axis] > 1).unwrap_or(2);
    let inner: usize = g.input[axis + 1..].iter().product();
    let per_phase: usize = (axis + 1..3).map(|axis| places(g, axis, 0)).product();
    let step = (PLACES / per_phase.max(1)).max(1);
    let mut bands = Vec::new();
    for (part, dx) in dx.chunks_exact_mut((channels * g.input_size()).max(1)).enumerate() {
        let mut rest = MatMut::new(dx, channels, g.input_size());
        let mut first = 0;
        while first < g.input[axis] {
            let end = first.saturating_add(step.saturating_mul(g.stride[axis])).min(g.input[axis]);
            let (dx, after) = rest.split_cols((end - first) * inner);
            bands.push(Band {
                image: part / g.groups,
                group: part % g.groups,
                cut: Cut { axis, rows: first..end },
                dx,
            });
            (rest, first) = (after, end);
        }
    }
    // (group, phase, channel)
    let spread = |part: &Part<E>| {
        bias.map(|bias| {
            bias.chunks_exact(channels).flat_map(|group| group.repeat(part.phases.len())).collect::<Vec<E>>()
        })
    };
    let biases: Vec<Option<Vec<E>>> = parts.iter().map(spread).collect();
    par::pieces_mut(&mut bands, 1, |_, band| {
        let band = &mut band[0];
        prefetch_rows(&mut band.dx);
        let sums: Vec<Sums<E>> = (0..parts.len())
            .map(|i| band.sums(g, &parts[i], engines[i].as_ref(), dy, biases[i].as_deref()))
            .collect();
        band.join(g, &sums, beta);
    });
}

/// A range of dx along the first axis that has a length.
struct Cut {
    axis: usize,
    rows: Range<usize>,
}

impl Cut {
    /// `all`, but the cut axis has `own`.
    fn replace(&self, mut all: [usize; 3], own: usize) -> [usize; 3] {
        all[self.axis] = own;
        all
    }

    /// The places of phase `r` along an axis.
    fn range(&self, g: &Geometry, axis: usize, r: usize) -> Range<usize> {
        let all = places(g, axis, r);
        if axis != self.axis {
            return 0..all;
        }
        let first = (self.rows.start / g.stride[axis]).min(all);
        first..self.rows.end.saturating_sub(r).div_ceil(g.stride[axis]).clamp(first, all)
    }
}

/// Some of dx for a group of an image.
struct Band<'a, E: Real> {
    image: usize,
    group: usize,
    cut: Cut,
    dx: MatMut<'a, E>,
}

impl<E: Real> Band<'_, E> {
    /// The convolution of a part, by (phase, channel, places): its phases' places that lie in the band.
    fn sums(
        &self,
        g: &Geometry,
        part: &Part<E>,
        engine: Option<&Engine<E>>,
        dy: &[E],
        bias: Option<&[E]>,
    ) -> Sums<E> {
        let rows = part.phases.len() * g.group_channels();
        let along = self.cut.range(g, self.cut.axis, part.phases[0][self.cut.axis]);
        let size = self.cut.replace(part.geometry.output, along.len());
        let inner: usize = size[self.cut.axis + 1..].iter().product();
        let len: usize = size.iter().product();
        let mut values = Buffer::scratch(rows * len);
        if len > 0 {
            let places = along.start * inner..along.start * inner + len;
            let bias = bias.map(|bias| &bias[self.group * rows..][..rows]);
            let y = MatMut::new(&mut values, rows, len);
            let mut tile = Tile { image: self.image, group: self.group, places, y, bias };
            match engine {
                Some(engine) => engine.tile(&part.geometry, dy, E::zero(), &mut tile),
                None => tile.empty(E::zero()),
            }
        }
        Sums { values, size }
    }

    /// Sets each line of dx from the phases that make it.
    fn join(&mut self, g: &Geometry, sums: &[Sums<E>], beta: E) {
        let Band { cut, dx, .. } = self;
        let channels = g.group_channels();
        let [_, height, width] = cut.replace(g.input, cut.rows.len());
        let [first_d, first_h, _] = cut.replace([0; 3], cut.rows.start);
        let (heights, side) = (count(g, 1), count(g, 2));
        for (rd, rh) in (0..count(g, 0)).flat_map(|rd| (0..heights).map(move |rh| (rd, rh))) {
            let line: Vec<Line<E>> = (0..side)
                .map(|rw| {
                    let phase = (rd * heights + rh) * side + rw;
                    let (sums, slot) = if let [sums] = sums { (sums, phase) } else { (&sums[phase], 0) };
                    let each: usize = sums.size.iter().product();
                    let values = &sums.values[slot * channels * each..][..channels * each];
                    Line { values, size: sums.size, width: cut.range(g, 2, rw).len() }
                })
                .collect();
            for c in 0..channels {
                let to = dx.row_mut(c);
                for jd in 0..cut.range(g, 0, rd).len() {
                    for jh in 0..cut.range(g, 1, rh).len() {
                        let d = (first_d / g.stride[0] + jd) * g.stride[0] + rd - first_d;
                        let h = (first_h / g.stride[1] + jh) * g.stride[1] + rh - first_h;
                        let rows = line.iter().map(|line| line.row(c, jd, jh));
                        interleaved(rows, beta, &mut to[(d * height + h) * width..][..width]);
                    }
                }
            }
        }
    }
}

/// What a part gives for a band: (phase, channel, *size).
struct Sums<E: Real> {
    values: Buffer<E>,
    size: [usize; 3],
}

/// One phase of [`Sums`].
struct Line<'a, E> {
    values: &'a [E],
    size: [usize; 3],
    width: usize,
}

impl<'a, E> Line<'a, E> {
    fn row(&self, c: usize, jd: usize, jh: usize) -> &'a [E] {
        let [depth, height, width] = self.size;
        &self.values[((c * depth + jd) * height + jh) * width..][..self.width]
    }
}

/// `to[j · s + r] ← β·to[j · s + r] + row_r[j]` for the s rows.
fn interleaved<'a, E: Real>(rows: impl ExactSizeIterator<Item = &'a [E]> + Clone, beta: E, to: &mut [E]) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let stride = rows.len();
            let mut both = rows.clone();
            if stride == 2
                && beta == E::zero()
                && let (Some(even), Some(odd)) = (both.next(), both.next())
            {
                let (pairs, rest) = to.as_chunks_mut::<2>();
                for ((to, &even), &odd) in pairs.iter_mut().zip(even).zip(odd) {
                    *to = [even, odd];
                }
                if let [last] = rest {
                    *last = even[odd.len()];
                }
                return;
            }
            for (r, row) in rows.enumerate() {
                for (to, &sum) in to.iter_mut().skip(r).step_by(stride).zip(row) {
                    *to = if beta == E::zero() { sum } else { beta * *to + sum };
                }
            }
        },
    );
}
