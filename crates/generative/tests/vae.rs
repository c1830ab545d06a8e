//! Variational auto-encoders: a model whose evidence is known, the ablations, the objectives, threads.

use striate_generative::{
    ConditionalVae, Elbo, EvidenceOptions, LatentCost, Likelihood, Network, Objective, Observation, Vae,
    VaeOptions, Variance, standard_normal,
};
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Activation, ParamStore, Rng};
use striate_tensor::{Array, Real, Tensor, no_grad};

const SIDE: usize = 8;
const LIKELIHOODS: [Likelihood; 5] = [
    Likelihood::Bernoulli,
    Likelihood::Gaussian(Variance::Fixed(0.1)),
    Likelihood::Gaussian(Variance::Shared),
    Likelihood::Gaussian(Variance::Predicted),
    Likelihood::Categorical { classes: 3 },
];

fn small(convolutional: bool) -> Network {
    if convolutional {
        Network::Convolutional { channels: vec![4, 6], hidden: 16, activation: Activation::Silu }
    } else {
        Network::dense(&[32])
    }
}

/// Pictures (N, 1, 8, 8) of a bright bar, and whether it stands.
fn bars(count: usize, seed: u64) -> (Tensor, Tensor) {
    let mut rng = Rng::new(seed);
    let (mut pictures, mut stands) = (vec![0.0; count * SIDE * SIDE], vec![]);
    for picture in pictures.chunks_exact_mut(SIDE * SIDE) {
        let (stand, place) = (rng.below(2), rng.below(SIDE));
        for i in 0..SIDE {
            picture[if stand == 1 { i * SIDE + place } else { place * SIDE + i }] = 1.0;
        }
        stands.push(stand);
    }
    let pictures = Tensor::from_vec(&[count, 1, SIDE, SIDE], pictures);
    (pictures, Tensor::one_hot(&ndarray::Array1::from(stands), 2))
}

fn train(vae: &Vae, store: &ParamStore, objective: Objective, steps: u64) {
    let mut adam = Adam::new(store, AdamOptions { lr: 3e-3, ..Default::default() });
    for step in 0..steps {
        adam.step(&vae.elbo(&bars(32, step).0).loss(&objective).backward());
    }
}

/// log-likelihood and divergences on fresh pictures.
fn test_terms(vae: &Vae) -> (f64, Vec<f32>) {
    let x = bars(200, 12345).0;
    let noise = standard_normal(&[200, vae.latent()], &mut Rng::new(1));
    let elbo = no_grad(|| vae.elbo_at(&x, &noise));
    (elbo.log_likelihood.item(), elbo.kl.to_vec())
}

#[test]
fn every_network_and_decoder_learns() {
    for convolutional in [false, true] {
        for likelihood in LIKELIHOODS {
            let store = ParamStore::seeded(0);
            let options = VaeOptions { network: small(convolutional), latent: 4, likelihood };
            let vae = Vae::new(&store.root(), &[1, SIDE, SIDE], &options).unwrap();
            let x = bars(3, 0).0;
            vae.check(&x).unwrap();
            assert_eq!(vae.encode(&x).mean.shape(), [3, 4]);
            assert_eq!(vae.reconstruct(&x).shape(), x.shape());
            assert_eq!(vae.sample(7, &mut Rng::new(0)).shape(), [7, 1, SIDE, SIDE]);
            let gradients = vae.elbo(&x).loss(&Objective::default()).backward();
            for (name, parameter) in store.parameters().iter() {
                let gradient = gradients.get(parameter).unwrap_or_else(|| panic!("{name}"));
                assert!(gradient.to_vec().iter().any(|&g| g != 0.0), "{likelihood:?}: {name}");
            }
            let value = || {
                let (log_likelihood, kl) = test_terms(&vae);
                log_likelihood - f64::from(kl.iter().sum::<f32>())
            };
            let before = value();
            train(&vae, &store, Objective::default(), 80);
            let after = value();
            assert!(after > before + 5.0, "{likelihood:?}: from {before} to {after}");
        }
    }
}

