//! Losses of `striate-nn`.

use striate_nn::{CrossEntropyOptions, Reduction, cross_entropy, cross_entropy_with};

use crate::Case;
use crate::gradcheck::values;

pub(super) fn cases() -> Vec<Case> {
    let first = |op, name, inputs, call| Case { op, name, inputs, call, second_order: false };
    vec![
        first("cross_entropy", "rows", vec![values(&[4, 3], 1)], |x| cross_entropy(&x[0], &[2, 0, 1, 1])),
        first("cross_entropy", "pixels, weights, ignored, smoothed", vec![values(&[2, 3, 2, 2], 1)], |x| {
            let options = CrossEntropyOptions {
                class_weights: Some(vec![0.5, 2.0, 1.25]),
                ignore_index: Some(255),
                label_smoothing: 0.2,
                ..Default::default()
            };
            cross_entropy_with(&x[0], &[2, 0, 1, 1, 255, 0, 2, 1], options)
        }),
        first("cross_entropy", "rows, weights, smoothed, none", vec![values(&[4, 3], 1)], |x| {
            let options = CrossEntropyOptions {
                class_weights: Some(vec![0.5, 2.0, 1.25]),
                label_smoothing: 0.2,
                reduction: Reduction::None,
                ..Default::default()
            };
            cross_entropy_with(&x[0], &[2, 0, 1, 1], options)
        }),
        first("cross_entropy", "pixels, sum", vec![values(&[2, 3, 5], 1)], |x| {
            let options = CrossEntropyOptions { reduction: Reduction::Sum, ..Default::default() };
            cross_entropy_with(&x[0], &[2, 0, 1, 1, 0, 2, 2, 1, 0, 0], options)
        }),
    ]
}
