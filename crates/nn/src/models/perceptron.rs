//! Rosenblatt's perceptron with its own learning rule.

use ndarray::{ArrayView1, ArrayView2};

/// What is wrong with data that a binary classifier is to learn from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BinaryDataError {
    /// There is nothing to learn from.
    #[error("there are no samples")]
    Empty,
    /// One label per sample.
    #[error("{samples} samples come with {labels} labels")]
    Labels {
        /// Rows of the inputs.
        samples: usize,
        /// Labels.
        labels: usize,
    },
    /// A label is neither 0 nor 1.
    #[error("label {label} of sample {sample} is neither 0 nor 1")]
    Label {
        /// Which sample.
        sample: usize,
        /// Its label.
        label: usize,
    },
    /// An input is infinite or not a number.
    #[error("feature {feature} of sample {sample} is {value}, not a finite number")]
    NotFinite {
        /// Which sample.
        sample: usize,
        /// Which feature.
        feature: usize,
        /// Its value.
        value: f64,
    },
    /// Samples have another number of features than the model.
    #[error("samples have {found} features, the model {expected}")]
    Features {
        /// The model's.
        expected: usize,
        /// The samples'.
        found: usize,
    },
    /// An option has no meaningful value.
    #[error("{name} is {value}, it must be {rule}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        rule: &'static str,
    },
}

/// Checks inputs (N, features) and labels of 0 and 1.
pub(super) fn check(x: ArrayView2<f64>, labels: &[usize], features: usize) -> Result<(), BinaryDataError> {
    if x.nrows() == 0 {
        return Err(BinaryDataError::Empty);
    }
    if x.ncols() != features {
        return Err(BinaryDataError::Features { expected: features, found: x.ncols() });
    }
    if x.nrows() != labels.len() {
        return Err(BinaryDataError::Labels { samples: x.nrows(), labels: labels.len() });
    }
    if let Some((sample, &label)) = labels.iter().enumerate().find(|&(_, &label)| label > 1) {
        return Err(BinaryDataError::Label { sample, label });
    }
    if let Some(((sample, feature), &value)) = x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(BinaryDataError::NotFinite { sample, feature, value });
    }
    Ok(())
}

/// Options of [`Perceptron::fit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerceptronOptions {
    /// η, which scales w and changes no prediction when w starts at 0.
    pub learning_rate: f64,
    /// Most passes over the data: what ends the rule on data that no plane separates.
    pub max_epochs: usize,
}

impl Default for PerceptronOptions {
    fn default() -> Self {
        PerceptronOptions { learning_rate: 1.0, max_epochs: 1000 }
    }
}

/// How learning went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerceptronReport {
    /// How often a sample was on the wrong side, and w changed.
    pub mistakes: usize,
    /// Passes over the data, the last one without a mistake when it converged.
    pub epochs: usize,
    /// Whether all samples are on the right side.
    pub converged: bool,
    /// (R/γ)² ≥ mistakes (Novikoff 1962) when w started at 0: R is the largest ‖(x, 1)‖, γ the smallest distance of a
    /// sample from the plane that was found. `None` when none was found, or a sample lies in it.
    pub margin_bound: Option<f64>,
}

/// A linear threshold unit: ŷ = 1 when wᵀx > 0, else 0, with x followed by a constant 1 for the bias.
///
/// While there is an x with ŷ ≠ y: w ← w + η (y − ŷ) x. On separable data the rule ends after finitely many mistakes.
/// Not gradient descent: the threshold has no gradient. The notes' section 3; Rosenblatt 1958.
///
/// ```
/// use ndarray::array;
/// use striate_nn::models::perceptron::{Perceptron, PerceptronOptions, margin_bound};
///
/// let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let and = [0, 0, 0, 1];
/// let mut unit = Perceptron::new(2);
/// let report = unit.fit(x.view(), &and, PerceptronOptions::default())?;
/// let bound = margin_bound(x.view(), &and, &[1.0, 1.0, -1.5]).unwrap();
/// assert!(report.converged && report.mistakes as f64 <= bound);
/// assert_eq!(unit.predict(x.view())?, and);
/// # Ok::<(), striate_nn::models::perceptron::BinaryDataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Perceptron {
    /// w, the last number of which is the bias.
    pub weights: Vec<f64>,
}