/// x = w z + b + σ ε with one latent dimension, whose exact posterior is the encoder.
struct LinearGaussian {
    vae: Vae<f64>,
    store: ParamStore<f64>,
    w: Vec<f64>,
    b: Vec<f64>,
}

const NOISE_VARIANCE: f64 = 0.3;

fn set(store: &ParamStore<f64>, name: &str, values: &[f64]) {
    let tensor = store.get(name).unwrap_or_else(|| panic!("{name}"));
    let shape = tensor.shape().to_vec();
    tensor.update(|array| *array = Array::from_vec(&shape, values.to_vec()));
}

fn linear_gaussian() -> LinearGaussian {
    let (w, b) = (vec![0.7, -1.2, 0.4], vec![0.5, 0.0, -1.0]);
    let store = ParamStore::<f64>::seeded(0);
    let likelihood = Likelihood::Gaussian(Variance::Fixed(NOISE_VARIANCE));
    let options = VaeOptions { network: Network::dense(&[]), latent: 1, likelihood };
    let vae = Vae::new(&store.root(), &[3], &options).unwrap();
    let variance = 1.0 / (1.0 + w.iter().map(|w| w * w).sum::<f64>() / NOISE_VARIANCE);
    let gain: Vec<f64> = w.iter().map(|w| variance * w / NOISE_VARIANCE).collect();
    let shift = -gain.iter().zip(&b).map(|(g, b)| g * b).sum::<f64>();
    set(&store, "encoder.mean.weight", &gain);
    set(&store, "encoder.mean.bias", &[shift]);
    set(&store, "encoder.log_variance.weight", &[0.0; 3]);
    set(&store, "encoder.log_variance.bias", &[variance.ln()]);
    set(&store, "decoder.fc1.weight", &w);
    set(&store, "decoder.fc1.bias", &b);
    LinearGaussian { vae, store, w, b }
}

impl LinearGaussian {
    /// ln N(x; b, w wᵀ + σ² I), by the formulas of Sherman, Morrison and Woodbury.
    fn log_evidence(&self, x: &[f64]) -> f64 {
        let d: Vec<f64> = x.iter().zip(&self.b).map(|(x, b)| x - b).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let inner = 1.0 + dot(&self.w, &self.w) / NOISE_VARIANCE;
        let quadratic = (dot(&d, &d) - dot(&self.w, &d).powi(2) / (NOISE_VARIANCE * inner)) / NOISE_VARIANCE;
        let determinant = 3.0 * NOISE_VARIANCE.ln() + inner.ln();
        -0.5 * (3.0 * std::f64::consts::TAU.ln() + determinant + quadratic)
    }
}

fn points() -> (Tensor<f64>, Vec<Vec<f64>>) {
    let points = vec![vec![0.5, 0.1, -0.2], vec![2.0, -1.0, 0.0], vec![-1.0, 0.7, 0.3], vec![0.0, 0.0, 0.0]];
    (Tensor::from_vec(&[4, 3], points.concat()), points)
}

#[test]
fn with_the_exact_posterior_the_bound_and_every_sample_are_the_evidence() {
    let model = linear_gaussian();
    let (x, points) = points();
    let exact: Vec<f64> = points.iter().map(|x| model.log_evidence(x)).collect();
    for samples in [1, 3] {
        let options = EvidenceOptions { samples, ..Default::default() };
        let estimates = model.vae.log_evidence(&x, options, &mut Rng::new(0));
        for (estimate, exact) in estimates.iter().zip(&exact) {
            assert!((estimate - exact).abs() < 1e-12, "{estimate}, exactly {exact}");
        }
    }
    // The bound's divergence is in closed form, so that it is the evidence in expectation alone.
    let many = x.repeat(&[5000, 1]);
    let noise = standard_normal(&[many.shape()[0], 1], &mut Rng::new(2));
    let mean = exact.iter().sum::<f64>() / 4.0;
    let bound = model.vae.elbo_at(&many, &noise).value().item();
    // The standard deviation of one estimate is about 1: five standard errors of 20,000.
    assert!((bound - mean).abs() < 0.035, "{bound}, exactly {mean}");
}

