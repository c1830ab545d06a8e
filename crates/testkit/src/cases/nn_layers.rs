//! Layers of `striate-nn`.

use striate_compute::rng::Rng;
use striate_nn::layers::batch_norm_op::{batch_norm, batch_norm_with};
use striate_nn::layers::dropout::dropout;
use striate_nn::layers::layer_norm::layer_norm;
use striate_nn::layers::linear::linear;
use striate_tensor::Tensor;

use crate::Case;
use crate::gradcheck::values;

pub(super) fn cases() -> Vec<Case> {
    let first = |op, name, inputs, call| Case { op, name, inputs, call, second_order: false };
    let second = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    vec![
        second("linear", "with bias", vec![values(&[2, 3], 1), values(&[4, 3], 2), values(&[4], 3)], |x| {
            linear(&x[0], &x[1], Some(&x[2]))
        }),
        second("linear", "more axes, no bias", vec![values(&[2, 2, 3], 1), values(&[4, 3], 2)], |x| {
            linear(&x[0], &x[1], None)
        }),
        second("batch_norm", "features", vec![values(&[5, 3], 1), values(&[3], 2), values(&[3], 3)], |x| {
            batch_norm(&x[0], Some(&[x[1].clone(), x[2].clone()]), 1e-5).0
        }),
        second(
            "batch_norm",
            "images",
            vec![values(&[2, 2, 3, 7], 1), values(&[2], 2), values(&[2], 3)],
            |x| batch_norm(&x[0], Some(&[x[1].clone(), x[2].clone()]), 0.1).0,
        ),
        second("batch_norm", "no affine map", vec![values(&[3, 2, 5], 1)], |x| {
            batch_norm(&x[0], None, 1e-5).0
        }),
        second(
            "batch_norm",
            "given",
            vec![values(&[2, 2, 3, 7], 1), values(&[2], 2), values(&[2], 3)],
            |x| {
                let (mean, variance) = (Tensor::from_slice(&[0.5, -1.0]), Tensor::from_slice(&[2.0, 0.5]));
                batch_norm_with(&x[0], &mean, &variance, Some(&[x[1].clone(), x[2].clone()]), 1e-5)
            },
        ),
        second("batch_norm", "given, short, no affine map", vec![values(&[3, 2], 1)], |x| {
            let (mean, variance) = (Tensor::from_slice(&[0.5, -1.0]), Tensor::from_slice(&[2.0, 0.5]));
            batch_norm_with(&x[0], &mean, &variance, None, 1e-5)
        }),
        second("layer_norm", "rows", vec![values(&[3, 5], 1), values(&[5], 2), values(&[5], 3)], |x| {
            layer_norm(&x[0], &[5], Some(&x[1]), Some(&x[2]), 1e-5)
        }),
        second("layer_norm", "two axes, no bias", vec![values(&[2, 3, 4], 1), values(&[3, 4], 2)], |x| {
            layer_norm(&x[0], &[3, 4], Some(&x[1]), None, 0.1)
        }),
        second("layer_norm", "no affine map", vec![values(&[2, 6], 1)], |x| {
            layer_norm(&x[0], &[6], None, None, 1e-5)
        }),
        first("dropout", "a half", vec![values(&[4, 5], 1)], |x| dropout(&x[0], 0.5, Rng::new(3))),
    ]
}
