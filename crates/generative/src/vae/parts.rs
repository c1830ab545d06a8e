//! Encoder and decoder of the variational models.

use striate_nn::{Linear, Module, Path, Sequential, Stream};
use striate_tensor::{Array, Real, Tensor};

use super::VaeOptions;
use crate::error::GenerativeError;
use crate::gaussian::{Gaussian, standard_normal};
use crate::likelihood::{Likelihood, Variance};
use crate::network::{check_sample, positive};
use crate::observation::Observation;

/// What [`super::Vae`] and [`super::ConditionalVae`] have in common.
pub(super) struct Parts<E: Real> {
    pub(super) encoder: Encoder<E>,
    pub(super) decoder: Decoder<E>,
    pub(super) likelihood: Likelihood,
    pub(super) latent: usize,
    /// Of one sample.
    shape: Vec<usize>,
}

impl<E: Real> Parts<E> {
    /// `condition` features come to the encoder's input, on the first axis of a sample, and to the decoder's code.
    #[track_caller]
    pub(super) fn new(
        path: &Path<E>,
        shape: &[usize],
        condition: usize,
        options: &VaeOptions,
    ) -> Result<Self, GenerativeError> {
        let &VaeOptions { ref network, latent, likelihood } = options;
        positive("the latent size", &[latent])?;
        check_sample(shape)?;
        likelihood.check_options()?;
        let mut features = likelihood.feature_shape(shape);
        features[0] += condition;
        let paths = ["encoder", "decoder"].map(|name| path.sub(name));
        let (body, width) = network.encoder(&paths[0], &features)?;
        let head = |name| Linear::new(&paths[0].sub(name), width, latent);
        let encoder = Encoder { body, mean: head("mean"), log_variance: head("log_variance") };
        let body = network.decoder(&paths[1], latent + condition, &likelihood.parameter_shape(shape))?;
        let log_variance = match likelihood {
            Likelihood::Gaussian(Variance::Fixed(variance)) => Some(Tensor::scalar(variance.ln())),
            Likelihood::Gaussian(Variance::Shared) => {
                Some(paths[1].parameter_with("log_variance", &[], |_| Array::zeros(&[])))
            }
            _ => None,
        };
        let decoder = Decoder { body, likelihood, log_variance };
        Ok(Parts { encoder, decoder, likelihood, latent, shape: shape.to_vec() })
    }

    pub(super) fn check(&self, x: &Tensor<E>) -> Result<(), GenerativeError> {
        if x.rank() == 0 || x.shape()[1..] != self.shape {
            let expected = format!("a batch of samples {:?}", self.shape);
            return Err(GenerativeError::Shape { what: "x", expected, shape: x.shape().to_vec() });
        }
        self.likelihood.check(x)
    }

    /// ε (N, J)
    pub(super) fn noise(&self, x: &Tensor<E>, stream: &Stream) -> Tensor<E> {
        standard_normal(&[x.shape()[0], self.latent], &mut stream.next())
    }
}

pub(super) struct Encoder<E: Real> {
    body: Sequential<E>,
    mean: Linear<E>,
    log_variance: Linear<E>,
}

impl<E: Real> Encoder<E> {
    #[track_caller]
    pub(super) fn forward(&self, x: &Tensor<E>) -> Gaussian<E> {
        let features = self.body.forward(x);
        Gaussian { mean: self.mean.forward(&features), log_variance: self.log_variance.forward(&features) }
    }
}

pub(super) struct Decoder<E: Real> {
    body: Sequential<E>,
    likelihood: Likelihood,
    /// Of all elements alike.
    log_variance: Option<Tensor<E>>,
}

impl<E: Real> Decoder<E> {
    #[track_caller]
    pub(super) fn forward(&self, z: &Tensor<E>) -> Observation<E> {
        let y = self.body.forward(z);
        match (self.likelihood, &self.log_variance) {
            (Likelihood::Bernoulli, _) => Observation::Bernoulli { logits: y },
            (Likelihood::Categorical { classes }, _) => {
                Observation::Categorical { logits: split(&y, classes) }
            }
            (Likelihood::Gaussian(_), Some(log_variance)) => {
                Observation::Gaussian(Gaussian { mean: y, log_variance: log_variance.clone() })
            }
            (Likelihood::Gaussian(_), None) => {
                let [mean, log_variance] = y.chunk(1);
                Observation::Gaussian(Gaussian { mean, log_variance })
            }
        }
    }
}

/// (N, K C, …) → (N, K, C, …)
fn split<E: Real>(y: &Tensor<E>, classes: usize) -> Tensor<E> {
    let shape = y.shape();
    let groups = [shape[0], classes, shape[1] / classes];
    let shape: Vec<isize> = groups.iter().chain(&shape[2..]).map(|&n| n as isize).collect();
    y.reshape(&shape)
}