#[test]
fn more_samples_tighten_the_bound_of_a_rough_posterior() {
    let model = linear_gaussian();
    set(&model.store, "encoder.mean.bias", &[0.4]);
    set(&model.store, "encoder.log_variance.bias", &[1.5]);
    let (x, points) = points();
    let exact = points.iter().map(|x| model.log_evidence(x)).sum::<f64>() / 4.0;
    let copies = x.repeat(&[500, 1]);
    let bound = |samples, x: &Tensor<f64>| {
        let options = EvidenceOptions { samples, ..Default::default() };
        let estimates = model.vae.log_evidence(x, options, &mut Rng::new(3));
        estimates.iter().sum::<f64>() / estimates.len() as f64
    };
    let (one, ten, most) = (bound(1, &copies), bound(10, &copies), bound(5000, &x));
    assert!(one < ten - 0.05 && ten < exact, "{one}, {ten}, exactly {exact}");
    assert!((most - exact).abs() < 0.01, "{most}, exactly {exact}");
}

#[test]
fn the_evidence_does_not_depend_on_the_rows_decoded_at_a_time() {
    let store = ParamStore::<f64>::seeded(1);
    let vae = Vae::new(&store.root(), &[1, SIDE, SIDE], &VaeOptions::default()).unwrap();
    let x = Tensor::from(bars(5, 0).0.to_ndarray().mapv(f64::from));
    let estimate = |rows| vae.log_evidence(&x, EvidenceOptions { samples: 23, rows }, &mut Rng::new(8));
    let all = estimate(4096);
    for rows in [0, 17] {
        let pieces = estimate(rows);
        assert!(all.iter().zip(&pieces).all(|(a, b)| (a - b).abs() < 1e-10), "{all:?}, {pieces:?}");
    }
    assert!(vae.log_evidence(&x.narrow(0, 0, 0), Default::default(), &mut Rng::new(0)).is_empty());
}

#[test]
fn the_ablations_do_what_the_figures_show() {
    let trained = |objective| {
        let store = ParamStore::seeded(0);
        let options = VaeOptions { network: small(false), latent: 2, ..Default::default() };
        let vae = Vae::new(&store.root(), &[1, SIDE, SIDE], &options).unwrap();
        train(&vae, &store, objective, 300);
        let q = no_grad(|| vae.encode(&bars(200, 12345).0));
        (test_terms(&vae), q.log_variance.mean().item())
    };
    let ((likely, kl), log_variance) = trained(Objective::default());
    let kl: f32 = kl.iter().sum();
    let ((likely_alone, kl_alone), log_variance_alone) = trained(Objective::RECONSTRUCTION_ONLY);
    let kl_alone: f32 = kl_alone.iter().sum();
    assert!(likely_alone > likely && kl_alone > 2.0 * kl, "{likely_alone}, {likely}; {kl_alone}, {kl}");
    assert!(log_variance_alone < log_variance - 1.0, "{log_variance_alone}, {log_variance}");
    let ((unlikely, none), log_variance) = trained(Objective::KL_ONLY);
    assert!(none.iter().sum::<f32>() < 0.05 && log_variance.abs() < 0.1, "{none:?}, {log_variance}");
    assert!(unlikely < likely - 10.0, "{unlikely}, {likely}");
}

