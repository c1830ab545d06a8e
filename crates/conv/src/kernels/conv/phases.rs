//! The gradient with respect to the input as convolutions of dy with stride 1.
//!
//! dx[i] sums dy[q]·w[t] over q·s + t·d − p = i. For i = s·j + r only every (s / gcd(s, d))-th tap has such a q, and
//! moving j by one moves q by one: each phase r is a convolution of dy with those taps in reverse.

use striate_compute::{Buffer, Real, par};

use crate::Geometry;

/// Rows of a product that cost about as much as making one row of columns.
const COLUMNS: usize = 6;

/// Phases that one convolution of dy gives; its features are (phase, channel).
pub(super) struct Part<E: Real> {
    pub(super) phases: Vec<[usize; 3]>,
    pub(super) geometry: Geometry,
    /// None where no tap reaches any of the phases.
    pub(super) weights: Option<Buffer<E>>,
}

/// The taps of a phase along one axis, by where they read: tap m of the phase reads dy at j + m·dilation − padding.
#[derive(Clone)]
struct Axis {
    dilation: usize,
    padding: isize,
    /// The tap of w for each m, if there is one.
    taps: Vec<Option<usize>>,
}

impl Axis {
    /// Phase `r` alone.
    fn one(g: &Geometry, axis: usize, r: usize) -> Self {
        let (s, d, k) = (g.stride[axis], g.dilation[axis], g.kernel[axis]);
        let divisor = gcd(s, d);
        let step = s / divisor;
        let Some(first) = (0..k.min(step)).find(|&t| reads(g, axis, r, t).is_some()) else {
            return Axis { dilation: 1, padding: 0, taps: Vec::new() };
        };
        let taps: Vec<Option<usize>> = (first..k).step_by(step).map(Some).rev().collect();
        let dilation = d / divisor;
        let start = reads(g, axis, r, first).expect("found by it");
        Axis { dilation, padding: ((taps.len() - 1) * dilation) as isize - start, taps }
    }

    /// The same taps in a longer list, that starts at `low` and has `len` entries.
    fn within(&self, low: isize, len: usize) -> Self {
        let before = (-self.padding - low) as usize;
        let mut taps = vec![None; len];
        taps[before..before + self.taps.len()].copy_from_slice(&self.taps);
        Axis { dilation: 1, padding: -low, taps }
    }

    /// The last place that is read from j = 0.
    fn last(&self) -> isize {
        self.taps.len() as isize - 1 - self.padding
    }
}

