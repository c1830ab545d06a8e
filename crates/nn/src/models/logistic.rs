//! Logistic regression as maximum likelihood.

use ndarray::ArrayView2;
use striate_tensor::Tensor;

use super::perceptron::{BinaryDataError, check};
use crate::losses::{BinaryCrossEntropyOptions, Reduction, binary_cross_entropy_from_logits_with};

/// Options of [`LogisticRegression::fit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogisticOptions {
    /// λ ≥ 0 of the penalty λ/2 ‖w‖² on the weights, the bias not among them. With 0 separable data has no maximum:
    /// w grows until `max_steps` ends it.
    pub ridge: f64,
    /// The largest gradient component, per sample, at which the maximum counts as reached.
    pub tolerance: f64,
    /// Most Newton steps.
    pub max_steps: usize,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        LogisticOptions { ridge: 0.0, tolerance: 1e-9, max_steps: 50 }
    }
}

/// How fitting went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogisticReport {
    /// log L(w) = Σ ln p(yᵢ | xᵢ, w) at the end, without the penalty.
    pub log_likelihood: f64,
    /// Newton steps taken.
    pub steps: usize,
    /// Whether the gradient is within the tolerance.
    pub converged: bool,
}

/// p(y = 1 | x) = σ(wᵀx + b), with w and b of maximum likelihood.
///
/// The labels are Bernoulli distributed: p(y | x) = σ(z)^y (1 − σ(z))^(1−y), z = wᵀx + b; the samples are
/// independent, so log L = Σ y ln σ(z) + (1 − y) ln(1 − σ(z)). The negative of that is minimised by Newton's method
/// with the tape's gradient Xᵀ(p − y) and the Hessian XᵀSX, S = diag p (1 − p), halving steps that do not go down.
/// The notes' section 3.
///
/// ```
/// use ndarray::array;
/// use striate_nn::models::logistic::{LogisticOptions, LogisticRegression};
///
/// let x = array![[0.0], [1.0], [2.0], [3.0]];
/// let mut model = LogisticRegression::new(1);
/// let report = model.fit(x.view(), &[0, 1, 0, 1], LogisticOptions::default())?;
/// assert!(report.converged);
/// assert!(model.probabilities(x.view())?.windows(2).all(|p| p[0] < p[1]));
/// # Ok::<(), striate_nn::models::perceptron::BinaryDataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    /// w, the last number of which is the bias b.
    pub weights: Vec<f64>,
}

impl LogisticRegression {
    /// A model with w = 0.
    pub fn new(features: usize) -> Self {
        LogisticRegression { weights: vec![0.0; features + 1] }
    }

    /// Maximises the likelihood of labels of 0 and 1 given x (N, features), going on from the weights that are there.
    ///
    /// # Errors
    /// When the data does not fit, or an option has no meaningful value; then nothing is learnt.
    pub fn fit(
        &mut self,
        x: ArrayView2<f64>,
        labels: &[usize],
        options: LogisticOptions,
    ) -> Result<LogisticReport, BinaryDataError> {
        let LogisticOptions { ridge, tolerance, max_steps } = options;
        check(x, labels, self.weights.len() - 1)?;
        if !(ridge >= 0.0 && ridge.is_finite()) {
            let rule = "finite and not negative";
            return Err(BinaryDataError::Option { name: "ridge", value: ridge, rule });
        }
        let x = with_ones(x);
        let y = Tensor::from_vec(&[labels.len()], labels.iter().map(|&y| y as f64).collect());
        let mut steps = 0;
        loop {
            let (loss, gradient) = self.penalised(&x, &y, ridge);
            let largest = gradient.iter().fold(0.0, |max: f64, g| max.max(g.abs()));
            let converged = largest <= tolerance * labels.len() as f64;
            if converged || steps == max_steps || !self.step(&x, &y, ridge, loss, &gradient) {
                let log_likelihood = -self.negative_log_likelihood(&x, &y, &self.variable()).item();
                return Ok(LogisticReport { log_likelihood, steps, converged });
            }
            steps += 1;
        }
    }

