//! The diagonal Gaussian, as posterior, prior and observation.

use std::f64::consts::TAU;

use striate_nn::Rng;
use striate_nn::losses::{DiagonalGaussian, Reduction, kl_gaussian, kl_standard_normal};
use striate_tensor::{Array, Real, Tensor};

/// A Gaussian N(μ, diag σ²) for each row of a batch, by μ and ln σ².
///
/// What its methods give has one number for each dimension, of the shape of μ: those of a sample are sums over its
/// dimensions.
///
/// ```
/// use striate_generative::Gaussian;
/// use striate_tensor::Tensor;
///
/// let q = Gaussian { mean: Tensor::<f32>::full(&[4, 2], 1.0), log_variance: Tensor::zeros(&[4, 2]) };
/// let divergences = q.kl_from_standard_normal().sum_dim(&[1], false);
/// assert_eq!(divergences.to_vec(), [1.0; 4]);
/// ```
#[derive(Clone)]
pub struct Gaussian<E: Real = f32> {
    /// μ
    pub mean: Tensor<E>,
    /// ln σ², of the mean's shape.
    pub log_variance: Tensor<E>,
}

impl<E: Real> Gaussian<E> {
    /// N(0, I)
    pub fn standard(shape: &[usize]) -> Self {
        Gaussian { mean: Tensor::zeros(shape), log_variance: Tensor::zeros(shape) }
    }

    /// The sample that standard normal noise ε stands for, through which gradients flow to μ and σ.
    ///
    /// z = μ + σ ε; dz/dμ = 1, dz/d ln σ² = ½ σ ε
    ///
    /// The reparameterisation of Kingma and Welling 2014. PyTorch's `Normal.rsample`.
    ///
    /// # Panics
    /// When the noise does not have the mean's shape.
    ///
    /// ```
    /// use striate_generative::Gaussian;
    /// use striate_tensor::Tensor;
    ///
    /// let log_variance = Tensor::from_slice(&[4f64.ln()]);
    /// let q = Gaussian { mean: Tensor::from_slice(&[1.0]), log_variance };
    /// assert_eq!(q.at(&Tensor::from_slice(&[0.5])).item(), 2.0);
    /// ```
    #[track_caller]
    pub fn at(&self, noise: &Tensor<E>) -> Tensor<E> {
        assert_eq!(noise.shape(), self.mean.shape(), "at: the noise must have the shape of the mean");
        &self.mean + (&self.log_variance * 0.5).exp() * noise
    }

    /// A random sample, through which gradients flow to μ and σ: [`Gaussian::at`] of fresh noise.
    pub fn sample(&self, rng: &mut Rng) -> Tensor<E> {
        self.at(&standard_normal(self.mean.shape(), rng))
    }

    /// ln N(x; μ, σ²) = −½ (ln 2π + ln σ² + (x − μ)² / σ²). PyTorch's `Normal.log_prob`.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn log_density(&self, x: &Tensor<E>) -> Tensor<E> {
        let d = x - &self.mean;
        (&self.log_variance + &d * &d * (-&self.log_variance).exp() + TAU.ln()) * -0.5
    }

    /// −∫ q ln q = ½ (ln 2π + 1 + ln σ²). PyTorch's `Normal.entropy`.
    pub fn entropy(&self) -> Tensor<E> {
        (&self.log_variance + (TAU.ln() + 1.0)) * 0.5
    }

    /// The expected log-density of another Gaussian q under this one, p.
    ///
    /// ∫ p ln q = −½ (ln 2π + ln σ_q² + (σ_p² + (μ_p − μ_q)²) / σ_q²)
    ///
    /// The formula of the notes' section 8, where the logarithm is printed of σ_p: it is that of σ_q², since for p = q
    /// the integral is minus the entropy. Both have one shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// use striate_generative::Gaussian;
    /// use striate_tensor::Tensor;
    ///
    /// let p = Gaussian { mean: Tensor::from_slice(&[1.0f64]), log_variance: Tensor::from_slice(&[0.3]) };
    /// assert!((p.expected_log_density(&p) + p.entropy()).item().abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn expected_log_density(&self, q: &Self) -> Tensor<E> {
        let d = &self.mean - &q.mean;
        let spread = self.log_variance.exp() + &d * &d;
        (&q.log_variance + spread * (-&q.log_variance).exp() + TAU.ln()) * -0.5
    }

    /// The Kullback–Leibler divergence D(q‖p) of this Gaussian, q, from another one, p.
    ///
    /// ∫ q ln (q / p) = ½ (ln σ_p² − ln σ_q² + (σ_q² + (μ_q − μ_p)²) / σ_p² − 1)
    ///
    /// Never negative, 0 for q = p alone, and not symmetric. PyTorch's `torch.distributions.kl_divergence`.
    ///
    /// # Panics
    /// When the shapes differ.
    #[track_caller]
    pub fn kl(&self, p: &Self) -> Tensor<E> {
        kl_gaussian(self.borrow(), p.borrow(), Reduction::None)
    }

    /// The Kullback–Leibler divergence of this Gaussian from the standard normal distribution.
    ///
    /// D(q‖N(0, 1)) = −½ (1 + ln σ² − μ² − σ²); dD/dμ = μ, dD/d ln σ² = ½ (σ² − 1)
    ///
    /// The latent code's loss of the notes' section 8, where μ is printed for μ²: without the square the divergence
    /// could be negative.
    pub fn kl_from_standard_normal(&self) -> Tensor<E> {
        kl_standard_normal(self.borrow(), Reduction::None)
    }

    fn borrow(&self) -> DiagonalGaussian<'_, E> {
        DiagonalGaussian { mean: &self.mean, log_variance: &self.log_variance }
    }
}

/// Numbers from N(0, 1).
///
/// ```
/// use striate_generative::standard_normal;
/// use striate_nn::Rng;
///
/// let noise = standard_normal::<f32>(&[128, 20], &mut Rng::new(0));
/// assert!(noise.mean().item().abs() < 0.1);
/// ```
pub fn standard_normal<E: Real>(shape: &[usize], rng: &mut Rng) -> Tensor<E> {
    Array::build(shape, |noise| rng.fill_normal(noise, 0.0, 1.0)).into()
}
