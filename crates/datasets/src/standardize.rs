//! Shifting and scaling to mean 0 and variance 1, by the training samples.

use ndarray::{Array1, ArrayD, ArrayView2};

use crate::Labelled;

/// What shares a mean and a standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Every feature (every position of a sample) has its own.
    Feature,
    /// All positions of a channel share one: axis 1 of (N, C, …).
    Channel,
}

/// Shifts and scales samples to mean 0 and variance 1: y = (x − mean) / std.
///
/// Mean and (biased) standard deviation are those of the samples it was fitted on. Fit it on the training part only
/// and apply it to both. A feature that never varies is only shifted. scikit-learn: `StandardScaler`.
///
/// ```
/// use striate_datasets::{Per, Standardize, digits};
///
/// let standardize = Standardize::fit(digits().train(), Per::Feature);
/// let train = standardize.apply(digits().train());
/// let test = standardize.apply(digits().test());
/// assert!(train.images().mean().unwrap().abs() < 1e-6);
/// let pixels = standardize.inverse(test.images().to_owned());
/// assert!((&pixels - &digits().test().images()).iter().all(|d| d.abs() < 1e-5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    per: Per,
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Standardize {
    /// Measures mean and standard deviation.
    ///
    /// # Panics
    /// For [`Per::Channel`], when the samples have no channels (axis 1).
    #[track_caller]
    pub fn fit(train: &Labelled, per: Per) -> Self {
        let images = train.images();
        let groups = match per {
            Per::Feature => images.shape()[1..].iter().product(),
            Per::Channel => {
                assert!(images.ndim() > 1, "Standardize::fit: no channels in shape {:?}", images.shape());
                images.shape()[1]
            }
        };
        let features = train.features();
        let count = (features.len() / groups.max(1)).max(1) as f64;
        let mean = sums(features, groups, |_, x| x) / count;
        let variance = sums(features, groups, |group, x| (x - mean[group]).powi(2)) / count;
        let std = variance.mapv(|v| if v > 0.0 { v.sqrt() as f32 } else { 1.0 }).to_vec();
        Self { per, mean: mean.mapv(|mean| mean as f32).to_vec(), std }
    }

    /// The means, by feature or by channel.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The standard deviations, by feature or by channel; 1 where the training samples do not vary.
    pub fn std(&self) -> &[f32] {
        &self.std
    }

    /// The standardised data set: [`transform`](Self::transform) of its samples.
    #[track_caller]
    pub fn apply(&self, data: &Labelled) -> Labelled {
        data.map_images(|images| self.transform(images))
    }

    /// y = (x − mean) / std, for samples (N, …).
    ///
    /// # Panics
    /// When the samples have another number of features (or channels) than those it was fitted on.
    #[track_caller]
    pub fn transform(&self, samples: ArrayD<f32>) -> ArrayD<f32> {
        self.map(samples, |x, mean, std| (x - mean) / std)
    }

    /// x = y · std + mean; panics as [`transform`](Self::transform).
    #[track_caller]
    pub fn inverse(&self, samples: ArrayD<f32>) -> ArrayD<f32> {
        self.map(samples, |y, mean, std| y * std + mean)
    }

    #[track_caller]
    fn map(&self, samples: ArrayD<f32>, f: impl Fn(f32, f32, f32) -> f32) -> ArrayD<f32> {
        let shape = samples.shape();
        let sample_len: usize = shape.iter().skip(1).product();
        let groups = match self.per {
            Per::Feature => sample_len,
            Per::Channel => shape.get(1).copied().unwrap_or(0),
        };
        assert!(
            !shape.is_empty() && groups == self.mean.len(),
            "Standardize: fitted per {:?} on {}, got shape {shape:?}",
            self.per,
            self.mean.len()
        );
        let width = (sample_len / groups.max(1)).max(1);
        let mut samples =
            if samples.is_standard_layout() { samples } else { samples.as_standard_layout().into_owned() };
        let values = samples.as_slice_mut().expect("standard layout");
        for (position, group) in values.chunks_mut(width).enumerate() {
            let (mean, std) = (self.mean[position % groups], self.std[position % groups]);
            group.iter_mut().for_each(|x| *x = f(*x, mean, std));
        }
        samples
    }
}

/// Σ term(group, x) over the samples, for every group of neighbouring features.
fn sums(features: ArrayView2<f32>, groups: usize, term: impl Fn(usize, f64) -> f64) -> Array1<f64> {
    let width = (features.ncols() / groups.max(1)).max(1);
    let mut sums = Array1::zeros(groups);
    for row in features.rows() {
        let row = row.to_slice().expect("samples are kept in standard layout");
        for (group, values) in row.chunks(width).enumerate() {
            sums[group] += values.iter().map(|&x| term(group, x.into())).sum::<f64>();
        }
    }
    sums
}
