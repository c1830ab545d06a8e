//! Losses with every option and reduction against PyTorch.

use striate_nn::losses::*;
use striate_tensor::{Real, Tensor};
use testkit::golden::{Row, check, row};

// The same numbers stand in `golden/cases/losses.py`.
const CLASS_WEIGHTS: [f64; 4] = [0.5, 2.0, 1.25, 0.75];
const WEIGHTS: [f64; 5] = [0.5, 2.0, 1.25, 0.75, 1.5];
const POSITIVE_WEIGHTS: [f64; 5] = [3.0, 0.25, 1.0, 2.0, 0.5];

const REDUCTIONS: [(&str, Reduction); 3] =
    [("mean", Reduction::Mean), ("sum", Reduction::Sum), ("none", Reduction::None)];

fn cross_entropies<E: Real>() -> Vec<Row<E>> {
    let mut rows = vec![
        row("large, likely", |x, i| cross_entropy_with(&x[0], &i[0], CrossEntropyOptions::default())),
        row("large, unlikely", |x, i| cross_entropy_with(&x[0], &i[0], CrossEntropyOptions::default())),
    ];
    for (place, classes) in [("rows", 4), ("pixels", 3)] {
        for (option, weighted, ignore_index, label_smoothing) in [
            ("plain", false, None, 0.0),
            ("weights", true, None, 0.0),
            ("ignored", false, Some(0), 0.0),
            ("smoothed", false, None, 0.2),
            ("weights + ignored + smoothed", true, Some(0), 0.2),
        ] {
            for (name, reduction) in REDUCTIONS {
                let class_weights = weighted.then(|| CLASS_WEIGHTS[..classes].to_vec());
                let options = CrossEntropyOptions { class_weights, ignore_index, label_smoothing, reduction };
                rows.push(row(format!("{place}, {option}, {name}"), move |x, i| {
                    cross_entropy_with(&x[0], &i[0], options.clone())
                }));
            }
        }
    }
    rows
}

#[test]
fn cross_entropy() {
    check("cross_entropy", &cross_entropies::<f64>());
    check("cross_entropy", &cross_entropies::<f32>());
}

fn categorical_nlls<E: Real>() -> Vec<Row<E>> {
    let mut rows = Vec::new();
    for (place, classes) in [("rows", 4), ("pixels", 3)] {
        for (option, weighted, ignore_index) in
            [("plain", false, None), ("weights", true, None), ("ignored", false, Some(0))]
        {
            for (name, reduction) in REDUCTIONS {
                let class_weights = weighted.then(|| CLASS_WEIGHTS[..classes].to_vec());
                let options = CategoricalNllOptions { class_weights, ignore_index, reduction };
                rows.push(row(format!("{place}, {option}, {name}"), move |x, i| {
                    categorical_nll_with(&x[0], &i[0], options.clone())
                }));
            }
        }
    }
    rows
}

#[test]
fn categorical_nll() {
    check("nll", &categorical_nlls::<f64>());
    check("nll", &categorical_nlls::<f32>());
}

fn weights<E: Real>(weights: [f64; 5]) -> Option<Tensor<E>> {
    Some(Tensor::from_slice(&weights.map(E::of)))
}

fn binary<E: Real>(
    reduction: Reduction,
    weight: Option<Tensor<E>>,
    positive_weight: Option<Tensor<E>>,
) -> BinaryCrossEntropyOptions<E> {
    BinaryCrossEntropyOptions { weight, positive_weight, reduction }
}

