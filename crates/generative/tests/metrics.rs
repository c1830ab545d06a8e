//! Metrics of disentanglement on codes whose score is known: separate, turned by 45 degrees, random, doubled.

use ndarray::{Array2, ArrayView2, Axis, array, concatenate, s};
use striate_generative::GenerativeError;
use striate_generative::metrics::{
    BetaVaeMetricOptions, DciOptions, FactorKind, FactorVaeMetricOptions, beta_vae_metric, dci,
    factor_vae_metric, mig, sap,
};
use striate_nn::Rng;

const SIZES: [usize; 3] = [8, 8, 8];
const ORDINAL: [FactorKind; 3] = [FactorKind::Ordinal; 3];

/// Every combination of three factors.
fn factors() -> Array2<usize> {
    Array2::from_shape_fn((512, 3), |(n, k)| n / [64, 8, 1][k] % 8)
}

/// Each dimension one factor: in another order, with other signs and scales, and one dimension that holds nothing.
fn separate(factors: ArrayView2<usize>) -> Array2<f64> {
    let v = factors.mapv(|v| v as f64 - 3.5);
    let scaled = v.select(Axis(1), &[2, 0, 1]) * &array![[-2.0, 0.5, 10.0]];
    concatenate(Axis(1), &[scaled.view(), Array2::zeros((v.nrows(), 1)).view()]).unwrap()
}

