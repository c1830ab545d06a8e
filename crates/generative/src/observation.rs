//! What a decoder gives for a code.

use std::f64::consts::TAU;

use striate_nn::losses::{
    BinaryCrossEntropyOptions, GaussianNllOptions, Reduction, binary_cross_entropy_from_logits_with,
    gaussian_nll, squared_error_with,
};
use striate_nn::{CrossEntropyOptions, Rng, cross_entropy_with};
use striate_tensor::{Array, Real, Tensor};

use crate::gaussian::{Gaussian, standard_normal};
use crate::likelihood::categories;

/// The distributions p(x|z) for a batch of codes: those of a decoder's output.
///
/// ```
/// use striate_generative::Observation;
/// use striate_tensor::Tensor;
///
/// let fair = Observation::Bernoulli { logits: Tensor::<f64>::zeros(&[2, 3]) };
/// assert_eq!(fair.mean().to_vec(), [0.5; 6]);
/// let log_likelihoods = fair.log_likelihoods(&Tensor::ones(&[2, 3])).to_vec();
/// assert!(log_likelihoods.iter().all(|l| (l - 3.0 * 0.5f64.ln()).abs() < 1e-12));
/// ```
#[derive(Clone)]
pub enum Observation<E: Real = f32> {
    /// x is 1 with probability p = σ(logit).
    Bernoulli {
        /// ln p / (1 − p), (N, …).
        logits: Tensor<E>,
    },
    /// N(μ, σ²): μ (N, …), and ln σ² of the same shape or, when all elements share it, without axes.
    Gaussian(Gaussian<E>),
    /// One of K categories with probabilities softmax(logits).
    Categorical {
        /// (N, K, …)
        logits: Tensor<E>,
    },
}

impl<E: Real> Observation<E> {
    /// ln p(x|z), summed over all elements of the batch.
    ///
    /// # Panics
    /// When x has another shape, or for categories is not below K.
    #[track_caller]
    pub fn log_likelihood(&self, x: &Tensor<E>) -> Tensor<E> {
        match self {
            Observation::Gaussian(Gaussian { mean, log_variance }) if log_variance.rank() == 0 => {
                let errors = squared_error_with(mean, x, Reduction::Sum);
                shared_variance(errors, log_variance, x.len())
            }
            _ => -self.negative(x, Reduction::Sum),
        }
    }

    /// ln p(x|z) of each sample (N).
    ///
    /// # Panics
    /// As [`Observation::log_likelihood`].
    #[track_caller]
    pub fn log_likelihoods(&self, x: &Tensor<E>) -> Tensor<E> {
        let rows = |elements: Tensor<E>| elements.flatten(1, -1).sum_dim(&[1], false);
        match self {
            Observation::Gaussian(Gaussian { mean, log_variance }) if log_variance.rank() == 0 => {
                let errors = rows(squared_error_with(mean, x, Reduction::None));
                shared_variance(errors, log_variance, x.shape()[1..].iter().product())
            }
            _ => -rows(self.negative(x, Reduction::None)),
        }
    }

    /// E\[x|z\] (N, …): p, μ, or Σ k p_k.
    pub fn mean(&self) -> Tensor<E> {
        match self {
            Observation::Bernoulli { logits } => logits.sigmoid(),
            Observation::Gaussian(Gaussian { mean, .. }) => mean.clone(),
            Observation::Categorical { logits } => {
                let mut axes = vec![1; logits.rank()];
                axes[1] = -1;
                let k = Tensor::arange(0.0, logits.shape()[1]).reshape(&axes);
                (logits.softmax(1) * k).sum_dim(&[1], false)
            }
        }
    }

    /// Samples of x (N, …): constants.
    pub fn sample(&self, rng: &mut Rng) -> Tensor<E> {
        match self {
            Observation::Bernoulli { logits } => {
                let chance = uniform(logits.shape(), rng);
                chance.lt(logits.sigmoid().detach())
            }
            Observation::Gaussian(Gaussian { mean, log_variance }) => {
                let std = (log_variance.detach() * 0.5).exp();
                mean.detach() + std * standard_normal(mean.shape(), rng)
            }
            Observation::Categorical { logits } => {
                // The first k at which the distribution function passes u.
                let below = logits.detach().softmax(1).cumsum(1);
                let last = below.shape()[1] - 1;
                let shape: Vec<usize> = below.select(1, 0).shape().to_vec();
                let chance = uniform(&shape, rng).unsqueeze(1);
                below.narrow(1, 0, last).le(chance).sum_dim(&[1], false)
            }
        }
    }

    /// −ln p of the elements, or their sum.
    #[track_caller]
    fn negative(&self, x: &Tensor<E>, reduction: Reduction) -> Tensor<E> {
        match self {
            Observation::Bernoulli { logits } => {
                let options = BinaryCrossEntropyOptions { reduction, ..Default::default() };
                binary_cross_entropy_from_logits_with(logits, x, options)
            }
            Observation::Gaussian(Gaussian { mean, log_variance }) => {
                let options = GaussianNllOptions { full: true, reduction, ..Default::default() };
                gaussian_nll(mean, x, &log_variance.exp(), options)
            }
            Observation::Categorical { logits } => {
                let options = CrossEntropyOptions { reduction, ..Default::default() };
                cross_entropy_with(logits, &categories(x), options)
            }
        }
    }
}

/// −½ (e / σ² + n ln 2π σ²) for sums e of n squared errors.
fn shared_variance<E: Real>(errors: Tensor<E>, log_variance: &Tensor<E>, n: usize) -> Tensor<E> {
    (errors * (-log_variance).exp() + (log_variance + TAU.ln()) * n as f64) * -0.5
}

fn uniform<E: Real>(shape: &[usize], rng: &mut Rng) -> Tensor<E> {
    Array::build(shape, |u| rng.fill_uniform(u, 0.0, 1.0)).into()
}
