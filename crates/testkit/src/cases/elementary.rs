//! Functions of one number, and of two.

use ndarray::{ArrayD, array};

use crate::Case;
use crate::gradcheck::{positive, values};

/// [`values`] spread over ±(0.9..3.9), across the kinks of saturating functions but not at them.
fn wide(shape: &[usize]) -> ArrayD<f64> {
    values(shape, 3) * 3.0
}

/// A matrix and a column, far apart element by element, each the larger somewhere.
fn apart() -> Vec<ArrayD<f64>> {
    vec![array![[0.1, -0.9, 2.0], [-1.5, 0.4, 0.3]].into_dyn(), array![[0.6], [-0.2]].into_dyn()]
}

fn row() -> ArrayD<f64> {
    array![0.7, -0.5, 1.1].into_dyn()
}

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    let x = || vec![values(&[3, 5], 1)];
    let above = || vec![positive(&[3, 5], 1)];
    let across = || vec![wide(&[7, 3])];
    vec![
        case("exp", "matrix", x(), |x| x[0].exp()),
        case("expm1", "matrix", x(), |x| x[0].expm1()),
        case("log", "positive", above(), |x| x[0].log()),
        case("log1p", "positive", above(), |x| x[0].log1p()),
        case("erf", "matrix", x(), |x| x[0].erf()),
        case("sin", "matrix", x(), |x| x[0].sin()),
        case("cos", "matrix", x(), |x| x[0].cos()),
        case("square", "matrix", x(), |x| x[0].square()),
        case("sqrt", "positive", above(), |x| x[0].sqrt()),
        case("rsqrt", "positive", above(), |x| x[0].rsqrt()),
        case("reciprocal", "both signs", x(), |x| x[0].reciprocal()),
        case("powf", "a cube of both signs", x(), |x| x[0].powf(3.0)),
        case("powf", "fractional", above(), |x| x[0].powf(-1.7)),
        case("powf", "zero", x(), |x| x[0].powf(0.0)),
        case("pow", "same shape", vec![positive(&[2, 3], 1), values(&[2, 3], 2)], |x| x[0].pow(&x[1])),
        case("pow", "column to a row", vec![positive(&[3, 1], 1), values(&[2], 2)], |x| x[0].pow(&x[1])),
        case("abs", "both signs", x(), |x| x[0].abs()),
        case("sign", "both signs", x(), |x| x[0].sign() * &x[0]),
        case("clamp", "both limits", across(), |x| x[0].clamp(-1.2, 2.1)),
        case("clamp", "one limit", across(), |x| x[0].clamp(None, 1.5)),
        case("tanh", "matrix", x(), |x| x[0].tanh()),
        case("tanh", "one number", vec![values(&[], 4)], |x| x[0].tanh()),
        case("sigmoid", "matrix", x(), |x| x[0].sigmoid()),
        case("log_sigmoid", "wide", across(), |x| x[0].log_sigmoid()),
        case("softplus", "wide", across(), |x| x[0].softplus()),
        case("hard_sigmoid", "across both kinks", across(), |x| x[0].hard_sigmoid()),
        case("relu", "both signs", x(), |x| x[0].relu()),
        case("relu6", "across both kinks", across(), |x| (&x[0] * 2.0).relu6()),
        case("leaky_relu", "both signs", x(), |x| x[0].leaky_relu(0.2)),
        case("leaky_relu", "negative slope", x(), |x| x[0].leaky_relu(-0.3)),
        case("elu", "both signs", x(), |x| x[0].elu(1.3)),
        case("prelu", "one slope", vec![values(&[3, 2], 1), values(&[1], 2)], |x| x[0].prelu(&x[1])),
        case("prelu", "channels", vec![values(&[2, 3, 2], 1), values(&[3], 2)], |x| x[0].prelu(&x[1])),
        case("prelu", "a vector", vec![values(&[5], 1), values(&[1], 2)], |x| x[0].prelu(&x[1])),
        case("gelu", "wide", across(), |x| x[0].gelu()),
        case("gelu_tanh", "wide", across(), |x| x[0].gelu_tanh()),
        case("silu", "wide", across(), |x| x[0].silu()),
        case("maximum", "column", apart(), |x| x[0].maximum(&x[1])),
        case("maximum", "row", vec![apart().remove(0), row()], |x| x[0].maximum(&x[1])),
        case("minimum", "column", apart(), |x| x[0].minimum(&x[1])),
        case("minimum", "row", vec![row(), apart().remove(0)], |x| x[0].minimum(&x[1])),
    ]
}
