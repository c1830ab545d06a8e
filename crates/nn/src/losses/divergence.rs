//! Kullback–Leibler divergences: expected log-likelihood ratios.

use striate_tensor::{Real, Tensor};

use super::Reduction;
use super::elementwise::{Term, reduced};

/// The terms of the divergence D(p‖q) of categorical distributions from their log-probabilities.
///
/// l = p (ln p − ln q), 0 for p = 0; dl/d ln p = p (ln p − ln q + 1), dl/d ln q = −p
///
/// Both have one shape. The divergences themselves are sums over the classes: `Reduction::Sum` over N, since
/// `Reduction::Mean` divides by the number of classes, too. PyTorch's `F.kl_div(log_q, log_p, log_target=True)`.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::Reduction;
/// use striate_nn::losses::kl_categorical;
/// use striate_tensor::Tensor;
///
/// let p = Tensor::from_slice(&[0.5f64, 0.5]).log();
/// let q = Tensor::from_slice(&[0.25f64, 0.75]).log();
/// let expected = 0.5 * 2f64.ln() + 0.5 * (2f64 / 3.0).ln();
/// assert!((kl_categorical(&p, &q, Reduction::Sum).item() - expected).abs() < 1e-12);
/// ```
#[doc(alias = "kl_div")]
#[doc(alias = "KLDivLoss")]
#[track_caller]
pub fn kl_categorical<E: Real>(log_p: &Tensor<E>, log_q: &Tensor<E>, reduction: Reduction) -> Tensor<E> {
    reduced(KlCategorical, [log_p, log_q], reduction)
}

/// A Gaussian with a diagonal covariance, by the means and the logarithms of the variances.
#[derive(Clone, Copy)]
pub struct DiagonalGaussian<'a, E: Real = f32> {
    /// μ
    pub mean: &'a Tensor<E>,
    /// ln σ², of the mean's shape.
    pub log_variance: &'a Tensor<E>,
}

/// The terms of the divergence D(q‖p) of diagonal Gaussians.
///
/// l = ½ (ln σ_p² − ln σ_q² + (σ_q² + (μ_q − μ_p)²) / σ_p² − 1)
///
/// All four tensors have one shape. The divergence of a sample is the sum over its dimensions.
/// PyTorch's `torch.distributions.kl_divergence(Normal, Normal)`.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::Reduction;
/// use striate_nn::losses::{DiagonalGaussian, kl_gaussian};
/// use striate_tensor::Tensor;
///
/// let (zero, two) = (Tensor::<f32>::zeros(&[3]), Tensor::full(&[3], 2.0));
/// let q = DiagonalGaussian { mean: &two, log_variance: &zero };
/// let p = DiagonalGaussian { mean: &zero, log_variance: &zero };
/// assert_eq!(kl_gaussian(q, p, Reduction::Sum).item(), 6.0);
/// ```
#[doc(alias = "kl_divergence")]
#[track_caller]
pub fn kl_gaussian<E: Real>(
    q: DiagonalGaussian<E>,
    p: DiagonalGaussian<E>,
    reduction: Reduction,
) -> Tensor<E> {
    reduced(KlGaussian, [q.mean, q.log_variance, p.mean, p.log_variance], reduction)
}

/// The terms of the divergence D(q‖N(0, 1)) of a diagonal Gaussian from the standard normal distribution.
///
/// l = −½ (1 + ln σ² − μ² − σ²); dl/dμ = μ, dl/d ln σ² = ½ (σ² − 1)
///
/// Both tensors have one shape. The divergence of a sample is the sum over its dimensions: of a batch (N, J) the mean
/// is `Reduction::Sum` over N. The latent code's loss of the notes' section 8.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::Reduction;
/// use striate_nn::losses::{DiagonalGaussian, kl_standard_normal};
/// use striate_tensor::Tensor;
///
/// let (mean, log_variance) = (Tensor::from_slice(&[2.0f32]), Tensor::zeros(&[1]));
/// let q = DiagonalGaussian { mean: &mean, log_variance: &log_variance };
/// assert_eq!(kl_standard_normal(q, Reduction::Sum).item(), 2.0);
/// ```
#[doc(alias = "kl_divergence")]
#[track_caller]
pub fn kl_standard_normal<E: Real>(q: DiagonalGaussian<E>, reduction: Reduction) -> Tensor<E> {
    reduced(KlStandardNormal, [q.mean, q.log_variance], reduction)
}

struct KlCategorical;

impl<E: Real> Term<E, 2> for KlCategorical {
    const NAME: &'static str = "kl_categorical";
    const INPUTS: [&'static str; 2] = ["log_p", "log_q"];

    #[inline(always)]
    fn value(&self, [log_p, log_q]: [E; 2]) -> E {
        let p = log_p.exp();
        if p == E::zero() { p } else { p * (log_p - log_q) }
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [log_p, log_q]: [E; 2]) -> E {
        let p = log_p.exp();
        let slope = if I == 0 { p * (log_p - log_q + E::one()) } else { -p };
        if p == E::zero() { p } else { slope }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        let p = x[0].exp();
        [&p * (&x[0] - &x[1] + 1.0), -p]
    }
}

struct KlGaussian;

impl<E: Real> Term<E, 4> for KlGaussian {
    const NAME: &'static str = "kl_gaussian";
    const INPUTS: [&'static str; 4] = ["q.mean", "q.log_variance", "p.mean", "p.log_variance"];

    #[inline(always)]
    fn value(&self, [mean_q, log_q, mean_p, log_p]: [E; 4]) -> E {
        let (d, ratio) = (mean_q - mean_p, log_q - log_p);
        E::of(0.5) * (ratio.exp_m1() - ratio + d * d * (-log_p).exp())
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [mean_q, log_q, mean_p, log_p]: [E; 4]) -> E {
        let (half, d) = (E::of(0.5), mean_q - mean_p);
        let (precision, ratio) = ((-log_p).exp(), (log_q - log_p).exp_m1());
        match I {
            0 => d * precision,
            1 => half * ratio,
            2 => -d * precision,
            _ => -half * (ratio + d * d * precision),
        }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 4] {
        let (d, ratio) = (&x[0] - &x[2], (&x[1] - &x[3]).expm1());
        let pull = &d * (-&x[3]).exp();
        [pull.clone(), &ratio * 0.5, -&pull, (ratio + d * pull) * -0.5]
    }
}

struct KlStandardNormal;

impl<E: Real> Term<E, 2> for KlStandardNormal {
    const NAME: &'static str = "kl_standard_normal";
    const INPUTS: [&'static str; 2] = ["mean", "log_variance"];

    #[inline(always)]
    fn value(&self, [mean, log_variance]: [E; 2]) -> E {
        E::of(0.5) * (log_variance.exp_m1() - log_variance + mean * mean)
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [mean, log_variance]: [E; 2]) -> E {
        if I == 0 { mean } else { E::of(0.5) * log_variance.exp_m1() }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        [x[0].clone(), x[1].expm1() * 0.5]
    }
}
