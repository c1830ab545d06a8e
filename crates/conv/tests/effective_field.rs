//! The effective receptive field lies in the receptive field.
#![cfg(feature = "autograd")]

use striate_conv::{Window, effective_receptive_field, receptive_fields};
use striate_tensor::Tensor;

/// A 3×3 mean with a stride, then a kink.
fn layer(x: &Tensor<f64>, stride: usize) -> Tensor<f64> {
    let along = |x: &Tensor<f64>, axis: isize| {
        let end = x.shape()[axis as usize] as isize;
        x.slice(axis, 0..end - 2, stride) + x.slice(axis, 1..end - 1, stride) + x.slice(axis, 2..end, stride)
    };
    (along(&along(x, 2), 3) / 9.0).leaky_relu(0.1)
}

#[test]
fn support_is_the_receptive_field_and_the_middle_weighs_most() {
    let field =
        effective_receptive_field(&[4, 2, 23, 21], |x: &Tensor<f64>| layer(&layer(&layer(x, 1), 2), 1));
    assert_eq!(field.shape(), [23, 21]);
    let window = |stride| [Window { kernel: 3, stride, ..Default::default() }; 2];
    let [rows, columns] = receptive_fields(&[window(1), window(2), window(1)]).unwrap()[2];
    // 23 → 21 → 10 → 8 and 21 → 19 → 9 → 7 outputs.
    let (rows, columns) = (rows.inputs(4), columns.inputs(3));
    for (place, &weight) in field.indexed_iter() {
        let seen = rows.contains(&(place[0] as isize)) && columns.contains(&(place[1] as isize));
        assert_eq!(weight > 0.0, seen, "{place:?}");
    }
    let (middle, corner) = (field[[12, 10]], field[[8, 6]]);
    assert!(middle > 10.0 * corner, "{middle} {corner}");
}

#[test]
#[should_panic(expected = "(N, C, *)")]
fn an_input_without_space_is_refused() {
    effective_receptive_field(&[2, 3], |x: &Tensor<f64>| x * 2.0);
}

#[test]
#[should_panic(expected = "depend on it")]
fn a_network_that_ignores_its_input_is_refused() {
    effective_receptive_field(&[1, 1, 3], |x: &Tensor<f64>| Tensor::ones(x.shape()));
}
