//! A model of sprites: its training, and how it fares on sprites drawn at random.

use ndarray::{Array2, ArrayD, Axis};
use serde::Serialize;
use striate::compute::rng::Rng;
use striate::conv::avg_pool2d;
use striate::datasets::{Dataset, SpriteBatch, Sprites};
use striate::generative::metrics::mig;
use striate::generative::{GenerativeError, Network, Objective, Vae, VaeOptions};
use striate::nn::ParamStore;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::{Cosine, Schedule};
use striate::tensor::{Tensor, no_grad};

use crate::Arguments;

/// Means over sprites drawn at random, the same for all models.
#[derive(Serialize)]
pub(crate) struct Measured {
    /// −E\[ln p(x|z)\], nats.
    pub(crate) reconstruction: f64,
    /// Of each latent dimension, nats.
    pub(crate) divergences: Vec<f64>,
    /// The mutual information gap.
    pub(crate) mig: f64,
    /// I(zⱼ; v), nats: latent dimensions × factors.
    #[serde(skip)]
    pub(crate) information: Array2<f64>,
}

/// Half as high and wide, so that a series ends in minutes: 32 × 32, grey at the edges.
pub(crate) fn half(images: ArrayD<f32>) -> Tensor {
    avg_pool2d(&images.into(), 2)
}

pub(crate) fn train(
    sprites: &Sprites,
    beta: f64,
    seed: u64,
    arguments: &Arguments,
) -> Result<Vae, GenerativeError> {
    let store = ParamStore::seeded(seed);
    let options =
        VaeOptions { network: Network::dense(&[400, 200]), latent: arguments.latent, ..Default::default() };
    let vae = Vae::new(&store.root(), &[1, 32, 32], &options)?;
    let objective = Objective { beta, ..Default::default() };
    let schedule = Cosine { lr: arguments.lr, steps: arguments.steps, ..Default::default() };
    let mut adam = Adam::new(&store, AdamOptions::default());
    let batches = sprites.batches(arguments.batch as usize).seeded(seed).shuffled(0);
    for (step, SpriteBatch { images, .. }) in (0..arguments.steps).zip(batches) {
        adam.set_lr(schedule.lr(step));
        adam.step(&vae.elbo(&half(images)).loss(&objective).backward());
    }
    Ok(vae)
}

pub(crate) fn measure(vae: &Vae, sprites: &Sprites) -> Result<Measured, GenerativeError> {
    const SAMPLES: usize = 10_000;
    let mut rng = Rng::named(0, "measured sprites");
    let chosen: Vec<usize> = (0..SAMPLES).map(|_| rng.below(sprites.len())).collect();
    let SpriteBatch { images, factors } = sprites.gather(&chosen);
    let x = half(images);
    let (q, elbo) = no_grad(|| (vae.encode(&x), vae.elbo(&x)));
    let codes = q.mean.to_ndarray().mapv(f64::from).into_shape_with_order((SAMPLES, vae.latent()));
    let mig = mig(codes.expect("codes are (N, J)").view(), factors.view())?;
    Ok(Measured {
        reconstruction: -elbo.log_likelihood.item(),
        divergences: elbo.kl.to_vec().into_iter().map(f64::from).collect(),
        mig: mig.score,
        information: mig.information,
    })
}

/// Dimensions by falling divergence: those that say most first.
pub(crate) fn by_divergence(measured: &Measured) -> Vec<usize> {
    let mut order: Vec<usize> = (0..measured.divergences.len()).collect();
    order.sort_by(|&a, &b| measured.divergences[b].total_cmp(&measured.divergences[a]));
    order
}

/// μ of one sprite in the middle of all factors.
pub(crate) fn middle(vae: &Vae, sprites: &Sprites) -> Tensor {
    let factors = sprites.sizes().map(|size| size / 2);
    let factors = Array2::from_shape_vec((1, factors.len()), factors.to_vec()).expect("one sprite");
    let code = no_grad(|| vae.encode(&half(sprites.images(factors.view()))).mean);
    code.to_ndarray().index_axis_move(Axis(0), 0).into()
}