/// The first two factors turned by 45 degrees, the third alone.
fn turned(factors: ArrayView2<usize>) -> Array2<f64> {
    factors.mapv(|v| v as f64).dot(&array![[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
}

/// Noise that knows nothing of the factors.
fn random(factors: ArrayView2<usize>, rng: &mut Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((factors.nrows(), 4), || rng.normal())
}

#[track_caller]
fn near(actual: f64, expected: f64, bound: f64) {
    assert!((actual - expected).abs() <= bound, "{actual}, expected {expected} ± {bound}");
}

#[test]
fn mig_of_known_codes() {
    let factors = factors();
    let perfect = mig(separate(factors.view()).view(), factors.view()).unwrap();
    near(perfect.score, 1.0, 1e-12);
    near(perfect.information[[1, 0]], 8f64.ln(), 1e-12);
    near(perfect.information[[0, 0]], 0.0, 1e-12);
    let entangled = mig(turned(factors.view()).view(), factors.view()).unwrap();
    assert!(entangled.gaps[0].abs() < 1e-12 && entangled.gaps[1].abs() < 1e-12, "{:?}", entangled.gaps);
    near(entangled.score, 1.0 / 3.0, 1e-12);
    // Counts of 512 samples in 20 × 8 cells look informative by (20 − 1) (8 − 1) / 2·512 = 0.13 nats; gaps are less.
    let noise = mig(random(factors.view(), &mut Rng::new(0)).view(), factors.view()).unwrap();
    assert!(noise.score < 0.03, "{}", noise.score);
    // A code that holds a factor twice has no gap, and one of a single dimension has nothing to compare with.
    let one = factors.slice(s![.., ..1]);
    let codes = one.mapv(|v| v as f64);
    let doubled = concatenate(Axis(1), &[codes.view(), codes.view()]).unwrap();
    near(mig(doubled.view(), one).unwrap().score, 0.0, 1e-12);
    near(mig(codes.view(), one).unwrap().score, 1.0, 1e-12);
}

#[test]
fn information_of_a_coarse_code() {
    // z says whether v is below 2: of 4 values it knows ln 2 of ln 4.
    let factors = Array2::from_shape_fn((40, 1), |(n, _)| n % 4);
    let codes = factors.mapv(|v| if v < 2 { 0.0 } else { 1.0 });
    let found = mig(codes.view(), factors.view()).unwrap();
    near(found.information[[0, 0]], 2f64.ln(), 1e-12);
    near(found.score, 0.5, 1e-12);
}

#[test]
fn sap_of_known_codes() {
    let factors = factors();
    let perfect = sap(separate(factors.view()).view(), factors.view(), &ORDINAL).unwrap();
    near(perfect.score, 1.0, 1e-12);
    near(perfect.predictability[[2, 1]], 1.0, 1e-12);
    let entangled = sap(turned(factors.view()).view(), factors.view(), &ORDINAL).unwrap();
    near(entangled.predictability[[0, 0]], 0.5, 1e-12);
    near(entangled.score, 1.0 / 3.0, 1e-12);
    let noise = sap(random(factors.view(), &mut Rng::new(1)).view(), factors.view(), &ORDINAL).unwrap();
    assert!(noise.score < 0.03, "{}", noise.score);
}

#[test]
fn thresholds_predict_categories() {
    let factors = Array2::from_shape_fn((90, 1), |(n, _)| n % 3);
    let places = [5.0, -1.0, 2.0];
    let codes =
        Array2::from_shape_fn(
            (90, 2),
            |(n, j)| if j == 0 { places[n % 3] + 0.1 * (n % 7) as f64 } else { 4.0 },
        );
    let found = sap(codes.view(), factors.view(), &[FactorKind::Categorical]).unwrap();
    near(found.predictability[[0, 0]], 1.0, 1e-12);
    near(found.predictability[[1, 0]], 1.0 / 3.0, 1e-12);
    near(found.score, 2.0 / 3.0, 1e-12);
    // Balanced: a class of 80 and one of 10, of which thresholds get half right each.
    let factors = Array2::from_shape_fn((90, 1), |(n, _)| usize::from(n >= 80));
    let codes = Array2::from_shape_fn((90, 1), |(n, _)| (n % 2) as f64);
    let found = sap(codes.view(), factors.view(), &[FactorKind::Categorical]).unwrap();
    near(found.score, 0.5, 1e-12);
}

#[test]
fn dci_of_known_codes() {
    let factors = factors();
    let score = |codes: Array2<f64>, lambda| {
        dci(codes.view(), factors.view(), &ORDINAL, DciOptions { lambda, ..Default::default() }).unwrap()
    };
    // λ is above the correlations of the chance sample and below what matters.
    let perfect = score(separate(factors.view()), 0.15);
    near(perfect.disentanglement, 1.0, 1e-12);
    near(perfect.completeness, 1.0, 1e-12);
    // Weights are 1 − λ, so that R² = 1 − λ².
    near(perfect.informativeness, 1.0 - 0.15f64.powi(2), 0.01);
    near(perfect.importance[[0, 2]], 0.85, 1e-9);
    assert_eq!(perfect.importance.row(3).sum(), 0.0);
    let entangled = score(turned(factors.view()), 0.15);
    // Two dimensions matter for two of three factors alike: 1 − log₃ 2; the third matters for one.
    let weight = |row: usize| entangled.importance.row(row).sum() / entangled.importance.sum();
    let mixed = 1.0 - 2f64.ln() / 3f64.ln();
    near(entangled.disentanglement, mixed * (weight(0) + weight(1)) + weight(2), 0.01);
    near(entangled.completeness, entangled.disentanglement, 0.02);
    assert!(entangled.disentanglement < 0.7);
    let noise = score(random(factors.view(), &mut Rng::new(2)), 0.15);
    assert_eq!((noise.disentanglement, noise.completeness), (0.0, 0.0));
    assert!(noise.informativeness.abs() < 0.05, "{}", noise.informativeness);
}

#[test]
fn dci_of_a_factor_in_two_dimensions_and_of_categories() {
    // Two noisy copies of one factor: each matters for it alone, but it needs both: C = 1 − log₂ 2 = 0.
    let mut rng = Rng::new(3);
    let one = factors().slice(s![.., ..1]).to_owned();
    let codes = Array2::from_shape_fn((512, 2), |(n, _)| one[[n, 0]] as f64 + rng.normal());
    let found = dci(codes.view(), one.view(), &ORDINAL[..1], Default::default()).unwrap();
    near(found.disentanglement, 1.0, 1e-12);
    near(found.completeness, 0.0, 0.02);
    let categories = Array2::from_shape_fn((300, 1), |(n, _)| [7, 2, 5][n % 3]);
    let codes = Array2::from_shape_fn((300, 3), |(n, j)| f64::from(u8::from(n % 3 == j)));
    let options = DciOptions { lambda: 0.0, ..Default::default() };
    let found = dci(codes.view(), categories.view(), &[FactorKind::Categorical], options).unwrap();
    near(found.informativeness, 1.0, 1e-6);
}

#[test]
fn the_beta_vae_metric_of_known_codes() {
    let options = BetaVaeMetricOptions { pairs: 32, learnt: 200, held_out: 200, seed: 1 };
    let perfect = beta_vae_metric(&SIZES, separate, options).unwrap();
    assert_eq!(perfect, 1.0);
    // Which of the turned two is shared cannot be told from distances: chance ½ for them, 1 for the third.
    let entangled = beta_vae_metric(&SIZES, turned, options).unwrap();
    near(entangled, 2.0 / 3.0, 0.12);
    let mut rng = Rng::new(4);
    let noise = beta_vae_metric(&SIZES, |factors| random(factors, &mut rng), options).unwrap();
    near(noise, 1.0 / 3.0, 0.15);
}

#[test]
fn the_factor_vae_metric_of_known_codes() {
    let options = FactorVaeMetricOptions {
        spread_samples: 500,
        samples: 32,
        learnt: 200,
        held_out: 200,
        ..Default::default()
    };
    assert_eq!(factor_vae_metric(&SIZES, separate, options).unwrap(), 1.0);
    let entangled = factor_vae_metric(&SIZES, turned, options).unwrap();
    near(entangled, 2.0 / 3.0, 0.12);
    let mut rng = Rng::new(5);
    let noise = factor_vae_metric(&SIZES, |factors| random(factors, &mut rng), options).unwrap();
    near(noise, 1.0 / 3.0, 0.15);
    let collapsed = factor_vae_metric(&SIZES, |factors| separate(factors) * 1e-3, options).unwrap();
    assert_eq!(collapsed, 0.0);
}

#[test]
fn factors_with_one_value_are_not_asked_for() {
    let sizes = [1, 8, 8];
    assert_eq!(beta_vae_metric(&sizes, separate, Default::default()).unwrap(), 1.0);
    assert_eq!(factor_vae_metric(&sizes, separate, Default::default()).unwrap(), 1.0);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let factors = factors();
    let codes = separate(factors.view());
    let fewer = factors.slice(s![..10, ..]);
    let text = |error: GenerativeError| error.to_string();
    assert_eq!(
        text(mig(codes.view(), fewer).unwrap_err()),
        "factors must be (512, K) with K ≥ 1, is [10, 3]"
    );
    let constant = Array2::zeros((512, 3));
    assert_eq!(text(mig(codes.view(), constant.view()).unwrap_err()), "factor 0 has one value alone");
    let nan = &codes * f64::NAN;
    assert_eq!(text(mig(nan.view(), factors.view()).unwrap_err()), "codes must be finite, is NaN at [0, 0]");
    assert_eq!(
        text(sap(codes.view(), factors.view(), &ORDINAL[..2]).unwrap_err()),
        "kinds must be one for each of 3 factors, is [2]"
    );
    let negative = DciOptions { lambda: -1.0, ..Default::default() };
    assert_eq!(
        text(dci(codes.view(), factors.view(), &ORDINAL, negative).unwrap_err()),
        "lambda must be finite and not negative, is -1"
    );
    assert_eq!(
        text(beta_vae_metric(&[1, 1], separate, Default::default()).unwrap_err()),
        "factor 0 has one value alone"
    );
    let none = BetaVaeMetricOptions { pairs: 0, ..Default::default() };
    assert_eq!(
        text(beta_vae_metric(&SIZES, separate, none).unwrap_err()),
        "an option of the β-VAE metric must be at least 1, is 0"
    );
    assert!(matches!(
        factor_vae_metric(&SIZES, |_| Array2::zeros((1, 2)), Default::default()),
        Err(GenerativeError::Shape { what: "codes", .. })
    ));
    let infinite = |factors: ArrayView2<usize>| separate(factors) + f64::INFINITY;
    assert!(factor_vae_metric(&SIZES, infinite, Default::default()).is_err());
}
