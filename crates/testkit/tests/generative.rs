//! The whole evidence lower bound against numerical derivatives, with respect to every parameter, with the noise held
//! fixed; and the losses of auto-encoders, contraction among them, which is a derivative itself.

use striate_generative::{
    AutoEncoder, AutoEncoderOptions, ConditionalVae, LatentCost, Likelihood, Network, Objective, Penalty,
    Vae, VaeOptions, Variance,
};
use striate_nn::{Activation, ParamStore};
use striate_tensor::{Tensor, no_grad};
use testkit::fill::{fill, noise};

const BATCH: usize = 3;
const LATENT: usize = 2;

/// Holds dL/dw of every number of every parameter against the slope of L.
fn check(case: &str, store: &ParamStore<f64>, loss: impl Fn() -> Tensor<f64>) {
    const STEP: f64 = 1e-5;
    let gradients = loss().backward();
    for (name, parameter) in store.parameters().iter() {
        let gradient = gradients.get(parameter).unwrap_or_else(|| panic!("{case}: {name}")).to_vec();
        for (i, analytic) in gradient.into_iter().enumerate() {
            let at = |shift: f64| {
                parameter.update(|array| array.make_mut()[i] += shift);
                loss().item()
            };
            let difference = at(STEP) - at(-2.0 * STEP);
            parameter.update(|array| array.make_mut()[i] += STEP);
            let numeric = difference / (2.0 * STEP);
            assert!(
                (analytic - numeric).abs() <= 1e-7 * (1.0 + numeric.abs()),
                "{case}: d/d {name}[{i}] is {analytic}, numerically {numeric}"
            );
        }
    }
}

fn networks() -> [(Network, &'static [usize]); 2] {
    let dense = Network::Dense { hidden: vec![4], activation: Activation::Tanh };
    let convolutional = Network::Convolutional { channels: vec![2], hidden: 3, activation: Activation::Silu };
    [(dense, &[2, 2]), (convolutional, &[1, 4, 2])]
}

fn data(likelihood: Likelihood, shape: &[usize]) -> Tensor<f64> {
    let u = noise::<f64>("x", &[&[BATCH], shape].concat());
    match likelihood {
        Likelihood::Bernoulli => (u + 1.0) * 0.5,
        Likelihood::Gaussian(_) => u,
        Likelihood::Categorical { .. } => u.gt(Tensor::scalar(0.0)),
    }
}

#[test]
fn the_bound_of_every_decoder_has_the_gradient_of_its_slope() {
    let likelihoods = [
        Likelihood::Bernoulli,
        Likelihood::Gaussian(Variance::Fixed(0.3)),
        Likelihood::Gaussian(Variance::Shared),
        Likelihood::Gaussian(Variance::Predicted),
        Likelihood::Categorical { classes: 2 },
    ];
    let epsilon = noise::<f64>("noise", &[BATCH, LATENT]);
    let y = noise::<f64>("y", &[BATCH, 2]);
    for (network, shape) in networks() {
        for likelihood in likelihoods {
            let options = VaeOptions { network: network.clone(), latent: LATENT, likelihood };
            let case = format!("{network:?}, {likelihood:?}");
            let x = data(likelihood, shape);
            let store = ParamStore::seeded(0);
            let vae = Vae::new(&store.root(), shape, &options).unwrap();
            fill(&store);
            check(&case, &store, || vae.elbo_at(&x, &epsilon).loss(&Objective::default()));
            let store = ParamStore::seeded(0);
            let vae = ConditionalVae::new(&store.root(), shape, 2, &options).unwrap();
            fill(&store);
            check(&case, &store, || vae.elbo_at(&x, &y, &epsilon).loss(&Objective::default()));
        }
    }
}

#[test]
fn every_objective_has_the_gradient_of_its_slope() {
    let epsilon = noise::<f64>("noise", &[BATCH, LATENT]);
    let (network, shape) = networks()[0].clone();
    let x = data(Likelihood::Bernoulli, shape);
    let store = ParamStore::seeded(0);
    let options = VaeOptions { network, latent: LATENT, ..Default::default() };
    let vae = Vae::new(&store.root(), shape, &options).unwrap();
    fill(&store);
    let kl = no_grad(|| vae.elbo_at(&x, &epsilon)).kl.to_vec();
    let nats = (kl[0] + kl[1]) / 2.0;
    let both = Objective::default();
    for objective in [
        Objective { reconstruction: 0.5, beta: 4.0, ..both },
        Objective { cost: LatentCost::FreeBits { nats }, ..both },
        Objective { cost: LatentCost::Capacity { nats }, ..both },
        Objective { cost: LatentCost::Capacity { nats: 4.0 * nats }, ..both },
    ] {
        check(&format!("{objective:?}"), &store, || vae.elbo_at(&x, &epsilon).loss(&objective));
    }
}

#[test]
fn losses_of_auto_encoders_have_the_gradients_of_their_slopes() {
    for (network, shape) in networks() {
        let options = AutoEncoderOptions {
            network,
            code: LATENT,
            code_activation: Activation::Sigmoid,
            output_activation: Activation::Tanh,
        };
        let store = ParamStore::seeded(0);
        let net = AutoEncoder::new(&store.root(), shape, &options).unwrap();
        fill(&store);
        let x = data(Likelihood::Gaussian(Variance::Shared), shape);
        let damaged = &x + noise::<f64>("damage", x.shape()) * 0.2;
        for penalty in [
            Penalty::None,
            Penalty::L1 { weight: 0.7 },
            Penalty::Kl { weight: 2.0, target: 0.1 },
            Penalty::Contractive { weight: 3.0 },
        ] {
            check(&format!("{options:?}, {penalty:?}"), &store, || net.loss(&damaged, &x, penalty));
        }
    }
}
