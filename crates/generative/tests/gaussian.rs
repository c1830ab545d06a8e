//! The diagonal Gaussian against Monte Carlo, integrals and laws.
//!
//! Statistical tests have fixed seeds and accept what lies within five standard errors: a right sampler would fail one
//! such test with another seed in 2 million.

use striate_generative::{Gaussian, standard_normal};
use striate_nn::Rng;
use striate_tensor::Tensor;

fn gaussian(mean: &[f64], std: &[f64]) -> Gaussian<f64> {
    Gaussian {
        mean: Tensor::from_slice(mean),
        log_variance: Tensor::from_vec(&[std.len()], std.iter().map(|s| 2.0 * s.ln()).collect()),
    }
}

fn pair() -> (Gaussian<f64>, Gaussian<f64>) {
    (gaussian(&[0.5, -1.0, 2.0], &[0.7, 1.5, 0.2]), gaussian(&[0.0, -0.5, 1.0], &[1.0, 0.6, 0.9]))
}

/// The mean of `f` over samples of q, each of its elements within five standard errors of `expected`.
#[track_caller]
fn expect_mean(
    q: &Gaussian<f64>,
    f: impl Fn(&Tensor<f64>) -> Tensor<f64>,
    expected: &Tensor<f64>,
    seed: u64,
) {
    const SAMPLES: usize = 100_000;
    let all = |x: &Tensor<f64>| x.expand(&[SAMPLES, x.len()]);
    let wide = Gaussian { mean: all(&q.mean), log_variance: all(&q.log_variance) };
    let values = f(&wide.sample(&mut Rng::new(seed)));
    let means = values.mean_dim(&[0], false).to_vec();
    let errors = (values.std_dim(&[0], Default::default()) / (SAMPLES as f64).sqrt()).to_vec();
    for ((mean, error), expected) in means.iter().zip(errors).zip(expected.to_vec()) {
        assert!((mean - expected).abs() < 5.0 * error, "{mean} ± {error}, expected {expected}");
    }
}

#[test]
fn samples_have_the_mean_and_the_variance() {
    let (q, _) = pair();
    expect_mean(&q, |z| z.clone(), &q.mean, 1);
    let squares = &q.mean * &q.mean + q.log_variance.exp();
    expect_mean(&q, |z| z * z, &squares, 2);
}

#[test]
fn standard_noise_is_normal_by_kolmogorov_and_smirnov() {
    const SAMPLES: usize = 20_000;
    let mut noise = standard_normal::<f64>(&[SAMPLES], &mut Rng::new(3)).to_vec();
    noise.sort_by(f64::total_cmp);
    let n = SAMPLES as f64;
    let distance = noise.iter().enumerate().fold(0.0, |most: f64, (i, &x)| {
        let (phi, _) = striate_tensor::Real::normal(x);
        most.max((phi - i as f64 / n).abs()).max((phi - (i + 1) as f64 / n).abs())
    });
    // P(√n D > 2.7) = 2 e^(−2 · 2.7²) < 10⁻⁶
    assert!(distance * n.sqrt() < 2.7, "{distance}");
}

#[test]
fn the_closed_divergence_is_the_mean_log_ratio_and_the_difference_of_integrals() {
    let (q, p) = pair();
    expect_mean(&q, |z| q.log_density(z) - p.log_density(z), &q.kl(&p), 4);
    let standard = Gaussian::standard(&[3]);
    expect_mean(&q, |z| q.log_density(z) - standard.log_density(z), &q.kl_from_standard_normal(), 5);
    expect_mean(&q, |z| p.log_density(z), &q.expected_log_density(&p), 6);
    for (q, p) in [(&q, &p), (&p, &q), (&q, &standard)] {
        let difference = q.expected_log_density(q) - q.expected_log_density(p);
        assert!(difference.all_close(&q.kl(p), Default::default()));
    }
    assert!(q.kl(&standard).all_close(&q.kl_from_standard_normal(), Default::default()));
}

