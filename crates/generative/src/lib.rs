//! Generative models: a distribution learnt from data, and new samples drawn from it.
//!
//! * [`Pca`] and [`AutoEncoder`] learn codes: linear, nonlinear, sparse, contractive, denoising.
//! * [`Vae`] and [`ConditionalVae`] learn distributions: encoders, decoders of three kinds, and an [`Objective`] made of
//!   the terms of the evidence lower bound, [`Elbo`].
//! * [`latent`] walks through latent spaces, [`metrics`] measures how disentangled they are.
//!
//! Samples are (N, shape…), codes (N, J). Logarithms are natural, so that bounds and divergences are in nats.

mod auto_encoder;
mod check;
mod corruption;
mod error;
mod gaussian;
pub mod latent;
mod likelihood;
pub mod metrics;
mod network;
mod observation;
mod pca;
mod penalty;
pub mod vae;

pub use auto_encoder::{AutoEncoder, AutoEncoderOptions, Penalty};
pub use corruption::Corruption;
pub use error::GenerativeError;
pub use gaussian::{Gaussian, standard_normal};
pub use likelihood::{Likelihood, Variance};
pub use network::Network;
pub use observation::Observation;
pub use pca::{Pca, principal_angles};
pub use penalty::{contraction, kl_sparsity, l1_sparsity};
pub use vae::{ConditionalVae, Cycle, Elbo, EvidenceOptions, LatentCost, Objective, Ramp, Vae, VaeOptions};

/// The examples of that page are tested.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/generative.md")]
struct GenerativePage;

/// The first steps are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FirstSteps;
