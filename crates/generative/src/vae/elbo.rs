//! The evidence lower bound, and what is made of its terms.

use striate_tensor::{Real, Tensor};

use crate::gaussian::Gaussian;
use crate::observation::Observation;

/// The terms of the evidence lower bound, in nats, each a mean over the batch.
///
/// ELBO = E_q\[ln p(x|z)\] − Σⱼ D(q(zⱼ|x)‖N(0, 1))
#[derive(Clone)]
pub struct Elbo<E: Real = f32> {
    /// E_q\[ln p(x|z)\], by one z for each x: minus the reconstruction loss.
    pub log_likelihood: Tensor<E>,
    /// D(q(zⱼ|x)‖N(0, 1)) for each latent dimension (J).
    pub kl: Tensor<E>,
}

impl<E: Real> Elbo<E> {
    /// The terms for samples x, posteriors q and what a decoder makes of their samples.
    #[track_caller]
    pub(super) fn new(observation: &Observation<E>, x: &Tensor<E>, q: &Gaussian<E>) -> Self {
        Elbo {
            log_likelihood: observation.log_likelihood(x) / x.shape()[0] as f64,
            kl: q.kl_from_standard_normal().mean_dim(&[0], false),
        }
    }

    /// The bound: E_q\[ln p(x|z)\] − Σⱼ Dⱼ.
    pub fn value(&self) -> Tensor<E> {
        &self.log_likelihood - self.kl.sum()
    }

    /// What is minimised: −ELBO for the default objective.
    pub fn loss(&self, objective: &Objective) -> Tensor<E> {
        let &Objective { reconstruction, beta, cost } = objective;
        let latent = || match cost {
            LatentCost::Divergence => self.kl.sum(),
            LatentCost::FreeBits { nats } => self.kl.clamp(nats, None).sum(),
            LatentCost::Capacity { nats } => (self.kl.sum() - nats).abs(),
        };
        let error = || &self.log_likelihood * -reconstruction;
        match (reconstruction == 0.0, beta == 0.0) {
            (false, false) => error() + latent() * beta,
            (false, true) => error(),
            (true, _) => latent() * beta,
        }
    }
}

/// What a variational auto-encoder minimises.
///
/// L = −w E_q\[ln p(x|z)\] + β C, C the cost of the latent code
///
/// A term whose weight is 0 is left out. The notes' figures 38 and 39 are [`Objective::RECONSTRUCTION_ONLY`],
/// [`Objective::KL_ONLY`] and the default, both.
///
/// ```
/// use striate_generative::{LatentCost, Objective, Ramp};
///
/// let beta_vae = Objective { beta: 4.0, ..Default::default() };
/// assert_eq!(beta_vae.reconstruction, 1.0);
///
/// // Burgess et al. 2018: the divergence is led from 0 to 25 nats.
/// let capacity = Ramp { start: 0.0, end: 25.0, steps: 100_000 };
/// let at_step = |step| Objective {
///     beta: 1000.0,
///     cost: LatentCost::Capacity { nats: capacity.at(step) },
///     ..Default::default()
/// };
/// assert_eq!(at_step(50_000).cost, LatentCost::Capacity { nats: 12.5 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// w
    pub reconstruction: f64,
    /// β: 1 for the bound itself, more for the β-VAE; for [`LatentCost::Capacity`] the γ of its paper. A [`Ramp`](super::Ramp) or
    /// a [`Cycle`](super::Cycle) anneals it.
    pub beta: f64,
    /// C
    pub cost: LatentCost,
}

impl Default for Objective {
    /// −ELBO
    fn default() -> Self {
        Objective { reconstruction: 1.0, beta: 1.0, cost: LatentCost::Divergence }
    }
}

impl Objective {
    /// The reconstruction alone: variances shrink towards 0, and classes form clusters with nothing between them.
    pub const RECONSTRUCTION_ONLY: Self =
        Objective { reconstruction: 1.0, beta: 0.0, cost: LatentCost::Divergence };

    /// The divergence alone: every code is N(0, I), whatever x is.
    pub const KL_ONLY: Self = Objective { reconstruction: 0.0, beta: 1.0, cost: LatentCost::Divergence };
}

/// The cost C of the latent code, from the divergences Dⱼ of its dimensions, means over the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LatentCost {
    /// Σⱼ Dⱼ
    #[default]
    Divergence,
    /// Σⱼ max(λ, Dⱼ): so much information in each dimension is free. Kingma et al. 2016.
    FreeBits {
        /// λ
        nats: f64,
    },
    /// |Σⱼ Dⱼ − C|: the code is to hold so much information. Burgess et al. 2018.
    Capacity {
        /// C
        nats: f64,
    },
}