/// ∫ f by Simpson's rule.
fn integral(f: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    const STEPS: usize = 20_000;
    let h = (high - low) / STEPS as f64;
    let weight = |i: usize| if i == 0 || i == STEPS { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
    (0..=STEPS).map(|i| weight(i) * f(low + h * i as f64)).sum::<f64>() * h / 3.0
}

#[test]
fn integrals_by_quadrature() {
    let (p, q) = (gaussian(&[0.5], &[0.7]), gaussian(&[-0.4], &[1.3]));
    let log_density = |g: &Gaussian<f64>, x: f64| g.log_density(&Tensor::from_slice(&[x])).item();
    let over_p = |f: &dyn Fn(f64) -> f64| integral(|x| log_density(&p, x).exp() * f(x), -9.0, 9.0);
    assert!((over_p(&|_| 1.0) - 1.0).abs() < 1e-10);
    let expected = p.expected_log_density(&q).item();
    assert!((over_p(&|x| log_density(&q, x)) - expected).abs() < 1e-10);
    assert!((over_p(&|x| -log_density(&p, x)) - p.entropy().item()).abs() < 1e-10);
    let kl = over_p(&|x| log_density(&p, x) - log_density(&q, x));
    assert!((kl - p.kl(&q).item()).abs() < 1e-10);
    let standard = over_p(&|x| log_density(&p, x) - log_density(&Gaussian::standard(&[1]), x));
    assert!((standard - p.kl_from_standard_normal().item()).abs() < 1e-10);
}

#[test]
fn what_the_notes_print_is_not_the_integral() {
    let (p, q) = (gaussian(&[0.5], &[0.7]), gaussian(&[-0.4], &[1.3]));
    let printed = |log_sigma: f64| {
        -0.5 * (std::f64::consts::TAU.ln() + log_sigma + (0.49 + 0.9f64.powi(2)) / 1.3f64.powi(2))
    };
    let expected = p.expected_log_density(&q).item();
    assert!((printed(0.7f64.ln()) - expected).abs() > 0.1);
    assert!((printed(1.3f64.powi(2).ln()) - expected).abs() < 1e-12);
    // −½ (1 + ln σ² − μ − σ²) is negative for μ = −1, σ = 1; the divergence is ½.
    assert!((gaussian(&[-1.0], &[1.0]).kl_from_standard_normal().item() - 0.5).abs() < 1e-15);
}

#[test]
fn the_divergence_is_not_negative_zero_for_equals_and_not_symmetric() {
    let mut rng = Rng::new(7);
    let mut draw = || Gaussian {
        mean: standard_normal(&[1000], &mut rng),
        log_variance: standard_normal(&[1000], &mut rng),
    };
    let (q, p) = (draw(), draw());
    for divergences in [q.kl(&p), p.kl(&q), q.kl_from_standard_normal()] {
        assert!(divergences.to_vec().iter().all(|&d| d > 0.0));
    }
    assert_eq!(q.kl(&q).to_vec(), [0.0; 1000]);
    assert_eq!(Gaussian::<f64>::standard(&[3]).kl_from_standard_normal().to_vec(), [0.0; 3]);
    let (there, back) = (q.kl(&p).to_vec(), p.kl(&q).to_vec());
    assert!(there.iter().zip(&back).all(|(a, b): (&f64, &f64)| (a - b).abs() > 1e-9));
    // D(N(0, 4)‖N(0, 1)) = ½ (3 − ln 4), D(N(0, 1)‖N(0, 4)) = ½ (ln 4 − ¾)
    let (wide, narrow) = (gaussian(&[0.0], &[2.0]), gaussian(&[0.0], &[1.0]));
    assert!((wide.kl(&narrow).item() - 0.5 * (3.0 - 4f64.ln())).abs() < 1e-15);
    assert!((narrow.kl(&wide).item() - 0.5 * (4f64.ln() - 0.75)).abs() < 1e-15);
}

#[test]
fn gradients_flow_through_the_sample() {
    let (q, _) = pair();
    let q = Gaussian { mean: q.mean.requires_grad(), log_variance: q.log_variance.requires_grad() };
    let noise = Tensor::from_slice(&[0.3, -1.2, 0.8]);
    let gradients = q.at(&noise).sum().backward();
    assert_eq!(gradients.get(&q.mean).unwrap().to_vec(), [1.0; 3]);
    let expected = (&q.log_variance * 0.5).exp() * &noise * 0.5;
    assert!(gradients.get(&q.log_variance).unwrap().all_close(&expected, Default::default()));
}

#[test]
#[should_panic(expected = "the noise must have the shape of the mean")]
fn noise_does_not_broadcast() {
    Gaussian::<f32>::standard(&[4, 2]).at(&Tensor::zeros(&[2]));
}
