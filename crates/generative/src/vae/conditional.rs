//! The conditional variational auto-encoder.

use striate_nn::{Path, Rng, Stream};
use striate_tensor::{Real, Tensor, no_grad};

use super::evidence::{EvidenceOptions, log_evidence};
use super::parts::Parts;
use super::{Elbo, VaeOptions};
use crate::error::GenerativeError;
use crate::gaussian::{Gaussian, standard_normal};
use crate::network::positive;
use crate::observation::Observation;

/// A variational auto-encoder that is told something about each sample, such as its class: p(x|y) = ∫ p(x|z, y) p(z) dz.
///
/// ln p(x|y) ≥ E_q\[ln p(x|z, y)\] − D(q(z|x, y)‖p(z))
///
/// x (N, shape…) and y (N, K) ↔ z (N, J). The condition y comes to the encoder beside the first axis of x (as constant
/// planes beside pictures' channels), and to the decoder beside z. What y says, z need not: the code is left with the
/// rest, as handwriting is beside the digit. Otherwise as [`super::Vae`]. Sohn, Lee and Yan 2015.
///
/// ```
/// use striate_generative::{ConditionalVae, VaeOptions};
/// use striate_nn::{ParamStore, Rng};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let vae = ConditionalVae::new(&store.root(), &[1, 8, 8], 10, &VaeOptions::default())?;
/// let sevens = Tensor::one_hot(&ndarray::array![7, 7, 7], 10);
/// assert_eq!(vae.sample(&sevens, &mut Rng::new(0)).shape(), [3, 1, 8, 8]);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub struct ConditionalVae<E: Real = f32> {
    parts: Parts<E>,
    condition: usize,
    stream: Stream,
}

impl<E: Real> ConditionalVae<E> {
    /// A model of samples of this shape, given `condition` numbers each.
    ///
    /// # Errors
    /// When a size is 0, an option has no meaningful value, or convolutions do not take samples of this shape.
    #[track_caller]
    pub fn new(
        path: &Path<E>,
        shape: &[usize],
        condition: usize,
        options: &VaeOptions,
    ) -> Result<Self, GenerativeError> {
        positive("the condition's size", &[condition])?;
        let parts = Parts::new(path, shape, condition, options)?;
        Ok(ConditionalVae { parts, condition, stream: path.stream() })
    }

    /// J, dimensions of the latent space.
    pub fn latent(&self) -> usize {
        self.parts.latent
    }

    /// Whether data from outside, x (N, shape…) and y (N, K), can be given to the model.
    ///
    /// # Errors
    /// When a shape does not fit, or x has a number that the decoder's distribution does not give, or y one that is
    /// not finite.
    pub fn check(&self, x: &Tensor<E>, y: &Tensor<E>) -> Result<(), GenerativeError> {
        self.parts.check(x)?;
        let expected = [x.shape()[0], self.condition];
        if y.shape() != expected {
            let (expected, shape) = (format!("{expected:?}"), y.shape().to_vec());
            return Err(GenerativeError::Shape { what: "y", expected, shape });
        }
        crate::check::finite("y", &y.array().view())
    }

    /// q(z|x, y): x (N, shape…), y (N, K) → (N, J).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn encode(&self, x: &Tensor<E>, y: &Tensor<E>) -> Gaussian<E> {
        self.parts.encoder.forward(&beside(&self.parts.likelihood.features(x), y))
    }

    /// p(x|z, y): z (N, J), y (N, K) → (N, shape…).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn decode(&self, z: &Tensor<E>, y: &Tensor<E>) -> Observation<E> {
        self.parts.decoder.forward(&beside(z, y))
    }

    /// The evidence lower bound, by one random z for each x.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn elbo(&self, x: &Tensor<E>, y: &Tensor<E>) -> Elbo<E> {
        self.elbo_at(x, y, &self.parts.noise(x, &self.stream))
    }

    /// The evidence lower bound at z = μ + σ ε for the given noise ε (N, J).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn elbo_at(&self, x: &Tensor<E>, y: &Tensor<E>, noise: &Tensor<E>) -> Elbo<E> {
        let q = self.encode(x, y);
        Elbo::new(&self.decode(&q.at(noise), y), x, &q)
    }

    /// E\[x|z = μ(x, y), y\]: x (N, shape…), y (N, K) → (N, shape…).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn reconstruct(&self, x: &Tensor<E>, y: &Tensor<E>) -> Tensor<E> {
        self.decode(&self.encode(x, y).mean, y).mean()
    }

    /// The means E\[x|z, y\] of codes drawn from the prior, one for each condition: y (N, K) → (N, shape…).
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn sample(&self, y: &Tensor<E>, rng: &mut Rng) -> Tensor<E> {
        no_grad(|| self.decode(&standard_normal(&[y.shape()[0], self.latent()], rng), y).mean())
    }

    /// ln p(x|y) of each x, by importance sampling: see [`super::Vae::log_evidence`].
    ///
    /// # Panics
    /// When the shapes do not fit, or K is 0.
    #[track_caller]
    pub fn log_evidence(
        &self,
        x: &Tensor<E>,
        y: &Tensor<E>,
        options: EvidenceOptions,
        rng: &mut Rng,
    ) -> Vec<f64> {
        let decode = |z: &Tensor<E>| {
            let copies = z.shape()[0] / y.shape()[0];
            self.decode(z, &y.repeat(&[copies, 1]))
        };
        no_grad(|| log_evidence(x, &self.encode(x, y), decode, options, rng))
    }
}

/// x (N, C, …) and y (N, K) → (N, C + K, …), y the same everywhere.
#[track_caller]
fn beside<E: Real>(x: &Tensor<E>, y: &Tensor<E>) -> Tensor<E> {
    let (&[samples, condition], [_, _, sides @ ..]) = (y.shape(), x.shape()) else {
        panic!("conditional vae: y must be (N, K), is {:?} beside {:?}", y.shape(), x.shape())
    };
    let ones = sides.iter().map(|_| 1);
    let point: Vec<isize> = y.shape().iter().map(|&n| n as isize).chain(ones).collect();
    let planes = [&[samples, condition], sides].concat();
    Tensor::concat(&[x, &y.reshape(&point).expand(&planes)], 1)
}