impl Perceptron {
    /// A unit with w = 0.
    pub fn new(features: usize) -> Self {
        Perceptron { weights: vec![0.0; features + 1] }
    }

    /// wᵀx, bias included.
    fn score(&self, x: ArrayView1<f64>) -> f64 {
        let (bias, weights) = self.weights.split_last().expect("there is a bias");
        x.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() + bias
    }

    /// Learns from x (N, features) and labels of 0 and 1, in their order, going on from the weights that are there.
    ///
    /// # Errors
    /// When the data does not fit, or an option has no meaningful value; then nothing is learnt.
    pub fn fit(
        &mut self,
        x: ArrayView2<f64>,
        labels: &[usize],
        options: PerceptronOptions,
    ) -> Result<PerceptronReport, BinaryDataError> {
        let PerceptronOptions { learning_rate, max_epochs } = options;
        check(x, labels, self.weights.len() - 1)?;
        if !(learning_rate > 0.0 && learning_rate.is_finite()) {
            let rule = "positive and finite";
            return Err(BinaryDataError::Option { name: "learning_rate", value: learning_rate, rule });
        }
        let mut report = PerceptronReport { mistakes: 0, epochs: 0, converged: false, margin_bound: None };
        while report.epochs < max_epochs && !report.converged {
            report.epochs += 1;
            report.converged = true;
            for (x, &label) in x.rows().into_iter().zip(labels) {
                let predicted = usize::from(self.score(x) > 0.0);
                if predicted == label {
                    continue;
                }
                report.converged = false;
                report.mistakes += 1;
                let step = learning_rate * (label as f64 - predicted as f64);
                for (w, x) in self.weights.iter_mut().zip(x.iter().chain(&[1.0])) {
                    *w += step * x;
                }
            }
        }
        if report.converged {
            report.margin_bound = margin_bound(x, labels, &self.weights);
        }
        Ok(report)
    }

    /// ŷ of every row of x (N, features).
    ///
    /// # Errors
    /// When x has another number of features.
    pub fn predict(&self, x: ArrayView2<f64>) -> Result<Vec<usize>, BinaryDataError> {
        let expected = self.weights.len() - 1;
        if x.ncols() != expected {
            return Err(BinaryDataError::Features { expected, found: x.ncols() });
        }
        Ok(x.rows().into_iter().map(|x| usize::from(self.score(x) > 0.0)).collect())
    }
}

/// (R/γ)², the most mistakes that the rule makes from w = 0 (Novikoff 1962), given a separating direction.
///
/// R = max ‖(x, 1)‖, γ = min (2y − 1) wᵀ(x, 1) / ‖w‖ over x (N, features) with labels of 0 and 1; w ends in the bias.
/// `None` when w does not separate the samples with a margin.
///
/// ```
/// use ndarray::array;
/// use striate_nn::models::perceptron::margin_bound;
///
/// let x = array![[-1.0], [1.0]];
/// assert_eq!(margin_bound(x.view(), &[0, 1], &[1.0, 0.0]), Some(2.0));
/// assert_eq!(margin_bound(x.view(), &[1, 0], &[1.0, 0.0]), None);
/// ```
pub fn margin_bound(x: ArrayView2<f64>, labels: &[usize], direction: &[f64]) -> Option<f64> {
    let square = |x: ArrayView1<f64>| x.iter().map(|x| x * x).sum::<f64>() + 1.0;
    let radius = x.rows().into_iter().map(square).fold(0.0, f64::max);
    let length = direction.iter().map(|w| w * w).sum::<f64>();
    let unit = Perceptron { weights: direction.to_vec() };
    let margins = x.rows().into_iter().zip(labels).map(|(x, &y)| (2.0 * y as f64 - 1.0) * unit.score(x));
    let margin = margins.fold(f64::INFINITY, f64::min);
    (margin > 0.0).then(|| radius * length / (margin * margin))
}