/// The losses of pairs with one reduction.
fn reduced<E: Real>(name: &str, reduction: Reduction) -> Vec<Row<E>> {
    let smooth = move |beta| SmoothAbsoluteErrorOptions { beta, reduction };
    let gaussian = move |full, eps| GaussianNllOptions { full, eps, reduction };
    let bce = |case: &str, weight: Option<Tensor<E>>| {
        row(case, move |x, _| {
            binary_cross_entropy_with(&x[0], &x[1], binary(reduction, weight.clone(), None))
        })
    };
    let logits = |case: &str, weight: Option<Tensor<E>>, positive: Option<Tensor<E>>| {
        row(case, move |x, _| {
            binary_cross_entropy_from_logits_with(
                &x[0],
                &x[1],
                binary(reduction, weight.clone(), positive.clone()),
            )
        })
    };
    vec![
        row("mse", move |x, _| squared_error_with(&x[0], &x[1], reduction)),
        row("l1", move |x, _| absolute_error_with(&x[0], &x[1], reduction)),
        row("smooth_l1", move |x, _| smooth_absolute_error(&x[0], &x[1], smooth(1.0))),
        row("smooth_l1, beta 0.3", move |x, _| smooth_absolute_error(&x[0], &x[1], smooth(0.3))),
        row("smooth_l1, beta 0", move |x, _| smooth_absolute_error(&x[0], &x[1], smooth(0.0))),
        bce("bce", None).f32_within(1e-5),
        bce("bce, weights", weights(WEIGHTS)).f32_within(1e-5),
        logits("bce_logits, plain", None, None),
        logits("bce_logits, weights", weights(WEIGHTS), None),
        logits("bce_logits, pos_weight", None, weights(POSITIVE_WEIGHTS)),
        logits("bce_logits, weights, pos_weight", weights(WEIGHTS), weights(POSITIVE_WEIGHTS)),
        row("gaussian_nll, plain", move |x, _| gaussian_nll(&x[0], &x[1], &x[2], gaussian(false, 1e-6))),
        row("gaussian_nll, full", move |x, _| gaussian_nll(&x[0], &x[1], &x[2], gaussian(true, 1e-6))),
        row("gaussian_nll, floored", move |x, _| gaussian_nll(&x[0], &x[1], &x[2], gaussian(false, 1e-3))),
        row("kl_categorical", move |x, _| kl_categorical(&x[0], &x[1], reduction)),
    ]
    .into_iter()
    .map(|row| row.named(|case| format!("{case}, {name}")))
    .collect()
}

fn losses<E: Real>() -> Vec<Row<E>> {
    fn gaussian<E: Real>(x: &[Tensor<E>]) -> DiagonalGaussian<'_, E> {
        DiagonalGaussian { mean: &x[0], log_variance: &x[1] }
    }
    let mut rows: Vec<Row<E>> =
        REDUCTIONS.into_iter().flat_map(|(name, reduction)| reduced(name, reduction)).collect();
    rows.extend([
        row("bce_logits, large", |x, _| binary_cross_entropy_from_logits(&x[0], &x[1])),
        row("bce, certain", |x, _| binary_cross_entropy(&x[0], &x[1])),
        row("smooth_l1, at the joint", |x, _| smooth_absolute_error(&x[0], &x[1], Default::default())),
        row("l1, equal", |x, _| absolute_error(&x[0], &x[1])),
        row("kl_gaussian, sum", |x, _| kl_gaussian(gaussian(x), gaussian(&x[2..]), Reduction::Sum)),
        row("kl_gaussian, none", |x, _| kl_gaussian(gaussian(x), gaussian(&x[2..]), Reduction::None)),
        row("kl_standard_normal, mean", |x, _| kl_standard_normal(gaussian(x), Reduction::Mean)),
        row("kl_standard_normal, none", |x, _| kl_standard_normal(gaussian(x), Reduction::None)),
    ]);
    rows
}

#[test]
fn losses_of_pairs() {
    check("losses", &losses::<f64>());
    check("losses", &losses::<f32>());
}

fn pixel_losses<E: Real>() -> Vec<Row<E>> {
    let mut rows = Vec::new();
    for (name, reduction) in REDUCTIONS {
        for (option, alpha, gamma) in
            [("plain", Some(0.25), 2.0), ("no alpha, gamma 1.5", None, 1.5), ("gamma 0", Some(0.75), 0.0)]
        {
            let options = BinaryFocalOptions { gamma, alpha, reduction };
            rows.push(row(format!("sigmoid focal, {option}, {name}"), move |x, _| {
                binary_focal_loss(&x[0], &x[1], options)
            }));
        }
        for (option, gamma, class_weights, ignore_index) in [
            ("plain", 2.0, None, None),
            ("weights + ignored, gamma 3", 3.0, Some(CLASS_WEIGHTS[..3].to_vec()), Some(0)),
        ] {
            let options = FocalOptions { gamma, class_weights, ignore_index, reduction };
            rows.push(row(format!("focal, {option}, {name}"), move |x, i| {
                focal_loss(&x[0], &i[0], options.clone())
            }));
        }
    }
    for place in ["classes", "one channel"] {
        for (name, over) in [("image", DiceOver::Image), ("batch", DiceOver::Batch)] {
            for (option, smoothing, ignore_index) in
                [("", 1.0, None), (", ignored, smoothing 1e-5", 1e-5, Some(0))]
            {
                let options = DiceOptions { smoothing, over, ignore_index };
                rows.push(row(format!("dice, {place}, {name}{option}"), move |x, i| {
                    dice_loss(&x[0], &i[0], options)
                }));
            }
        }
    }
    rows
}

#[test]
fn losses_of_pixels() {
    check("pixel_losses", &pixel_losses::<f64>());
    check("pixel_losses", &pixel_losses::<f32>());
}