    /// p(y = 1 | x) for every row of x (N, features).
    ///
    /// # Errors
    /// When x has another number of features.
    pub fn probabilities(&self, x: ArrayView2<f64>) -> Result<Vec<f64>, BinaryDataError> {
        let expected = self.weights.len() - 1;
        if x.ncols() != expected {
            return Err(BinaryDataError::Features { expected, found: x.ncols() });
        }
        Ok(with_ones(x).matmul(&self.variable()).sigmoid().to_vec())
    }

    fn variable(&self) -> Tensor<f64> {
        Tensor::from_slice(&self.weights)
    }

    fn negative_log_likelihood(&self, x: &Tensor<f64>, y: &Tensor<f64>, w: &Tensor<f64>) -> Tensor<f64> {
        let options = BinaryCrossEntropyOptions { reduction: Reduction::Sum, ..Default::default() };
        binary_cross_entropy_from_logits_with(&x.matmul(w), y, options)
    }

    /// −log L + λ/2 ‖w‖² and its gradient.
    fn penalised(&self, x: &Tensor<f64>, y: &Tensor<f64>, ridge: f64) -> (f64, Vec<f64>) {
        let w = self.variable().requires_grad();
        let loss = self.negative_log_likelihood(x, y, &w);
        let mut gradient = loss.backward().get(&w).expect("the loss depends on w").to_vec();
        let slopes = &self.weights[..self.weights.len() - 1];
        gradient.iter_mut().zip(slopes).for_each(|(g, w)| *g += ridge * w);
        (loss.item() + 0.5 * ridge * slopes.iter().map(|w| w * w).sum::<f64>(), gradient)
    }

    /// One Newton step that lowers the loss; `false` when none does.
    fn step(&mut self, x: &Tensor<f64>, y: &Tensor<f64>, ridge: f64, loss: f64, gradient: &[f64]) -> bool {
        let p = x.matmul(&self.variable()).sigmoid();
        let s = (&p - &p * &p).reshape(&[-1, 1]);
        let mut hessian = x.t().matmul(&(x * s)).to_vec();
        let n = gradient.len();
        for i in 0..n {
            hessian[i * n + i] += if i + 1 < n { ridge } else { 0.0 };
        }
        let start = self.weights.clone();
        let direction = solve(hessian, gradient.to_vec());
        let mut length = 1.0;
        while length > 1e-10 {
            self.weights = start.iter().zip(&direction).map(|(w, d)| w - length * d).collect();
            if self.penalised(x, y, ridge).0 < loss {
                return true;
            }
            length /= 2.0;
        }
        self.weights = start;
        false
    }
}

/// x with a column of ones, for the bias.
fn with_ones(x: ArrayView2<f64>) -> Tensor<f64> {
    let rows = x.rows().into_iter().flat_map(|x| x.into_iter().copied().chain([1.0])).collect();
    Tensor::from_vec(&[x.nrows(), x.ncols() + 1], rows)
}

/// H⁻¹ b for a positive semi-definite H (n, n), by Cholesky's method; tiny pivots count as infinite, so that
/// directions in which the data says nothing stay as they are.
fn solve(mut h: Vec<f64>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    let largest = (0..n).map(|i| h[i * n + i]).fold(0.0, f64::max);
    for j in 0..n {
        let pivot = h[j * n + j] - (0..j).map(|k| h[j * n + k].powi(2)).sum::<f64>();
        let pivot = if pivot > 1e-14 * largest { pivot.sqrt() } else { f64::INFINITY };
        h[j * n + j] = pivot;
        for i in j + 1..n {
            let rest = h[i * n + j] - (0..j).map(|k| h[i * n + k] * h[j * n + k]).sum::<f64>();
            h[i * n + j] = rest / pivot;
        }
    }
    for i in 0..n {
        b[i] = (b[i] - (0..i).map(|k| h[i * n + k] * b[k]).sum::<f64>()) / h[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] = (b[i] - (i + 1..n).map(|k| h[k * n + i] * b[k]).sum::<f64>()) / h[i * n + i];
    }
    b
}
