//! Losses against their formulas, at the edges, and with all options.

use striate_nn::Reduction;
use striate_nn::losses::*;
use striate_tensor::{Real, Tensor};

const N: usize = 100;

fn numbers(seed: usize) -> Vec<f64> {
    (0..N).map(|i| 2.0 * ((i * 37 + 11 * seed) as f64 * 0.7).sin()).collect()
}

fn positive(seed: usize) -> Vec<f64> {
    numbers(seed).iter().map(|x| x.abs() / 2.5 + 0.1).collect()
}

fn tensor<E: Real>(values: &[f64]) -> Tensor<E> {
    Tensor::from_vec(&[N / 5, 5], values.iter().map(|&x| E::of(x)).collect())
}

/// The loss in all reductions, in f64 and f32, against the formula element by element.
fn check<const K: usize>(
    inputs: [Vec<f64>; K],
    formula: impl Fn([f64; K]) -> f64,
    f64s: impl Fn([&Tensor<f64>; K], Reduction) -> Tensor<f64>,
    f32s: impl Fn([&Tensor<f32>; K], Reduction) -> Tensor<f32>,
) {
    let losses: Vec<f64> = (0..N).map(|i| formula(std::array::from_fn(|k| inputs[k][i]))).collect();
    let sum: f64 = losses.iter().sum();
    let (x, x32) = (inputs.each_ref().map(|x| tensor::<f64>(x)), inputs.each_ref().map(|x| tensor::<f32>(x)));
    for (reduction, expected) in [
        (Reduction::None, losses.clone()),
        (Reduction::Sum, vec![sum]),
        (Reduction::Mean, vec![sum / N as f64]),
    ] {
        let (y, y32) = (f64s(x.each_ref(), reduction), f32s(x32.each_ref(), reduction));
        let shape: &[usize] = if reduction == Reduction::None { &[N / 5, 5] } else { &[] };
        assert_eq!(y.shape(), shape);
        for ((y, y32), expected) in y.to_vec().into_iter().zip(y32.to_vec()).zip(&expected) {
            assert!((y - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{reduction:?}: {y}, {expected}");
            let error = (f64::from(y32) - expected).abs();
            assert!(error < 1e-5 * (1.0 + expected.abs()), "{reduction:?}: {y32}, {expected}");
        }
    }
}

fn bce<E: Real>([p, y]: [&Tensor<E>; 2], reduction: Reduction) -> Tensor<E> {
    binary_cross_entropy_with(p, y, BinaryCrossEntropyOptions { reduction, ..Default::default() })
}

fn bce_logits<E: Real>([x, y]: [&Tensor<E>; 2], reduction: Reduction) -> Tensor<E> {
    binary_cross_entropy_from_logits_with(x, y, BinaryCrossEntropyOptions { reduction, ..Default::default() })
}

#[test]
fn binary_cross_entropy_is_the_bernoulli_likelihood() {
    let formula = |[p, y]: [f64; 2]| -(y * p.ln() + (1.0 - y) * (1.0 - p).ln());
    check([positive(1), positive(2)], formula, bce, bce);
    let formula = |[x, y]: [f64; 2]| y * (1.0 + (-x).exp()).ln() + (1.0 - y) * (1.0 + x.exp()).ln();
    check([numbers(1), positive(2)], formula, bce_logits, bce_logits);
}

#[test]
fn binary_cross_entropy_weighs_elements_and_positives() {
    let (x, y) = (tensor::<f64>(&numbers(1)), tensor::<f64>(&positive(2)));
    let weight = Tensor::from_slice(&[1.0, 2.0, 0.5, 0.0, 3.0]);
    let positive_weight = Tensor::from_slice(&[1.0, 4.0, 0.5, 2.0, 0.0]);
    let options = BinaryCrossEntropyOptions {
        weight: Some(weight.clone()),
        positive_weight: Some(positive_weight.clone()),
        reduction: Reduction::None,
    };
    let losses = binary_cross_entropy_from_logits_with(&x, &y, options).to_vec();
    let (x, y, weight, positive) = (x.to_vec(), y.to_vec(), weight.to_vec(), positive_weight.to_vec());
    for i in 0..N {
        let (x, y) = (x[i], y[i]);
        let expected = weight[i % 5]
            * (positive[i % 5] * y * (1.0 + (-x).exp()).ln() + (1.0 - y) * (1.0 + x.exp()).ln());
        assert!((losses[i] - expected).abs() < 1e-13);
    }
}

#[test]
fn certainty_costs_a_hundred_at_most() {
    let p = Tensor::from_slice(&[0.0f32, 1.0, 0.0, 1.0]).requires_grad();
    let loss = bce([&p, &Tensor::from_slice(&[1.0, 0.0, 0.0, 1.0])], Reduction::None);
    assert_eq!(loss.to_vec(), [100.0, 100.0, 0.0, 0.0]);
    let dp = loss.sum().backward().get(&p).unwrap().to_vec();
    assert_eq!(dp, [-1e12, 1e12, 0.0, 0.0]);
}

#[test]
fn logits_of_any_size_are_fine() {
    let x = Tensor::from_slice(&[1e4f32, -1e4, 1e4, -1e4]).requires_grad();
    let loss = bce_logits([&x, &Tensor::from_slice(&[1.0, 0.0, 0.0, 1.0])], Reduction::None);
    assert_eq!(loss.to_vec(), [0.0, 0.0, 1e4, 1e4]);
    assert_eq!(loss.sum().backward().get(&x).unwrap().to_vec(), [0.0, 0.0, 1.0, -1.0]);
}

#[test]
fn errors_of_regression() {
    let inputs = || [numbers(1), numbers(2)];
    let square = |[x, t]: [f64; 2]| (x - t).powi(2);
    check(inputs(), square, |[x, t], r| squared_error_with(x, t, r), |[x, t], r| squared_error_with(x, t, r));
    let absolute = |[x, t]: [f64; 2]| (x - t).abs();
    check(
        inputs(),
        absolute,
        |[x, t], r| absolute_error_with(x, t, r),
        |[x, t], r| absolute_error_with(x, t, r),
    );
    for beta in [0.0, 0.5, 2.0] {
        let smooth = |[x, t]: [f64; 2]| {
            let d = (x - t).abs();
            if d < beta { d * d / (2.0 * beta) } else { d - beta / 2.0 }
        };
        let options = |reduction| SmoothAbsoluteErrorOptions { beta, reduction };
        check(
            inputs(),
            smooth,
            |[x, t], r| smooth_absolute_error(x, t, options(r)),
            |[x, t], r| smooth_absolute_error(x, t, options(r)),
        );
    }
    let x = Tensor::from_slice(&[1.0f32, f32::NAN]).requires_grad();
    let gradients = absolute_error(&x, &Tensor::ones(&[2])).backward();
    let dx = gradients.get(&x).unwrap().to_vec();
    assert!(dx[0] == 0.0 && dx[1].is_nan());
}

#[test]
fn gaussian_likelihood() {
    for full in [false, true] {
        let formula = |[mean, t, v]: [f64; 3]| {
            0.5 * (v.ln() + (t - mean).powi(2) / v)
                + if full { 0.5 * std::f64::consts::TAU.ln() } else { 0.0 }
        };
        let options = |reduction| GaussianNllOptions { full, reduction, ..Default::default() };
        check(
            [numbers(1), numbers(2), positive(3)],
            formula,
            |[m, t, v], r| gaussian_nll(m, t, v, options(r)),
            |[m, t, v], r| gaussian_nll(m, t, v, options(r)),
        );
    }
    let (mean, v) = (Tensor::<f64>::zeros(&[1]), Tensor::<f64>::zeros(&[1]).requires_grad());
    let options = GaussianNllOptions { eps: 0.25, ..Default::default() };
    let loss = gaussian_nll(&mean, &Tensor::ones(&[1]), &v, options);
    assert!((loss.item() - 0.5 * (0.25f64.ln() + 4.0)).abs() < 1e-15);
    assert_eq!(loss.backward().get(&v).unwrap().item(), 0.5 * (1.0 - 4.0) / 0.25);
}

#[test]
fn divergences() {
    let formula = |[p, q]: [f64; 2]| p.exp() * (p - q);
    check(
        [numbers(1), numbers(2)],
        formula,
        |[p, q], r| kl_categorical(p, q, r),
        |[p, q], r| kl_categorical(p, q, r),
    );
    let formula =
        |[mq, lq, mp, lp]: [f64; 4]| 0.5 * (lp - lq + (lq.exp() + (mq - mp).powi(2)) / lp.exp() - 1.0);
    fn gaussian<E: Real>([a, b, c, d]: [&Tensor<E>; 4], reduction: Reduction) -> Tensor<E> {
        let q = DiagonalGaussian { mean: a, log_variance: b };
        kl_gaussian(q, DiagonalGaussian { mean: c, log_variance: d }, reduction)
    }
    check([numbers(1), numbers(2), numbers(3), numbers(4)], formula, gaussian, gaussian);
    let formula = |[mean, log]: [f64; 2]| -0.5 * (1.0 + log - mean * mean - log.exp());
    fn standard<E: Real>([mean, log_variance]: [&Tensor<E>; 2], reduction: Reduction) -> Tensor<E> {
        kl_standard_normal(DiagonalGaussian { mean, log_variance }, reduction)
    }
    check([numbers(1), numbers(2)], formula, standard, standard);
}

#[test]
fn a_class_without_probability_adds_nothing() {
    let log_p = Tensor::from_slice(&[f64::NEG_INFINITY, 0.0]).requires_grad();
    let loss = kl_categorical(&log_p, &Tensor::from_slice(&[-1.0, -2.0]), Reduction::Sum);
    assert_eq!(loss.item(), 2.0);
    assert_eq!(loss.backward().get(&log_p).unwrap().to_vec(), [0.0, 3.0]);
}

#[test]
fn categorical_nll_of_log_softmax_is_cross_entropy() {
    let x = tensor::<f64>(&numbers(1)).reshape(&[4, 5, 5]);
    let labels: Vec<usize> = (0..20).map(|i| i * 7 % 5).collect();
    let weights = Some(vec![1.0, 0.5, 2.0, 3.0, 0.25]);
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        let options =
            CategoricalNllOptions { class_weights: weights.clone(), ignore_index: Some(3), reduction };
        let a = categorical_nll_with(&x.log_softmax(1), &labels, options).to_vec();
        let options = CrossEntropyOptions {
            class_weights: weights.clone(),
            ignore_index: Some(3),
            reduction,
            ..Default::default()
        };
        let b = cross_entropy_with(&x, &labels, options).to_vec();
        assert!(a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-13), "{a:?} {b:?}");
    }
}

#[test]
#[should_panic(
    expected = "squared_error: the shapes must be equal, a loss does not broadcast (prediction [3, 1], target [3])"
)]
fn a_loss_does_not_broadcast() {
    squared_error(&Tensor::<f32>::zeros(&[3, 1]), &Tensor::zeros(&[3]));
}