/// Where in dy tap `t` reads for the first place of phase `r`.
fn reads(g: &Geometry, axis: usize, r: usize, t: usize) -> Option<isize> {
    let s = g.stride[axis] as isize;
    let place = r as isize + g.padding[axis] - (t * g.dilation[axis]) as isize;
    (place.rem_euclid(s) == 0).then(|| place.div_euclid(s))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Phases along an axis: as many as steps, unless dx is shorter.
pub(super) fn count(g: &Geometry, axis: usize) -> usize {
    g.stride[axis].min(g.input[axis]).max(1)
}

/// Places of phase `r` along an axis.
pub(super) fn places(g: &Geometry, axis: usize, r: usize) -> usize {
    g.input[axis].saturating_sub(r).div_ceil(g.stride[axis])
}

/// All phases, the last axis fastest: each for itself, or all in one convolution where sharing the columns saves more
/// than the taps cost that some phases do not have.
pub(super) fn parts<E: Real>(g: &Geometry, w: &[E]) -> Vec<Part<E>> {
    let phases: Vec<[usize; 3]> = (0..count(g, 0))
        .flat_map(|d| (0..count(g, 1)).flat_map(move |h| (0..count(g, 2)).map(move |w| [d, h, w])))
        .collect();
    let single: Vec<[Axis; 3]> =
        phases.iter().map(|r| std::array::from_fn(|axis| Axis::one(g, axis, r[axis]))).collect();
    let taps = |axes: &[Axis; 3]| axes.iter().map(|axis| axis.taps.len()).product::<usize>();
    let channels = g.group_channels();
    let apart: usize = single.iter().map(|axes| taps(axes) * (channels.max(COLUMNS) + COLUMNS)).sum();
    if let Some(merged) = merge(&single)
        && taps(&merged[0]) * (phases.len() * channels + COLUMNS) < apart
    {
        return vec![Part::new(g, w, phases, &merged)];
    }
    phases
        .into_iter()
        .zip(&single)
        .map(|(r, axes)| Part::new(g, w, vec![r], std::slice::from_ref(axes)))
        .collect()
}

/// The phases with one list of taps for all, when they step by 1.
fn merge(phases: &[[Axis; 3]]) -> Option<Vec<[Axis; 3]>> {
    let some =
        phases.len() > 1 && phases.iter().flatten().all(|axis| axis.dilation == 1 && !axis.taps.is_empty());
    some.then(|| {
        let low: [isize; 3] =
            std::array::from_fn(|i| phases.iter().map(|axes| -axes[i].padding).min().expect("some"));
        let last: [isize; 3] =
            std::array::from_fn(|i| phases.iter().map(|axes| axes[i].last()).max().expect("some"));
        let within = |axes: &[Axis; 3]| {
            std::array::from_fn(|i| axes[i].within(low[i], (last[i] - low[i]) as usize + 1))
        };
        phases.iter().map(within).collect()
    })
}

impl<E: Real> Part<E> {
    /// Phases whose axes read the same places.
    fn new(g: &Geometry, w: &[E], phases: Vec<[usize; 3]>, axes: &[[Axis; 3]]) -> Self {
        let geometry = Geometry {
            batch: g.batch,
            groups: g.groups,
            channels: g.features,
            features: g.channels * phases.len(),
            input: g.output,
            output: std::array::from_fn(|axis| {
                phases.iter().map(|r| places(g, axis, r[axis])).max().unwrap_or(0)
            }),
            kernel: std::array::from_fn(|axis| axes[0][axis].taps.len()),
            stride: [1; 3],
            dilation: std::array::from_fn(|axis| axes[0][axis].dilation),
            padding: std::array::from_fn(|axis| axes[0][axis].padding),
        };
        let some = geometry.taps() > 0 && geometry.output_size() > 0;
        Part { phases, geometry, weights: some.then(|| transposed(g, w, axes)) }
    }
}

/// The taps of some phases as weights (group, phase, channel, feature, taps).
fn transposed<E: Real>(g: &Geometry, w: &[E], axes: &[[Axis; 3]]) -> Buffer<E> {
    let (channels, features, taps) = (g.group_channels(), g.group_features(), g.taps());
    let [_, kh, kw] = g.kernel;
    let taken: Vec<Vec<Option<usize>>> =
        axes.iter()
            .map(|[d, h, w]| {
                let all = d
                    .taps
                    .iter()
                    .flat_map(|&d| h.taps.iter().flat_map(move |&h| w.taps.iter().map(move |&w| (d, h, w))));
                all.map(|taps| {
                    if let (Some(d), Some(h), Some(w)) = taps { Some((d * kh + h) * kw + w) } else { None }
                })
                .collect()
            })
            .collect();
    let each = taken[0].len();
    let mut to = Buffer::scratch(g.groups * axes.len() * channels * features * each);
    par::pieces_mut(&mut to, (features * each).max(1), |row, to| {
        let (group, phase, c) = (row / channels / axes.len(), row / channels % axes.len(), row % channels);
        for (f, to) in to.chunks_exact_mut(each).enumerate() {
            let from = &w[((group * features + f) * channels + c) * taps..][..taps];
            for (to, t) in to.iter_mut().zip(&taken[phase]) {
                *to = t.map_or(E::zero(), |t| from[t]);
            }
        }
    });
    to
}
