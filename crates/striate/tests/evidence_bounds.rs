//! The bounds of ln p(x) of a trained model stand in the order that theory gives them.

use striate::compute::rng::Rng;
use striate::datasets::{Dataset, digits};
use striate::generative::{EvidenceOptions, Network, Objective, Vae, VaeOptions, standard_normal};
use striate::nn::ParamStore;
use striate::nn::optim::{Adam, AdamOptions};
use striate::tensor::{Tensor, no_grad};

/// A small model, trained on the embedded digits.
fn trained() -> Vae {
    let store = ParamStore::seeded(0);
    let options = VaeOptions { network: Network::dense(&[64]), latent: 5, ..Default::default() };
    let vae = Vae::new(&store.root(), &[1, 8, 8], &options).unwrap();
    let mut adam = Adam::new(&store, AdamOptions { lr: 3e-3, ..Default::default() });
    for epoch in 0..25 {
        for batch in digits().train().batches(64).shuffled(epoch) {
            adam.step(&vae.elbo(&batch.images.into()).loss(&Objective::default()).backward());
        }
    }
    vae
}

/// A random bound of every picture, the mean of several draws.
fn averaged(draws: usize, bound: impl Fn(&mut Rng) -> Vec<f64>) -> Vec<f64> {
    let mut rng = Rng::new(1);
    let all: Vec<Vec<f64>> = (0..draws).map(|_| bound(&mut rng)).collect();
    let mean = |picture: usize| all.iter().map(|bounds| bounds[picture]).sum::<f64>() / draws as f64;
    (0..all[0].len()).map(mean).collect()
}

/// The mean of a − b, and its standard error.
fn difference(a: &[f64], b: &[f64]) -> (f64, f64) {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn the_elbo_lies_below_iwae_10_and_that_below_iwae_1000() {
    let vae = trained();
    let x = Tensor::from(digits().test().images());
    let q = no_grad(|| vae.encode(&x));
    let elbo = averaged(40, |rng| {
        let noise = standard_normal(q.mean.shape(), rng);
        let log_likelihoods = no_grad(|| vae.decode(&q.at(&noise)).log_likelihoods(&x));
        let bounds = log_likelihoods - q.kl_from_standard_normal().sum_dim(&[1], false);
        bounds.to_vec().into_iter().map(f64::from).collect()
    });
    let iwae = |samples, draws| {
        let options = EvidenceOptions { samples, ..Default::default() };
        averaged(draws, |rng| vae.log_evidence(&x, options, rng))
    };
    let (one, ten, thousand) = (iwae(1, 40), iwae(10, 40), iwae(1000, 1));

    // One sample is the bound itself, by another estimate: a right one is further off with one seed in 16,000.
    let (gain, error) = difference(&one, &elbo);
    assert!(gain.abs() < 4.0 * error, "IWAE-1 − ELBO = {gain} ± {error}");
    // More samples raise it, here by more than chance could.
    for (name, above, below) in [("IWAE-10 − ELBO", &ten, &elbo), ("IWAE-1000 − IWAE-10", &thousand, &ten)]
    {
        let (gain, error) = difference(above, below);
        assert!(gain > 4.0 * error, "{name} = {gain} ± {error}");
    }
    // Not by so much that it could not be a bound: the model explains the digits better than fair coins would.
    let mean = thousand.iter().sum::<f64>() / x.shape()[0] as f64;
    assert!(mean > -0.6 * 64.0 * 2f64.ln() && mean < 0.0, "{mean}");
}
