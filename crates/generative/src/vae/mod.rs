//! Variational auto-encoders.

mod conditional;
mod elbo;
mod evidence;
mod parts;
mod schedule;

pub use conditional::ConditionalVae;
pub use elbo::{Elbo, LatentCost, Objective};
pub use evidence::EvidenceOptions;
pub use schedule::{Cycle, Ramp};

use striate_nn::{Path, Rng, Stream};
use striate_tensor::{Real, Tensor, no_grad};

use crate::error::GenerativeError;
use crate::gaussian::{Gaussian, standard_normal};
use crate::likelihood::Likelihood;
use crate::network::Network;
use crate::observation::Observation;
use parts::Parts;

/// Options of a [`Vae`] and a [`ConditionalVae`].
#[derive(Clone, Debug, PartialEq)]
pub struct VaeOptions {
    /// The layers between sample and code.
    pub network: Network,
    /// J, dimensions of the latent space.
    pub latent: usize,
    /// p(x|z)
    pub likelihood: Likelihood,
}

impl Default for VaeOptions {
    /// 400 units, 20 latent dimensions, Bernoulli.
    fn default() -> Self {
        VaeOptions { network: Network::default(), latent: 20, likelihood: Likelihood::Bernoulli }
    }
}

/// A variational auto-encoder: p(x) = ∫ p(x|z) p(z) dz with the prior p(z) = N(0, I), a decoder p(x|z), and an encoder
/// q(z|x) = N(μ, diag σ²) for the posterior.
///
/// ln p(x) ≥ ELBO = E_q\[ln p(x|z)\] − D(q(z|x)‖p(z))
///
/// x (N, shape…) ↔ z (N, J). In the store: `encoder.…` with `encoder.mean` and `encoder.log_variance`, `decoder.…`.
/// Noise comes from the store's stream, a new generator for each call. The notes' section 8; Kingma and Welling 2014.
/// With an [`Objective`] of β ≠ 1 it is the β-VAE of Higgins et al. 2017.
///
/// ```
/// use striate_generative::{Objective, Vae, VaeOptions};
/// use striate_nn::ParamStore;
/// use striate_nn::optim::{Adam, AdamOptions};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let vae = Vae::new(&store.root(), &[1, 8, 8], &VaeOptions { latent: 2, ..Default::default() })?;
/// let x = Tensor::full(&[16, 1, 8, 8], 0.25);
/// vae.check(&x)?;
/// let mut adam = Adam::new(&store, AdamOptions::default());
/// let step = |adam: &mut Adam| {
///     let elbo = vae.elbo(&x);
///     adam.step(&elbo.loss(&Objective::default()).backward());
///     elbo.value().item()
/// };
/// let first = step(&mut adam);
/// assert!((0..50).map(|_| step(&mut adam)).last() > Some(first));
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub struct Vae<E: Real = f32> {
    parts: Parts<E>,
    stream: Stream,
}

impl<E: Real> Vae<E> {
    /// A model of samples of this shape.
    ///
    /// # Errors
    /// When a size is 0, an option has no meaningful value, or convolutions do not take samples of this shape.
    #[track_caller]
    pub fn new(path: &Path<E>, shape: &[usize], options: &VaeOptions) -> Result<Self, GenerativeError> {
        Ok(Vae { parts: Parts::new(path, shape, 0, options)?, stream: path.stream() })
    }

    /// J, dimensions of the latent space.
    pub fn latent(&self) -> usize {
        self.parts.latent
    }

    /// Whether data from outside, x (N, shape…), can be given to the model: its shape, and that every number is one
    /// that the decoder's distribution gives.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn check(&self, x: &Tensor<E>) -> Result<(), GenerativeError> {
        self.parts.check(x)
    }

    /// q(z|x): x (N, shape…) → (N, J).
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn encode(&self, x: &Tensor<E>) -> Gaussian<E> {
        self.parts.encoder.forward(&self.parts.likelihood.features(x))
    }

    /// p(x|z): z (N, J) → (N, shape…).
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn decode(&self, z: &Tensor<E>) -> Observation<E> {
        self.parts.decoder.forward(z)
    }

    /// The evidence lower bound, by one random z for each x.
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn elbo(&self, x: &Tensor<E>) -> Elbo<E> {
        self.elbo_at(x, &self.parts.noise(x, &self.stream))
    }

    /// The evidence lower bound at z = μ + σ ε for the given noise ε (N, J).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn elbo_at(&self, x: &Tensor<E>, noise: &Tensor<E>) -> Elbo<E> {
        let q = self.encode(x);
        Elbo::new(&self.decode(&q.at(noise)), x, &q)
    }

    /// E\[x|z = μ(x)\]: x (N, shape…) → (N, shape…).
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn reconstruct(&self, x: &Tensor<E>) -> Tensor<E> {
        self.decode(&self.encode(x).mean).mean()
    }

    /// The means E\[x|z\] of codes drawn from the prior: (`count`, shape…).
    pub fn sample(&self, count: usize, rng: &mut Rng) -> Tensor<E> {
        no_grad(|| self.decode(&standard_normal(&[count, self.latent()], rng)).mean())
    }

    /// ln p(x) of each x (N, shape…), by importance sampling with the encoder's q.
    ///
    /// ln p(x) ≈ ln 1/K Σₖ p(x|zₖ) p(zₖ) / q(zₖ|x), zₖ ~ q(z|x)
    ///
    /// In expectation a lower bound, which K raises: the ELBO for K = 1, ln p(x) for K → ∞ (the importance weighted
    /// bound of Burda, Grosse and Salakhutdinov 2016).
    ///
    /// # Panics
    /// When the shape does not fit, or K is 0.
    #[track_caller]
    pub fn log_evidence(&self, x: &Tensor<E>, options: EvidenceOptions, rng: &mut Rng) -> Vec<f64> {
        no_grad(|| evidence::log_evidence(x, &self.encode(x), |z| self.decode(z), options, rng))
    }
}
