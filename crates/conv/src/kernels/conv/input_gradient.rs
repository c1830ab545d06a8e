//! The gradient with respect to the input, which is also the transposed convolution.
//!
//! dx[i] sums dy[q]·w[t] over q·s + t·d − p = i. For i = s·j + r only every (s / gcd(s, d))-th tap has such a q, and
//! moving j by one moves q by one: each phase r is a convolution of dy with stride 1 and with those taps in reverse.

use std::ops::Range;

use striate_compute::gemm::MatMut;
use striate_compute::{Buffer, Real, par};

use super::Engine;
use super::im2col::PLACES;
use super::output::Tile;
use crate::Geometry;

/// One axis of a phase.
#[derive(Clone, Copy)]
struct Axis {
    /// Places of dx: j < count.
    count: usize,
    taps: usize,
    /// Tap m of the phase is tap `last_tap − m·tap_step` of w.
    last_tap: usize,
    tap_step: usize,
    dilation: usize,
    padding: isize,
}

impl Axis {
    /// Phase `r` along an axis.
    fn new(g: &Geometry, axis: usize, r: usize) -> Self {
        let (s, d, k, p) = (g.stride[axis], g.dilation[axis], g.kernel[axis], g.padding[axis]);
        let divisor = gcd(s, d);
        let tap_step = s / divisor;
        let offset = |t: usize| r as isize + p - (t * d) as isize;
        let first = (0..k.min(tap_step)).find(|&t| offset(t).rem_euclid(s as isize) == 0);
        let count = g.input[axis].saturating_sub(r).div_ceil(s);
        let dilation = d / divisor;
        let Some(first) = first else {
            return Axis { count, taps: 0, last_tap: 0, tap_step, dilation, padding: 0 };
        };
        let taps = (k - 1 - first) / tap_step + 1;
        let padding = ((taps - 1) * dilation) as isize - offset(first).div_euclid(s as isize);
        Axis { count, taps, last_tap: first + (taps - 1) * tap_step, tap_step, dilation, padding }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A phase: its place in dx, and the convolution of dy that gives it (none without taps).
pub(super) struct Phase<E: Real> {
    start: [usize; 3],
    pub(super) geometry: Geometry,
    pub(super) weights: Option<Buffer<E>>,
}

impl<E: Real> Phase<E> {
    fn new(g: &Geometry, w: &[E], start: [usize; 3]) -> Self {
        let axes: [Axis; 3] = std::array::from_fn(|axis| Axis::new(g, axis, start[axis]));
        let geometry = Geometry {
            batch: g.batch,
            groups: g.groups,
            channels: g.features,
            features: g.channels,
            input: g.output,
            output: axes.map(|axis| axis.count),
            kernel: axes.map(|axis| axis.taps),
            stride: [1; 3],
            dilation: axes.map(|axis| axis.dilation),
            padding: axes.map(|axis| axis.padding),
        };
        let some = geometry.taps() > 0 && geometry.output_size() > 0;
        Phase { start, geometry, weights: some.then(|| transposed(g, w, &axes)) }
    }
}

/// The taps of a phase as weights (group, channel, feature, taps).
fn transposed<E: Real>(g: &Geometry, w: &[E], axes: &[Axis; 3]) -> Buffer<E> {
    let (channels, features, taps) = (g.group_channels(), g.group_features(), g.taps());
    let [_, kh, kw] = g.kernel;
    let taken: Vec<usize> = (0..axes[0].taps)
        .flat_map(|d| (0..axes[1].taps).flat_map(move |h| (0..axes[2].taps).map(move |w| [d, h, w])))
        .map(|m| {
            let t: [usize; 3] = std::array::from_fn(|i| axes[i].last_tap - m[i] * axes[i].tap_step);
            (t[0] * kh + t[1]) * kw + t[2]
        })
        .collect();
    let mut to = Buffer::scratch(g.groups * channels * features * taken.len());
    par::pieces_mut(&mut to, (features * taken.len()).max(1), |row, to| {
        let (group, c) = (row / channels, row % channels);
        for (f, to) in to.chunks_exact_mut(taken.len()).enumerate() {
            let from = &w[((group * features + f) * channels + c) * taps..][..taps];
            for (to, &t) in to.iter_mut().zip(&taken) {
                *to = from[t];
            }
        }
    });
    to
}

/// Phases along each axis: as many as steps, unless dx is shorter.
fn phase_counts(g: &Geometry) -> [usize; 3] {
    std::array::from_fn(|axis| g.stride[axis].min(g.input[axis]).max(1))
}

/// All phases, the last axis fastest.
pub(super) fn phases<E: Real>(g: &Geometry, w: &[E]) -> Vec<Phase<E>> {
    let [sd, sh, sw] = phase_counts(g);
    (0..sd)
        .flat_map(|d| (0..sh).flat_map(move |h| (0..sw).map(move |w| [d, h, w])))
        .map(|start| Phase::new(g, w, start))
        .collect()
}

/// dx ← β·dx + b + the sum of the phases, each place of dx from one of them.
pub(super) fn interleave<E: Real>(
    g: &Geometry,
    direct: bool,
    phases: &[Phase<E>],
    dy: &[E],
    bias: Option<&[E]>,
    beta: E,
    dx: &mut [E],
) {
    let engine = |phase: &Phase<E>| phase.weights.as_ref().map(|w| Engine::new(&phase.geometry, direct, w));
    let engines: Vec<Option<Engine<E>>> = phases.iter().map(engine).collect();
    // The first axis along which there is anything to cut.
    let axis = (0..2).find(|&axis| g.input[axis] > 1).unwrap_or(2);
    let inner: usize = g.input[axis + 1..].iter().product();
    let per_phase = inner.div_ceil(phase_counts(g)[axis + 1..].iter().product()).max(1);
    let step = if axis == 2 && direct {
        usize::MAX
    } else {
        (PLACES / per_phase).max(1).saturating_mul(g.stride[axis])
    };
    let channels = g.group_channels();
    let side = phase_counts(g)[2];
    let mut bands = Vec::new();
    for (part, dx) in dx.chunks_exact_mut((channels * g.input_size()).max(1)).enumerate() {
        let mut rest = MatMut::new(dx, channels, g.input_size());
        let mut first = 0;
        while first < g.input[axis] {
            let band = first..g.input[axis].min(first.saturating_add(step));
            let (dx, after) = rest.split_cols(band.len() * inner);
            (rest, first) = (after, band.end);
            bands.push((part / g.groups, part % g.groups, band, dx));
        }
    }
    par::pieces_mut(&mut bands, 1, |_, band| {
        let (image, group, band, dx) = &mut band[0];
        let bias = bias.map(|bias| &bias[*group * channels..][..channels]);
        for (phases, engines) in phases.chunks(side).zip(engines.chunks(side)) {
            let cut = Cut::new(g, &phases[0], axis, band);
            let mut sums: Vec<Buffer<E>> = Vec::with_capacity(phases.len());
            let mut widths = Vec::with_capacity(phases.len());
            for (phase, engine) in phases.iter().zip(engines) {
                let own = Cut::new(g, phase, axis, band);
                let mut sum = Buffer::scratch(channels * own.places.len());
                let y = MatMut::new(&mut sum, channels, own.places.len());
                let mut tile = Tile { image: *image, group: *group, places: own.places, y, bias };
                match engine {
                    Some(engine) if !tile.places.is_empty() => {
                        engine.tile(&phase.geometry, dy, E::zero(), &mut tile);
                    }
                    _ => tile.empty(E::zero()),
                }
                widths.push(own.width);
                sums.push(sum);
            }
            for c in 0..channels {
                let row = dx.row_mut(c);
                for line in 0..cut.lines {
                    let to = &mut row[cut.start(g, &phases[0], line, axis)..];
                    let rows =
                        sums.iter().zip(&widths).map(|(sum, &w)| &sum[(c * cut.lines + line) * w..][..w]);
                    join(rows, beta, to);
                }
            }
        }
    });
}

/// Places of a phase in a band of dx: whole lines, or a part of the only one.
struct Cut {
    places: Range<usize>,
    lines: usize,
    width: usize,
}

impl Cut {
    fn new<E: Real>(g: &Geometry, phase: &Phase<E>, axis: usize, band: &Range<usize>) -> Self {
        let (counts, stride) = (phase.geometry.output, g.stride[axis]);
        let first = band.start / stride;
        let end =
            band.end.saturating_sub(phase.start[axis]).div_ceil(stride).clamp(first, counts[axis].max(first));
        let inner: usize = counts[axis + 1..].iter().product();
        // Axes before the cut one have one place, or none in this phase.
        let others: usize = (0..2).filter(|&other| other != axis).map(|other| counts[other]).product();
        let (lines, width) =
            if axis == 2 { (others, end - first) } else { ((end - first) * others, counts[2]) };
        Cut { places: first * inner..(first * inner + lines * width), lines, width }
    }

    /// Where a line of the phase starts in a row of the band.
    fn start<E: Real>(&self, g: &Geometry, phase: &Phase<E>, line: usize, axis: usize) -> usize {
        let [_, height, width] = g.input;
        let rows = phase.geometry.output[1].max(1);
        let row = match axis {
            0 => {
                (line / rows * g.stride[0] + phase.start[0]) * height
                    + line % rows * g.stride[1]
                    + phase.start[1]
            }
            1 => line * g.stride[1] + phase.start[1],
            _ => return 0,
        };
        row * width
    }
}

/// `to[j · s + r] ← β·to[j · s + r] + row_r[j]` for the s rows.
fn join<'a, E: Real>(rows: impl ExactSizeIterator<Item = &'a [E]> + Clone, beta: E, to: &mut [E]) {
    let stride = rows.len();
    if stride == 2 && beta == E::zero() {
        let mut both = rows.clone();
        let (even, odd) = (both.next().expect("two rows"), both.next().expect("two rows"));
        let (pairs, _) = to.as_chunks_mut::<2>();
        for ((to, &even), &odd) in pairs.iter_mut().zip(even).zip(odd) {
            *to = [even, odd];
        }
        if even.len() > odd.len() {
            to[2 * odd.len()] = even[odd.len()];
        }
        return;
    }
    for (r, row) in rows.enumerate() {
        for (to, &sum) in to.iter_mut().skip(r).step_by(stride).zip(row) {
            *to = if beta == E::zero() { sum } else { beta * *to + sum };
        }
    }
}
