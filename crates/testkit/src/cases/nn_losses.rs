//! Losses of `striate-nn`.

use striate_nn::losses::{
    BinaryFocalOptions, CategoricalNllOptions, DiagonalGaussian, DiceOptions, DiceOver, FocalOptions,
    GaussianNllOptions, SmoothAbsoluteErrorOptions, absolute_error, binary_cross_entropy,
    binary_cross_entropy_from_logits, binary_focal_loss, categorical_nll_with, dice_loss, focal_loss,
    gaussian_nll, kl_categorical, kl_gaussian, kl_standard_normal, smooth_absolute_error, squared_error,
    squared_error_with,
};
use striate_nn::{CrossEntropyOptions, Reduction, cross_entropy, cross_entropy_with};

use crate::Case;
use crate::gradcheck::{positive, values};

/// Probabilities in 0.1..0.8.
fn probabilities(shape: &[usize], seed: u64) -> ndarray::ArrayD<f64> {
    positive(shape, seed).mapv(|x| 0.7 * x - 0.11)
}

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    vec![
        case("cross_entropy", "rows", vec![values(&[4, 3], 1)], |x| cross_entropy(&x[0], &[2, 0, 1, 1])),
        case("cross_entropy", "pixels, weights, ignored, smoothed", vec![values(&[2, 3, 2, 2], 1)], |x| {
            let options = CrossEntropyOptions {
                class_weights: Some(vec![0.5, 2.0, 1.25]),
                ignore_index: Some(255),
                label_smoothing: 0.2,
                ..Default::default()
            };
            cross_entropy_with(&x[0], &[2, 0, 1, 1, 255, 0, 2, 1], options)
        }),
        case("cross_entropy", "rows, weights, smoothed, none", vec![values(&[4, 3], 1)], |x| {
            let options = CrossEntropyOptions {
                class_weights: Some(vec![0.5, 2.0, 1.25]),
                label_smoothing: 0.2,
                reduction: Reduction::None,
                ..Default::default()
            };
            cross_entropy_with(&x[0], &[2, 0, 1, 1], options)
        }),
        case("cross_entropy", "pixels, sum", vec![values(&[2, 3, 5], 1)], |x| {
            let options = CrossEntropyOptions { reduction: Reduction::Sum, ..Default::default() };
            cross_entropy_with(&x[0], &[2, 0, 1, 1, 0, 2, 2, 1, 0, 0], options)
        }),
        case(
            "binary_cross_entropy",
            "mean",
            vec![probabilities(&[2, 3], 1), probabilities(&[2, 3], 2)],
            |x| binary_cross_entropy(&x[0], &x[1]),
        ),
        case("binary_cross_entropy_from_logits", "mean", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            binary_cross_entropy_from_logits(&x[0], &x[1])
        }),
        case("squared_error", "mean", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            squared_error(&x[0], &x[1])
        }),
        case("squared_error", "none", vec![values(&[70], 1), values(&[70], 2)], |x| {
            squared_error_with(&x[0], &x[1], Reduction::None)
        }),
        case("squared_error", "sum", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            squared_error_with(&x[0], &x[1], Reduction::Sum)
        }),
        case("absolute_error", "mean", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            absolute_error(&x[0], &x[1])
        }),
        case("smooth_absolute_error", "β 0.7", vec![values(&[4, 3], 1), values(&[4, 3], 2)], |x| {
            smooth_absolute_error(
                &x[0],
                &x[1],
                SmoothAbsoluteErrorOptions { beta: 0.7, ..Default::default() },
            )
        }),
        case(
            "gaussian_nll",
            "full",
            vec![values(&[2, 3], 1), values(&[2, 3], 2), positive(&[2, 3], 3)],
            |x| gaussian_nll(&x[0], &x[1], &x[2], GaussianNllOptions { full: true, ..Default::default() }),
        ),
        case(
            "gaussian_nll",
            "one variance",
            vec![values(&[2, 3], 1), values(&[2, 3], 2), positive(&[2, 1], 3)],
            |x| {
                gaussian_nll(
                    &x[0],
                    &x[1],
                    &x[2],
                    GaussianNllOptions { reduction: Reduction::None, ..Default::default() },
                )
            },
        ),
        case("kl_categorical", "mean", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            kl_categorical(&x[0], &x[1], Reduction::Mean)
        }),
        case("kl_gaussian", "sum", (1..5).map(|seed| values(&[2, 3], seed)).collect(), |x| {
            let q = DiagonalGaussian { mean: &x[0], log_variance: &x[1] };
            kl_gaussian(q, DiagonalGaussian { mean: &x[2], log_variance: &x[3] }, Reduction::Sum)
        }),
        case("kl_standard_normal", "none", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            kl_standard_normal(DiagonalGaussian { mean: &x[0], log_variance: &x[1] }, Reduction::None)
        }),
        case("gather", "categorical_nll, weights, ignored", vec![values(&[2, 3, 2, 2], 1)], |x| {
            let options = CategoricalNllOptions {
                class_weights: Some(vec![0.5, 2.0, 1.25]),
                ignore_index: Some(9),
                ..Default::default()
            };
            categorical_nll_with(&x[0], &[2, 0, 1, 1, 9, 0, 2, 1], options)
        }),
        case("powf", "binary_focal_loss, γ 1.5", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            let options = BinaryFocalOptions { gamma: 1.5, ..Default::default() };
            binary_focal_loss(&x[0], &x[1].sigmoid(), options)
        }),
        case("square", "focal_loss, weights, ignored", vec![values(&[2, 3, 2, 2], 1)], |x| {
            let options = FocalOptions {
                class_weights: Some(vec![0.5, 2.0, 1.25]),
                ignore_index: Some(9),
                ..Default::default()
            };
            focal_loss(&x[0], &[2, 0, 1, 1, 9, 0, 2, 1], options)
        }),
        case("softmax", "dice_loss, over each image, ignored", vec![values(&[2, 3, 2, 2], 1)], |x| {
            let options = DiceOptions { ignore_index: Some(9), ..Default::default() };
            dice_loss(&x[0], &[2, 0, 1, 1, 9, 0, 2, 1], options)
        }),
        case("concat", "dice_loss, one channel, over the batch", vec![values(&[2, 1, 2, 2], 1)], |x| {
            let options = DiceOptions { over: DiceOver::Batch, ..Default::default() };
            dice_loss(&x[0], &[1, 0, 1, 1, 0, 0, 0, 1], options)
        }),
    ]
}
