//! Small problems made from a seed: two moons, spirals, blobs, XOR and curves.

use std::f64::consts::PI;
use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use striate_compute::rng::Rng;

use crate::{Labelled, Regression};

/// How many samples to make, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Number of samples. Default: 200.
    pub samples: usize,
    /// Standard deviation of the normal noise on every coordinate (or target). Default: 0.1.
    pub noise: f64,
    /// Seed of the random numbers. Default: 0.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { samples: 200, noise: 0.1, seed: 0 }
    }
}

/// Two interleaved half circles: (cos t, sin t) and (1 − cos t, ½ − sin t), t from 0 to π.
///
/// Features (N, 2), classes alternate. scikit-learn: `make_moons`.
///
/// ```
/// use striate_datasets::synthetic::{Sampling, two_moons};
/// let moons = two_moons(&Sampling { samples: 500, ..Sampling::default() });
/// assert_eq!(moons.features().shape(), [500, 2]);
/// ```
pub fn two_moons(sampling: &Sampling) -> Labelled {
    points(sampling, 2, |class, rng| {
        let t = rng.uniform() * PI;
        if class == 0 { [t.cos(), t.sin()] } else { [1.0 - t.cos(), 0.5 - t.sin()] }
    })
}

/// Spiral arms from the origin to the unit circle: r (cos φ, sin φ), φ = 4r + 2π · class / arms, r from 0 to 1.
///
/// Features (N, 2), classes take turns.
///
/// # Panics
/// When there is no arm.
///
/// ```
/// use striate_datasets::synthetic::{Sampling, spirals};
/// let spirals = spirals(3, &Sampling { noise: 0.02, ..Sampling::default() });
/// assert_eq!(spirals.classes().len(), 3);
/// ```
#[track_caller]
pub fn spirals(arms: usize, sampling: &Sampling) -> Labelled {
    assert!(arms > 0, "spirals: there must be an arm");
    points(sampling, arms, |class, rng| {
        let radius = rng.uniform();
        let angle = 4.0 * radius + 2.0 * PI * class as f64 / arms as f64;
        [radius * angle.cos(), radius * angle.sin()]
    })
}

/// Normal clouds around the rows of `centers` (classes, D), with standard deviation [`Sampling::noise`].
///
/// Features (N, D), classes take turns. scikit-learn: `make_blobs`.
///
/// # Panics
/// When there is no center.
///
/// ```
/// use ndarray::arr2;
/// use striate_datasets::synthetic::{Sampling, blobs};
/// let blobs = blobs(arr2(&[[-1.0, 0.0], [1.0, 0.0]]).view(), &Sampling::default());
/// assert_eq!(blobs.labels()[..4], [0, 1, 0, 1]);
/// ```
#[track_caller]
pub fn blobs(centers: ArrayView2<f64>, sampling: &Sampling) -> Labelled {
    assert!(centers.nrows() > 0, "blobs: there must be a center");
    points(sampling, centers.nrows(), |class, _| centers.row(class).to_vec())
}

/// Exclusive or: points around the corners (±1, ±1), class 1 where the signs differ.
///
/// Features (N, 2), classes alternate.
///
/// ```
/// use striate_datasets::synthetic::{Sampling, xor};
/// let xor = xor(&Sampling::default());
/// let signs_differ = |row: ndarray::ArrayView1<f32>| row[0] * row[1] < 0.0;
/// assert!(xor.features().rows().into_iter().zip(xor.labels()).all(|(x, &y)| signs_differ(x) == (y == 1)));
/// ```
pub fn xor(sampling: &Sampling) -> Labelled {
    points(sampling, 2, |class, rng| {
        let x = if rng.below(2) == 0 { -1.0 } else { 1.0 };
        if class == 0 { [x, x] } else { [x, -x] }
    })
}

/// A curve to fit: x uniform in `range`, y = f(x) + noise. Inputs (N, 1), targets (N, 1).
///
/// ```
/// use striate_datasets::synthetic::{Sampling, curve};
/// let sine = curve(f64::sin, -3.0..3.0, &Sampling { noise: 0.0, ..Sampling::default() });
/// assert!(sine.inputs().iter().zip(sine.targets()).all(|(x, y)| (x.sin() - y).abs() < 1e-6));
/// ```
pub fn curve(f: impl Fn(f64) -> f64, range: Range<f64>, sampling: &Sampling) -> Regression {
    let mut rng = Rng::named(sampling.seed, "synthetic");
    let sample = |_| {
        let x = range.start + (range.end - range.start) * rng.uniform();
        (x as f32, (f(x) + sampling.noise * rng.normal()) as f32)
    };
    let (inputs, targets): (Vec<f32>, Vec<f32>) = (0..sampling.samples).map(sample).unzip();
    let column = |values| Array2::from_shape_vec((sampling.samples, 1), values).expect("one value a row");
    Regression::new(column(inputs), column(targets)).expect("as many inputs as targets")
}

/// Sample i is of class i modulo `classes`, at `place(class)` plus noise.
fn points<P: AsRef<[f64]>>(
    sampling: &Sampling,
    classes: usize,
    place: impl Fn(usize, &mut Rng) -> P,
) -> Labelled {
    let mut rng = Rng::named(sampling.seed, "synthetic");
    let labels: Vec<usize> = (0..sampling.samples).map(|i| i % classes).collect();
    let mut values = Vec::new();
    for &class in &labels {
        let place = place(class, &mut rng);
        values.extend(place.as_ref().iter().map(|x| (x + sampling.noise * rng.normal()) as f32));
    }
    let width = values.len() / labels.len().max(1);
    let features = Array2::from_shape_vec((labels.len(), width), values).expect("places are equally long");
    let names = (0..classes).map(|class| class.to_string());
    Labelled::new(features.into_dyn(), labels, names).expect("a label for every point")
}