#[test]
fn objectives_weigh_the_terms() {
    let store = ParamStore::<f64>::seeded(0);
    let vae = Vae::new(&store.root(), &[4], &VaeOptions { latent: 3, ..Default::default() }).unwrap();
    let x = Tensor::full(&[5, 4], 0.5);
    let elbo = vae.elbo(&x);
    let (error, kl) = (-elbo.log_likelihood.item(), elbo.kl.to_vec());
    let sum: f64 = kl.iter().sum();
    let loss = |objective: Objective| elbo.loss(&objective).item();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a}, {b}");
    let both = Objective::default();
    close(elbo.value().item(), -error - sum);
    close(loss(both), error + sum);
    close(loss(Objective { beta: 4.0, ..both }), error + 4.0 * sum);
    close(loss(Objective { reconstruction: 0.5, ..both }), 0.5 * error + sum);
    close(loss(Objective::RECONSTRUCTION_ONLY), error);
    close(loss(Objective::KL_ONLY), sum);
    let nats = kl[1];
    let free = Objective { beta: 2.0, cost: LatentCost::FreeBits { nats }, ..both };
    close(loss(free), error + 2.0 * kl.iter().map(|d| d.max(nats)).sum::<f64>());
    for nats in [0.5 * sum, 2.0 * sum] {
        let capacity = Objective { beta: 30.0, cost: LatentCost::Capacity { nats }, ..both };
        close(loss(capacity), error + 30.0 * (sum - nats).abs());
    }
}

#[test]
fn a_term_of_weight_zero_is_left_out_even_when_it_is_infinite() {
    let elbo = |log_likelihood, kl| Elbo {
        log_likelihood: Tensor::<f64>::scalar(log_likelihood),
        kl: Tensor::full(&[2], kl),
    };
    assert_eq!(elbo(-3.0, f64::INFINITY).loss(&Objective::RECONSTRUCTION_ONLY).item(), 3.0);
    assert_eq!(elbo(f64::NEG_INFINITY, 1.0).loss(&Objective::KL_ONLY).item(), 2.0);
}

#[test]
fn free_bits_and_capacity_lead_the_divergence() {
    let divergence = |objective| {
        let store = ParamStore::seeded(0);
        let options = VaeOptions { network: small(false), latent: 2, ..Default::default() };
        let vae = Vae::new(&store.root(), &[1, SIDE, SIDE], &options).unwrap();
        train(&vae, &store, objective, 300);
        test_terms(&vae).1.iter().sum::<f32>()
    };
    let strong = Objective { beta: 50.0, ..Default::default() };
    let kl = divergence(Objective { cost: LatentCost::Capacity { nats: 1.5 }, ..strong });
    assert!((kl - 1.5).abs() < 0.3, "{kl}");
    let kl = divergence(Objective { cost: LatentCost::FreeBits { nats: 0.5 }, ..strong });
    assert!(kl > 0.4 && kl < 1.1, "{kl}");
    let kl = divergence(strong);
    assert!(kl < 0.05, "{kl}");
}

#[test]
fn what_the_condition_says_the_code_need_not() {
    for convolutional in [false, true] {
        let store = ParamStore::seeded(0);
        let options = VaeOptions { network: small(convolutional), latent: 4, ..Default::default() };
        let vae = ConditionalVae::new(&store.root(), &[1, SIDE, SIDE], 2, &options).unwrap();
        let mut adam = Adam::new(&store, AdamOptions { lr: 5e-3, ..Default::default() });
        for step in 0..800 {
            let (x, y) = bars(32, step);
            adam.step(&vae.elbo(&x, &y).loss(&Objective::default()).backward());
        }
        // Bars that stand differ from row to row less than from column to column, whatever the code.
        let stand = Tensor::one_hot(&ndarray::array![1], 2).expand(&[64, 2]);
        let samples = vae.sample(&stand, &mut Rng::new(0));
        let spread = |axis| samples.std_dim(&[axis], Default::default()).mean().item();
        assert!(spread(2) < 0.5 * spread(3), "{} down, {} across", spread(2), spread(3));
        let (x, y) = bars(16, 999);
        vae.check(&x, &y).unwrap();
        assert_eq!(vae.reconstruct(&x, &y).shape(), x.shape());
        let evidence = EvidenceOptions { samples: 50, rows: 100 };
        let right = vae.log_evidence(&x, &y, evidence, &mut Rng::new(1));
        let wrong = vae.log_evidence(&x, &(-&y + 1.0), evidence, &mut Rng::new(1));
        let gains: Vec<f64> = right.iter().zip(&wrong).map(|(right, wrong)| right - wrong).collect();
        assert!(gains.iter().sum::<f64>() / 16.0 > 1.0, "{gains:?}");
    }
}

