//! Auto-encoders.

use striate_nn::losses::{Reduction, squared_error_with};
use striate_nn::{Activation, Linear, Module, Path, Sequential};
use striate_tensor::{Real, Tensor};

use crate::error::GenerativeError;
use crate::network::{Network, check_sample, positive};
use crate::penalty::{contraction, kl_sparsity, l1_sparsity};

/// Options of an [`AutoEncoder`].
#[derive(Clone, Debug, PartialEq)]
pub struct AutoEncoderOptions {
    /// The layers between sample and code.
    pub network: Network,
    /// J, units of the code: undercomplete when there are fewer than elements in a sample, else overcomplete.
    pub code: usize,
    /// σ of the code.
    pub code_activation: Activation,
    /// σ of the reconstruction.
    pub output_activation: Activation,
}

impl Default for AutoEncoderOptions {
    fn default() -> Self {
        AutoEncoderOptions {
            network: Network::default(),
            code: 20,
            code_activation: Activation::Linear,
            output_activation: Activation::Linear,
        }
    }
}

/// What an auto-encoder pays for its code, besides the error of the reconstruction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Penalty {
    /// Nothing.
    #[default]
    None,
    /// λ Σ |h|: see [`l1_sparsity`].
    L1 {
        /// λ
        weight: f64,
    },
    /// λ Σ D(ρ‖ρ̂): see [`kl_sparsity`]; for a code with a sigmoid.
    Kl {
        /// λ
        weight: f64,
        /// ρ
        target: f64,
    },
    /// λ ‖∂h/∂x‖²: see [`contraction`].
    Contractive {
        /// λ
        weight: f64,
    },
}

/// An encoder f and a decoder g that learn the identity x̂ = g(f(x)) through a code h = f(x).
///
/// θ_f, θ_g = arg min Σ ‖xₙ − g(f(xₙ))‖²
///
/// x (N, shape…) → h (N, J) → x̂ (N, shape…). In the store: `encoder.…`, `encoder.code`, `decoder.…`. With no hidden
/// layer and no activation the code spans the subspace of [`crate::Pca`] (Baldi and Hornik 1989). The notes' section 8.
///
/// Between the codes of the data the decoder knows nothing, so that codes drawn at random decode to nonsense: what a
/// [`crate::Vae`] is for.
///
/// ```
/// use striate_generative::{AutoEncoder, AutoEncoderOptions, Corruption, Penalty};
/// use striate_nn::{ParamStore, Rng};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let options = AutoEncoderOptions { code: 8, ..Default::default() };
/// let net = AutoEncoder::new(&store.root(), &[1, 8, 8], &options)?;
/// let x = Tensor::full(&[5, 1, 8, 8], 0.5);
/// assert_eq!(net.encode(&x).shape(), [5, 8]);
/// let noisy = Corruption::Gaussian { std: 0.3 }.apply(&x, &mut Rng::new(0));
/// let gradients = net.loss(&noisy, &x, Penalty::None).backward();
/// assert_eq!(gradients.len(), store.parameters().len());
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub struct AutoEncoder<E: Real = f32> {
    encoder: Sequential<E>,
    decoder: Sequential<E>,
}

impl<E: Real> AutoEncoder<E> {
    /// An auto-encoder for samples of this shape.
    ///
    /// # Errors
    /// When a size is 0, or convolutions do not take samples of this shape.
    #[track_caller]
    pub fn new(
        path: &Path<E>,
        shape: &[usize],
        options: &AutoEncoderOptions,
    ) -> Result<Self, GenerativeError> {
        let &AutoEncoderOptions { ref network, code, code_activation, output_activation } = options;
        positive("the code's size", &[code])?;
        check_sample(shape)?;
        let (encoder, features) = network.encoder(&path.sub("encoder"), shape)?;
        let encoder = encoder
            .then(Linear::new(&path.sub("encoder").sub("code"), features, code))
            .then(move |h: &Tensor<E>| code_activation.apply(h));
        let decoder = network
            .decoder(&path.sub("decoder"), code, shape)?
            .then(move |x: &Tensor<E>| output_activation.apply(x));
        Ok(AutoEncoder { encoder, decoder })
    }

    /// h = f(x): (N, shape…) → (N, J).
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn encode(&self, x: &Tensor<E>) -> Tensor<E> {
        self.encoder.forward(x)
    }

    /// x̂ = g(h): (N, J) → (N, shape…).
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn decode(&self, h: &Tensor<E>) -> Tensor<E> {
        self.decoder.forward(h)
    }

    /// The squared error of the reconstruction of `target` from `input`, and the code's penalty, mean over the batch.
    ///
    /// L = 1/N Σ ‖x − g(f(x̃))‖² + penalty
    ///
    /// `input` x̃ and `target` x are the same, or x̃ is a damaged x: then the auto-encoder learns to repair
    /// ([`crate::Corruption`]).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn loss(&self, input: &Tensor<E>, target: &Tensor<E>, penalty: Penalty) -> Tensor<E> {
        let h = self.encode(input);
        let error = squared_error_with(&self.decode(&h), target, Reduction::Sum) / target.shape()[0] as f64;
        match penalty {
            Penalty::None => error,
            Penalty::L1 { weight } => error + l1_sparsity(&h) * weight,
            Penalty::Kl { weight, target } => error + kl_sparsity(&h, target) * weight,
            Penalty::Contractive { weight } => error + contraction(|x| self.encode(x), input) * weight,
        }
    }
}

impl<E: Real> Module<E> for AutoEncoder<E> {
    /// x̂ = g(f(x))
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.decode(&self.encode(x))
    }
}
