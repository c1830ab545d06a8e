//! Generative models: a distribution learnt from data, and new samples drawn from it.

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