#[test]
fn observations_sample_what_they_say() {
    // Within five standard errors of the mean, see tests/gaussian.rs.
    const SAMPLES: usize = 40_000;
    let wide = |values: &[f64]| Tensor::from_slice(values).expand(&[SAMPLES, values.len()]);
    let logits = wide(&[1.0, -0.5, 0.2]);
    let gaussian = striate_generative::Gaussian { mean: logits.clone(), log_variance: Tensor::scalar(-1.0) };
    let categories =
        Tensor::from_vec(&[1, 3, 2], vec![0.1f64, 2.0, -1.0, 0.0, 0.5, 0.3]).expand(&[SAMPLES, 3, 2]);
    for observation in [
        Observation::Bernoulli { logits },
        Observation::Gaussian(gaussian),
        Observation::Categorical { logits: categories },
    ] {
        let x = observation.sample(&mut Rng::new(6));
        let error = x.std_dim(&[0], Default::default()) / (SAMPLES as f64).sqrt();
        let off = (x.mean_dim(&[0], false) - observation.mean().select(0, 0)).abs() / error;
        assert!(off.to_vec().iter().all(|&off| off < 5.0), "{off:?}");
        let total = observation.log_likelihood(&x).item();
        let each = observation.log_likelihoods(&x);
        assert_eq!(each.shape(), [SAMPLES]);
        assert!((each.sum().item() - total).abs() < 1e-9 * total.abs());
    }
}

#[test]
fn categories_are_a_distribution() {
    let logits = standard_normal::<f64>(&[1, 3, 2, 2], &mut Rng::new(0));
    let observation = Observation::Categorical { logits };
    let ways = (0..81).map(|code: usize| {
        let x = (0..4).map(|place| (code / 3usize.pow(place) % 3) as f64).collect();
        observation.log_likelihood(&Tensor::from_vec(&[1, 2, 2], x)).item().exp()
    });
    assert!((ways.sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn the_same_bits_at_one_two_and_five_threads() {
    for convolutional in [false, true] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let store = ParamStore::seeded(5);
                let options = VaeOptions { network: small(convolutional), latent: 4, ..Default::default() };
                let vae = Vae::new(&store.root(), &[1, SIDE, SIDE], &options).unwrap();
                train(&vae, &store, Objective::default(), 10);
                let x = bars(40, 3).0;
                let evidence = EvidenceOptions { samples: 11, rows: 200 };
                let mut numbers = vae.log_evidence(&x, evidence, &mut Rng::new(1));
                let values = store.parameters().iter().flat_map(|(_, p)| p.to_vec()).collect::<Vec<f32>>();
                numbers.extend(
                    values.iter().chain(&vae.sample(300, &mut Rng::new(2)).to_vec()).map(|x| x.f64()),
                );
                numbers.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            })
        };
        let one = run(1);
        assert!(one == run(2), "two threads give other bits than one");
        assert!(one == run(5), "five threads give other bits than one");
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let new = |shape: &[usize], options: VaeOptions| {
        let store = ParamStore::<f32>::seeded(0);
        Vae::new(&store.root(), shape, &options).map(|_| ()).unwrap_err().to_string()
    };
    let options = VaeOptions::default;
    assert_eq!(new(&[4], VaeOptions { latent: 0, ..options() }), "the latent size must be at least 1, is 0");
    assert_eq!(new(&[4, 0], options()), "a sample's side must be at least 1, is 0");
    let fixed = Likelihood::Gaussian(Variance::Fixed(-1.0));
    let fixed = VaeOptions { likelihood: fixed, ..options() };
    assert_eq!(new(&[4], fixed), "the variance must be positive and finite, is -1");
    let none = VaeOptions { likelihood: Likelihood::Categorical { classes: 0 }, ..options() };
    assert_eq!(new(&[4], none), "the number of classes must be at least 1, is 0");
    let odd = VaeOptions { network: Network::convolutional(), ..options() };
    assert_eq!(
        new(&[1, 64, 40], odd),
        "4 convolutions of stride 2 take pictures whose sides are multiples of 16, not 64 × 40"
    );
    let store = ParamStore::<f32>::seeded(0);
    let error = ConditionalVae::new(&store.root(), &[4], 0, &options()).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the condition's size must be at least 1, is 0");
}

