//! The evidence ln p(x) by importance sampling.

use striate_nn::Rng;
use striate_tensor::{Real, Tensor};

use crate::gaussian::{Gaussian, standard_normal};
use crate::observation::Observation;

/// How [`super::Vae::log_evidence`] samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidenceOptions {
    /// K, samples of z for each x.
    pub samples: usize,
    /// Most codes that are decoded at a time, which bounds the memory; at least those of one sample for each x.
    pub rows: usize,
}

impl Default for EvidenceOptions {
    /// K = 5,000
    fn default() -> Self {
        EvidenceOptions { samples: 5000, rows: 4096 }
    }
}

/// ln 1/K Σₖ p(x|zₖ) p(zₖ) / q(zₖ|x) for each x. The K samples of the noise are drawn one after the other, so that the
/// number of rows does not matter.
#[track_caller]
pub(super) fn log_evidence<E: Real>(
    x: &Tensor<E>,
    q: &Gaussian<E>,
    decode: impl Fn(&Tensor<E>) -> Observation<E>,
    options: EvidenceOptions,
    rng: &mut Rng,
) -> Vec<f64> {
    let EvidenceOptions { samples, rows } = options;
    assert!(samples > 0, "log_evidence: there must be a sample");
    let batch = x.shape()[0];
    let mut sums = vec![LogSum::default(); batch];
    let mut left = samples;
    while left > 0 && batch > 0 {
        let count = (rows / batch).clamp(1, left);
        let log_weights = log_weights(x, q, &decode, count, rng).to_vec();
        log_weights.chunks_exact(batch).for_each(|weights| {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| sum.add(weight.f64()));
        });
        left -= count;
    }
    sums.iter().map(|sum| sum.value() - (samples as f64).ln()).collect()
}

/// ln p(x|z) + ln p(z) − ln q(z|x) for `count` samples of z for each x: (count · N).
#[track_caller]
fn log_weights<E: Real>(
    x: &Tensor<E>,
    q: &Gaussian<E>,
    decode: &impl Fn(&Tensor<E>) -> Observation<E>,
    count: usize,
    rng: &mut Rng,
) -> Tensor<E> {
    let shape = q.mean.shape();
    let noise: Vec<Tensor<E>> = (0..count).map(|_| standard_normal(shape, rng)).collect();
    let noise = Tensor::stack(&noise.iter().collect::<Vec<_>>(), 0);
    let z = &q.mean + (&q.log_variance * 0.5).exp() * &noise;
    // ln N(z; 0, 1) − ln N(z; μ, σ²) = ½ (ε² + ln σ² − z²)
    let ratio = (&noise * &noise + &q.log_variance - &z * &z).sum_dim(&[2], false) * 0.5;
    let all = [&[count], x.shape()].concat();
    let x = x.expand(&all).flatten(0, 1);
    decode(&z.flatten(0, 1)).log_likelihoods(&x) + ratio.flatten(0, 1)
}

/// ln Σ eʷ of numbers that come one by one.
#[derive(Clone, Copy)]
struct LogSum {
    largest: f64,
    /// Σ e^(w − largest)
    sum: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        LogSum { largest: f64::NEG_INFINITY, sum: 0.0 }
    }
}

impl LogSum {
    fn add(&mut self, w: f64) {
        if w > self.largest {
            self.sum = self.sum * (self.largest - w).exp() + 1.0;
            self.largest = w;
        } else if w > f64::NEG_INFINITY || w.is_nan() {
            self.sum += (w - self.largest).exp();
        }
    }

    fn value(&self) -> f64 {
        self.largest + self.sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_exponentials_neither_overflow_nor_vanish() {
        let value = |weights: &[f64]| {
            let mut sum = LogSum::default();
            weights.iter().for_each(|&w| sum.add(w));
            sum.value()
        };
        assert!((value(&[0.0, 1.0, -1.0]) - (1.0 + 1f64.exp() + (-1f64).exp()).ln()).abs() < 1e-15);
        assert!((value(&[-2000.0, -2000.0]) - (-2000.0 + 2f64.ln())).abs() < 1e-12);
        assert!((value(&[2000.0, -2000.0, 2000.0]) - (2000.0 + 2f64.ln())).abs() < 1e-12);
        assert_eq!(value(&[f64::NEG_INFINITY, 0.5]), 0.5);
        assert_eq!(value(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert!(value(&[0.5, f64::NAN]).is_nan());
    }
}
