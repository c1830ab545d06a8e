//! Gaussian negative log-likelihood with a predicted variance.

use striate_tensor::{Real, Tensor};

use super::Reduction;
use super::elementwise::{Term, at_least, reduced};

/// Options of [`gaussian_nll`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianNllOptions {
    /// Whether the constant ½ ln 2π is there.
    pub full: bool,
    /// ε, the smallest variance; a smaller one counts as ε, and its gradient passes as if it were.
    pub eps: f64,
    /// How the losses of single elements become the result.
    pub reduction: Reduction,
}

impl Default for GaussianNllOptions {
    fn default() -> Self {
        GaussianNllOptions { full: false, eps: 1e-6, reduction: Reduction::Mean }
    }
}

/// Negative log-likelihood of a target t under the Gaussian N(μ, v).
///
/// l = ½ (ln v + (t − μ)² / v) \[+ ½ ln 2π\]; dl/dμ = (μ − t) / v, dl/dv = ½ (1 − (t − μ)² / v) / v
///
/// `mean` and `target` have one shape, to which `variance` broadcasts. PyTorch's `F.gaussian_nll_loss`, save that a
/// negative variance counts as ε, too.
///
/// # Panics
/// When the shapes do not fit.
///
/// ```
/// use striate_nn::losses::gaussian_nll;
/// use striate_tensor::Tensor;
///
/// let (mean, target) = (Tensor::from_slice(&[0.0f32]), Tensor::from_slice(&[2.0]));
/// assert_eq!(gaussian_nll(&mean, &target, &Tensor::ones(&[1]), Default::default()).item(), 2.0);
/// ```
#[doc(alias = "gaussian_nll_loss")]
#[doc(alias = "GaussianNLLLoss")]
#[track_caller]
pub fn gaussian_nll<E: Real>(
    mean: &Tensor<E>,
    target: &Tensor<E>,
    variance: &Tensor<E>,
    options: GaussianNllOptions,
) -> Tensor<E> {
    let GaussianNllOptions { full, eps, reduction } = options;
    let constant = if full { 0.5 * std::f64::consts::TAU.ln() } else { 0.0 };
    let term = GaussianNll { constant: E::of(constant), eps: E::of(eps) };
    let variance =
        if variance.shape() == mean.shape() { variance.clone() } else { variance.expand(mean.shape()) };
    reduced(term, [mean, target, &variance], reduction)
}

struct GaussianNll<E> {
    constant: E,
    eps: E,
}

impl<E: Real> Term<E, 3> for GaussianNll<E> {
    const NAME: &'static str = "gaussian_nll";
    const INPUTS: [&'static str; 3] = ["mean", "target", "variance"];

    #[inline(always)]
    fn value(&self, [mean, target, variance]: [E; 3]) -> E {
        let (d, v) = (target - mean, at_least(variance, self.eps));
        E::of(0.5) * (v.ln() + d * d / v) + self.constant
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [mean, target, variance]: [E; 3]) -> E {
        let (d, v) = (target - mean, at_least(variance, self.eps));
        match I {
            0 => -d / v,
            1 => d / v,
            _ => E::of(0.5) * (E::one() - d * d / v) / v,
        }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 3] {
        let (d, v) = (&x[1] - &x[0], x[2].clamp(self.eps.f64(), None));
        let slope = &d / &v;
        [-&slope, slope.clone(), (-(d * slope) + 1.0) / v * 0.5]
    }
}