#[test]
fn data_outside_the_support_is_an_error() {
    let check = |likelihood, x: Tensor| {
        let store = ParamStore::<f32>::seeded(0);
        let vae = Vae::new(&store.root(), &[2], &VaeOptions { likelihood, ..Default::default() }).unwrap();
        vae.check(&x).map_err(|error| error.to_string())
    };
    let row = |a, b| Tensor::from_vec(&[1, 2], vec![a, b]);
    let bernoulli = Likelihood::Bernoulli;
    assert_eq!(check(bernoulli, row(0.0, 1.0)), Ok(()));
    assert_eq!(
        check(bernoulli, row(0.5, 255.0)).unwrap_err(),
        "x is 255 at [0, 1]: a Bernoulli decoder needs numbers in [0, 1]"
    );
    assert_eq!(check(bernoulli, row(f32::NAN, 0.0)).unwrap_err(), "x must be finite, is NaN at [0, 0]");
    assert_eq!(
        check(bernoulli, Tensor::zeros(&[1, 3])).unwrap_err(),
        "x must be a batch of samples [2], is [1, 3]"
    );
    let gaussian = Likelihood::Gaussian(Variance::Shared);
    assert_eq!(check(gaussian, row(-3.0, 255.0)), Ok(()));
    assert!(check(gaussian, row(f32::INFINITY, 0.0)).is_err());
    let categories = Likelihood::Categorical { classes: 3 };
    assert_eq!(check(categories, row(0.0, 2.0)), Ok(()));
    for wrong in [3.0, 0.5, -1.0] {
        let error = check(categories, row(0.0, wrong)).unwrap_err();
        assert_eq!(error, format!("x is {wrong} at [0, 1]: a categorical decoder needs integers below 3"));
    }
    let store = ParamStore::<f32>::seeded(0);
    let vae = ConditionalVae::new(&store.root(), &[2], 3, &VaeOptions::default()).unwrap();
    let x = row(0.0, 1.0);
    assert_eq!(
        vae.check(&x, &Tensor::zeros(&[1, 2])).unwrap_err().to_string(),
        "y must be [1, 3], is [1, 2]"
    );
    let infinite = Tensor::full(&[1, 3], f64::INFINITY);
    assert_eq!(vae.check(&x, &infinite).unwrap_err().to_string(), "y must be finite, is inf at [0, 0]");
}

#[test]
#[should_panic(expected = "linear: x has 3 features, weight expects 4")]
fn a_sample_of_another_shape_panics_with_the_rule() {
    let store = ParamStore::<f32>::seeded(0);
    Vae::new(&store.root(), &[4], &VaeOptions::default()).unwrap().elbo(&Tensor::zeros(&[2, 3]));
}

#[test]
#[should_panic(expected = "y must be (N, K), is [2] beside [2, 4]")]
fn a_condition_of_another_rank_panics_with_the_rule() {
    let store = ParamStore::<f32>::seeded(0);
    let vae = ConditionalVae::new(&store.root(), &[4], 2, &VaeOptions::default()).unwrap();
    vae.elbo(&Tensor::zeros(&[2, 4]), &Tensor::zeros(&[2]));
}
