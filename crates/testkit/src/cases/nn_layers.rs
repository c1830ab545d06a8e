//! Layers of `striate-nn`.

use striate_compute::rng::Rng;
use striate_nn::layers::dropout::dropout;
use striate_nn::layers::linear::linear;

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
        first("dropout", "a half", vec![values(&[4, 5], 1)], |x| dropout(&x[0], 0.5, Rng::new(3))),
    ]
}
