//! Generative models against PyTorch and `torch.distributions`.

use striate_generative::{
    ConditionalVae, Elbo, Gaussian, LatentCost, Likelihood, Network, Objective, Pca, Vae, VaeOptions,
    Variance, contraction, kl_sparsity, l1_sparsity,
};
use striate_nn::{Activation, ParamStore};
use striate_tensor::{Real, Tensor};
use testkit::fill::{fill, noise};
use testkit::golden::{F64, Golden, Row, Tolerance, assert_close, check, load, row, weights, within};

// The same numbers stand in `golden/cases/generative.py`.
const BATCH: usize = 4;
const LATENT: usize = 3;
const CLASSES: usize = 3;
const CONDITION: usize = 2;

fn gaussians<E: Real>() -> Vec<Row<E>> {
    fn of<E: Real>(x: &[Tensor<E>]) -> Gaussian<E> {
        Gaussian { mean: x[0].clone(), log_variance: x[1].clone() }
    }
    vec![
        row("log_density", |x, _| of(x).log_density(&x[2])),
        row("entropy", |x, _| of(x).entropy()),
        row("kl", |x, _| of(x).kl(&of(&x[2..]))),
        row("kl_from_standard_normal", |x, _| of(x).kl_from_standard_normal()),
        row("expected_log_density", |x, _| of(x).expected_log_density(&of(&x[2..]))),
        row("l1_sparsity", |x, _| l1_sparsity(&x[0])),
        row("kl_sparsity", |x, _| kl_sparsity(&x[0], 0.1)).f32_within(1e-5),
        row("contraction", |x, _| contraction_of(&x[0], &x[1], &x[2])),
    ]
}

/// ‖∂h/∂x‖² of h = tanh(σ(x W) U), as a function of all three.
fn contraction_of<E: Real>(x: &Tensor<E>, w: &Tensor<E>, u: &Tensor<E>) -> Tensor<E> {
    contraction(|x| x.matmul(w).sigmoid().matmul(u).tanh(), x)
}

#[test]
fn gaussians_and_penalties() {
    check("gaussians", &gaussians::<f64>());
    check("gaussians", &gaussians::<f32>());
}

fn networks() -> [(&'static str, Network, &'static [usize]); 2] {
    let dense = Network::Dense { hidden: vec![6, 5], activation: Activation::Tanh };
    let convolutional =
        Network::Convolutional { channels: vec![3, 4], hidden: 6, activation: Activation::Silu };
    [("dense", dense, &[2, 3]), ("convolutional", convolutional, &[2, 8, 4])]
}

const LIKELIHOODS: [(&str, Likelihood); 5] = [
    ("bernoulli", Likelihood::Bernoulli),
    ("fixed", Likelihood::Gaussian(Variance::Fixed(0.3))),
    ("shared", Likelihood::Gaussian(Variance::Shared)),
    ("predicted", Likelihood::Gaussian(Variance::Predicted)),
    ("categorical", Likelihood::Categorical { classes: CLASSES }),
];

fn data<E: Real>(likelihood: Likelihood, shape: &[usize]) -> Tensor<E> {
    let u = noise::<E>("x", &[&[BATCH], shape].concat());
    match likelihood {
        Likelihood::Bernoulli => (u + 1.0) * 0.5,
        Likelihood::Gaussian(_) => u,
        Likelihood::Categorical { classes } => {
            Tensor::from(((u + 1.0) * (0.5 * classes as f64)).to_ndarray().mapv(|x| x.floor()))
        }
    }
}

/// The objectives by name; free bits up to the mean divergence.
fn objectives(golden: &Golden, case: &str) -> [(&'static str, Objective); 4] {
    let both = Objective::default();
    let nats = golden.f64(&format!("{case}:kl")).mean().expect("there are dimensions");
    [
        ("elbo", both),
        ("beta", Objective { beta: 4.0, ..both }),
        ("free_bits", Objective { cost: LatentCost::FreeBits { nats }, ..both }),
        ("capacity", Objective { beta: 30.0, cost: LatentCost::Capacity { nats: 1.5 }, ..both }),
    ]
}

/// Holds the terms, the losses and Σ c·d of every gradient d against PyTorch's.
fn same<E: Real>(case: &str, store: &ParamStore<E>, tolerance: Tolerance, elbo: impl Fn() -> Elbo<E>) {
    let golden = load("elbos");
    let close = |part: &str, actual: &Tensor<E>| {
        let name = format!("{case}:{part}");
        assert_close(&name, actual, &golden.f64(&name), tolerance);
    };
    let terms = elbo();
    close("log_likelihood", &terms.log_likelihood);
    close("kl", &terms.kl);
    for (name, objective) in objectives(&golden, case) {
        let loss = elbo().loss(&objective);
        close(&format!("{name}.loss"), &loss);
        let gradients = loss.backward();
        for (parameter, tensor) in store.parameters().iter() {
            let gradient = gradients.get(tensor).unwrap_or_else(|| panic!("{case}: {parameter}"));
            close(&format!("{name}.grad.{parameter}"), &(gradient * weights(tensor.shape())).sum());
        }
        let learnt = golden.under(&format!("{case}:{name}.grad.")).names().count();
        assert_eq!(store.parameters().len(), learnt, "{case}: the model has other parameters");
    }
}

fn bounds<E: Real>(tolerance: Tolerance) {
    let epsilon = noise::<E>("noise", &[BATCH, LATENT]) * 2.0;
    for (name, network, shape) in networks() {
        for (kind, likelihood) in LIKELIHOODS {
            let options = VaeOptions { network: network.clone(), latent: LATENT, likelihood };
            let x = data::<E>(likelihood, shape);
            let store = ParamStore::<E>::seeded(0);
            let vae = Vae::new(&store.root(), shape, &options).unwrap();
            vae.check(&x).unwrap();
            fill(&store);
            same(&format!("{name}, {kind}"), &store, tolerance, || vae.elbo_at(&x, &epsilon));
            if !["bernoulli", "categorical"].contains(&kind) {
                continue;
            }
            let y = noise::<E>("y", &[BATCH, CONDITION]);
            let store = ParamStore::<E>::seeded(0);
            let vae = ConditionalVae::new(&store.root(), shape, CONDITION, &options).unwrap();
            fill(&store);
            let case = format!("conditional {name}, {kind}");
            same(&case, &store, tolerance, || vae.elbo_at(&x, &y, &epsilon));
        }
    }
}

#[test]
fn bounds_in_double_precision() {
    bounds::<f64>(within(1e-11));
}

#[test]
fn bounds_in_single_precision() {
    bounds::<f32>(within(2e-4));
}

#[test]
fn pca_is_the_singular_value_decomposition() {
    let golden = load("pca");
    for (case, components) in [("tall", 4), ("wide", 3)] {
        let x = golden.f64(&format!("{case}:x")).into_dimensionality().unwrap();
        let pca = Pca::fit(x.view(), components).unwrap();
        let close = |part: &str, actual: Tensor<f64>| {
            let name = format!("{case}:{part}");
            assert_close(&name, &actual, &golden.f64(&name), Tolerance { absolute: 1e-10, ..F64 });
        };
        close("components", pca.components().into());
        close("variance", pca.explained_variance().into());
        close("ratio", pca.explained_variance_ratio().into());
        close("codes", pca.transform(x.view()).unwrap().into());
    }
}
