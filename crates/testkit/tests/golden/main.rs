//! Values and gradients of PyTorch, in one binary: the operations are compiled once for all of these tests.

mod conv;
mod elementary;
mod generative;
mod init;
mod layers;
mod layout;
mod losses;
mod mlp;
mod optim;
mod pooling;
mod recurrent;
mod recurrent_layers;
mod reductions;
mod schedules;
mod segment;
mod special;
mod vision;

use striate_tensor::Tensor;
use testkit::golden::{assert_close, within};

#[test]
fn close_numbers_nan_and_infinities_agree() {
    let actual = Tensor::<f64>::from_slice(&[1.0 + 1e-9, f64::NAN, f64::INFINITY]);
    let expected = ndarray::array![1.0, f64::NAN, f64::INFINITY].into_dyn();
    assert_close("exp: y", &actual, &expected, within(1e-8));
}

#[test]
#[should_panic(expected = "exp: y[1]: is 2.1, expected 2e0, tolerance 1e-2 + 1e-2·|expected|")]
fn a_difference_is_named() {
    let actual = Tensor::<f64>::from_slice(&[1.0, 2.1]);
    assert_close("exp: y", &actual, &ndarray::array![1.0, 2.0].into_dyn(), within(1e-2));
}

#[test]
#[should_panic(expected = "is NaN, expected inf")]
fn infinity_is_no_nan() {
    let expected = ndarray::array![f64::INFINITY].into_dyn();
    assert_close("exp: y", &Tensor::<f64>::from_slice(&[f64::NAN]), &expected, within(1.0));
}

#[test]
#[should_panic(expected = "the shape is [1, 2], expected [2]")]
fn shapes_must_agree() {
    let actual = Tensor::<f64>::ones(&[1, 2]);
    assert_close("exp: y", &actual, &ndarray::array![1.0, 1.0].into_dyn(), within(1.0));
}
