//! Losses of regression: negative log-likelihoods of the target around the prediction, up to constants.

use striate_tensor::{Real, Tensor};

use super::Reduction;
use super::elementwise::{Term, at_least, reduced};

/// Squared error: the negative log-likelihood of a Gaussian of variance ½, up to a constant; the mean.
///
/// L = 1/N Σ (x − t)²; dL/dx = 2 (x − t) / N
///
/// `prediction` and `target` have one shape. PyTorch's `F.mse_loss`.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::losses::squared_error;
/// use striate_tensor::Tensor;
///
/// let (x, t) = (Tensor::from_slice(&[1.0f32, 2.0]), Tensor::from_slice(&[1.0, 4.0]));
/// assert_eq!(squared_error(&x, &t).item(), 2.0);
/// ```
#[doc(alias = "mse_loss")]
#[doc(alias = "MSELoss")]
#[track_caller]
pub fn squared_error<E: Real>(prediction: &Tensor<E>, target: &Tensor<E>) -> Tensor<E> {
    squared_error_with(prediction, target, Reduction::Mean)
}

/// [`squared_error`] with a reduction.
///
/// # Panics
/// When the shapes differ.
#[track_caller]
pub fn squared_error_with<E: Real>(
    prediction: &Tensor<E>,
    target: &Tensor<E>,
    reduction: Reduction,
) -> Tensor<E> {
    reduced(SquaredError, [prediction, target], reduction)
}

/// Absolute error: the negative log-likelihood of a Laplace distribution of scale 1, up to a constant; the mean.
///
/// L = 1/N Σ |x − t|; dL/dx = sign(x − t) / N, 0 where they are equal
///
/// `prediction` and `target` have one shape. PyTorch's `F.l1_loss`.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::losses::absolute_error;
/// use striate_tensor::Tensor;
///
/// let (x, t) = (Tensor::from_slice(&[1.0f32, 2.0]), Tensor::from_slice(&[1.0, 4.0]));
/// assert_eq!(absolute_error(&x, &t).item(), 1.0);
/// ```
#[doc(alias = "l1_loss")]
#[doc(alias = "L1Loss")]
#[track_caller]
pub fn absolute_error<E: Real>(prediction: &Tensor<E>, target: &Tensor<E>) -> Tensor<E> {
    absolute_error_with(prediction, target, Reduction::Mean)
}

/// [`absolute_error`] with a reduction.
///
/// # Panics
/// When the shapes differ.
#[track_caller]
pub fn absolute_error_with<E: Real>(
    prediction: &Tensor<E>,
    target: &Tensor<E>,
    reduction: Reduction,
) -> Tensor<E> {
    reduced(AbsoluteError, [prediction, target], reduction)
}

/// Options of [`smooth_absolute_error`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothAbsoluteErrorOptions {
    /// β, the error at which the square becomes a line; for 0 all is line.
    pub beta: f64,
    /// How the losses of single elements become the result.
    pub reduction: Reduction,
}

impl Default for SmoothAbsoluteErrorOptions {
    fn default() -> Self {
        SmoothAbsoluteErrorOptions { beta: 1.0, reduction: Reduction::Mean }
    }
}

/// Absolute error that is a square near 0 (Huber's loss over β): Gaussian in the middle, Laplace in the tails.
///
/// l = d² / 2β for |d| < β, else |d| − β/2, with d = x − t; dl/dx = d/β limited to ±1
///
/// PyTorch's `F.smooth_l1_loss`. Girshick 2015.
///
/// # Panics
/// When the shapes differ or β is negative.
///
/// ```
/// use striate_nn::losses::smooth_absolute_error;
/// use striate_tensor::Tensor;
///
/// let (x, t) = (Tensor::from_slice(&[0.5f32, 3.0]), Tensor::zeros(&[2]));
/// assert_eq!(smooth_absolute_error(&x, &t, Default::default()).item(), (0.125 + 2.5) / 2.0);
/// ```
#[doc(alias = "smooth_l1_loss")]
#[doc(alias = "SmoothL1Loss")]
#[track_caller]
pub fn smooth_absolute_error<E: Real>(
    prediction: &Tensor<E>,
    target: &Tensor<E>,
    options: SmoothAbsoluteErrorOptions,
) -> Tensor<E> {
    let SmoothAbsoluteErrorOptions { beta, reduction } = options;
    assert!(beta >= 0.0, "smooth_absolute_error: β must not be negative, is {beta}");
    if beta == 0.0 {
        return absolute_error_with(prediction, target, reduction);
    }
    reduced(SmoothAbsoluteError { beta: E::of(beta) }, [prediction, target], reduction)
}

struct SquaredError;

impl<E: Real> Term<E, 2> for SquaredError {
    const NAME: &'static str = "squared_error";
    const INPUTS: [&'static str; 2] = ["prediction", "target"];

    #[inline(always)]
    fn value(&self, [x, t]: [E; 2]) -> E {
        (x - t) * (x - t)
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [x, t]: [E; 2]) -> E {
        E::of(if I == 0 { 2.0 } else { -2.0 }) * (x - t)
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        let slope = (&x[0] - &x[1]) * 2.0;
        [slope.clone(), -slope]
    }
}

struct AbsoluteError;

impl<E: Real> Term<E, 2> for AbsoluteError {
    const NAME: &'static str = "absolute_error";
    const INPUTS: [&'static str; 2] = ["prediction", "target"];

    #[inline(always)]
    fn value(&self, [x, t]: [E; 2]) -> E {
        (x - t).abs()
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [x, t]: [E; 2]) -> E {
        let d = if I == 0 { x - t } else { t - x };
        let positive = if d > E::zero() { E::one() } else { d };
        if d < E::zero() { -E::one() } else { positive }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        let slope = (&x[0] - &x[1]).sign();
        [slope.clone(), -slope]
    }
}

struct SmoothAbsoluteError<E> {
    beta: E,
}

impl<E: Real> Term<E, 2> for SmoothAbsoluteError<E> {
    const NAME: &'static str = "smooth_absolute_error";
    const INPUTS: [&'static str; 2] = ["prediction", "target"];

    #[inline(always)]
    fn value(&self, [x, t]: [E; 2]) -> E {
        let (d, half) = ((x - t).abs(), E::of(0.5));
        if d < self.beta { half * d * d / self.beta } else { d - half * self.beta }
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [x, t]: [E; 2]) -> E {
        let d = if I == 0 { x - t } else { t - x } / self.beta;
        -at_least(-at_least(d, -E::one()), -E::one())
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        let slope = ((&x[0] - &x[1]) * (1.0 / self.beta.f64())).clamp(-1.0, 1.0);
        [slope.clone(), -slope]
    }
}
