//! Functions of one number and of two against PyTorch.

use striate_tensor::ops::VarOptions;
use striate_tensor::{Real, Tensor};
use testkit::golden::{Row, check, places, row};

fn elementary<E: Real>() -> Vec<Row<E>> {
    vec![
        row("exp", |x, _| x[0].exp()),
        row("expm1", |x, _| x[0].expm1()),
        row("erf", |x, _| x[0].erf()),
        row("sin", |x, _| x[0].sin()),
        row("cos", |x, _| x[0].cos()),
        row("square", |x, _| x[0].square()),
        row("reciprocal", |x, _| x[0].reciprocal()),
        row("abs", |x, _| x[0].abs()),
        row("tanh", |x, _| x[0].tanh()),
        row("sigmoid", |x, _| x[0].sigmoid()),
        row("log", |x, _| x[0].log()),
        row("log1p", |x, _| x[0].log1p()),
        row("sqrt", |x, _| x[0].sqrt()),
        row("rsqrt", |x, _| x[0].rsqrt()),
        row("sign, times x", |x, _| x[0].sign() * &x[0]),
        row("powf 3", |x, _| x[0].powf(3.0)),
        row("powf 2", |x, _| x[0].powf(2.0)),
        row("powf 1", |x, _| x[0].powf(1.0)),
        row("powf 0", |x, _| x[0].powf(0.0)),
        row("powf -1", |x, _| x[0].powf(-1.0)),
        row("powf 0.5", |x, _| x[0].powf(0.5)),
        row("powf -0.5", |x, _| x[0].powf(-0.5)),
        row("powf -1.7", |x, _| x[0].powf(-1.7)),
        row("pow, same shape", |x, _| x[0].pow(&x[1])),
        row("pow, column to a row", |x, _| x[0].pow(&x[1])),
        row("clamp, both limits", |x, _| x[0].clamp(-0.5, 0.75)),
        row("clamp, lower limit", |x, _| x[0].clamp(-0.25, None)),
        row("clamp, upper limit", |x, _| x[0].clamp(None, 0.25)),
        row("relu", |x, _| x[0].relu()),
        row("relu6", |x, _| x[0].relu6()),
        row("softplus", |x, _| x[0].softplus()),
        row("silu", |x, _| x[0].silu()),
        row("gelu", |x, _| x[0].gelu()),
        row("log_sigmoid", |x, _| x[0].log_sigmoid()),
        row("hard_sigmoid", |x, _| x[0].hard_sigmoid()),
        row("gelu_tanh", |x, _| x[0].gelu_tanh()),
        row("leaky_relu 0.2", |x, _| x[0].leaky_relu(0.2)),
        row("elu 1.3", |x, _| x[0].elu(1.3)),
        row("prelu, one slope", |x, _| x[0].prelu(&x[1])),
        row("prelu, channels", |x, _| x[0].prelu(&x[1])),
        row("add, row", |x, _| &x[0] + &x[1]),
        row("add, both broadcast", |x, _| &x[0] + &x[1]),
        row("sub, column", |x, _| &x[0] - &x[1]),
        row("mul, same shape", |x, _| &x[0] * &x[1]),
        row("mul, number of rank 0", |x, _| &x[0] * &x[1]),
        row("div, row by column", |x, _| &x[0] / &x[1]),
        row("affine", |x, _| &x[0] * -2.5 + 1.5),
        row("number over x", |x, _| Tensor::scalar(2.0) / &x[0]),
        row("maximum, column", |x, _| x[0].maximum(&x[1])),
        row("minimum, row", |x, _| x[0].minimum(&x[1])),
        row("eq", |x, _| x[0].eq(&x[1])),
        row("ne", |x, _| x[0].ne(&x[1])),
        row("lt", |x, _| x[0].lt(&x[1])),
        row("le", |x, _| x[0].le(&x[1])),
        row("gt", |x, _| x[0].gt(&x[1])),
        row("ge", |x, _| x[0].ge(&x[1])),
        row("is_nan", |x, _| x[0].is_nan()),
        row("is_finite", |x, _| x[0].is_finite()),
    ]
}

#[test]
fn elementary_functions() {
    check("elementary", &elementary::<f64>());
    check("elementary", &elementary::<f32>());
}

fn kinks<E: Real>() -> Vec<Row<E>> {
    vec![
        row("relu", |x, _| x[0].relu()),
        row("gelu", |x, _| x[0].gelu()),
        row("silu", |x, _| x[0].silu()),
        row("softplus", |x, _| x[0].softplus()),
        row("relu6", |x, _| x[0].relu6()),
        row("hard_sigmoid", |x, _| x[0].hard_sigmoid()),
        row("softplus, large", |x, _| x[0].softplus()),
        row("leaky_relu", |x, _| x[0].leaky_relu(0.2)),
        row("elu", |x, _| x[0].elu(1.0)),
        row("prelu", |x, _| x[0].prelu(&x[1])),
        row("abs", |x, _| x[0].abs()),
        row("clamp", |x, _| x[0].clamp(-1.0, 1.0)),
        row("sqrt", |x, _| x[0].sqrt()),
        row("powf 0", |x, _| x[0].powf(0.0)),
        row("powf 1", |x, _| x[0].powf(1.0)),
        row("powf 2", |x, _| x[0].powf(2.0)),
        row("powf 3", |x, _| x[0].powf(3.0)),
        row("powf 0.5", |x, _| x[0].powf(0.5)),
        row("pow", |x, _| x[0].pow(&x[1])),
        row("maximum", |x, _| x[0].maximum(&x[1])),
        row("minimum", |x, _| x[0].minimum(&x[1])),
        row("max", |x, _| x[0].max()),
        row("min", |x, _| x[0].min()),
        row("amax, last", |x, _| x[0].amax(&[-1], false)),
        row("amax, first, kept", |x, _| x[0].amax(&[0], true)),
        row("amax, both", |x, _| x[0].amax(&[0, 1], false)),
        row("amin, last", |x, _| x[0].amin(&[-1], false)),
        row("amin, first, kept", |x, _| x[0].amin(&[0], true)),
        row("amin, both", |x, _| x[0].amin(&[0, 1], false)),
        row("max_dim, axis 0", |x, _| x[0].max_dim(0, false).0),
        row("max_dim, axis 1", |x, _| x[0].max_dim(1, false).0),
        row("min_dim, axis 0", |x, _| x[0].min_dim(0, false).0),
        row("min_dim, axis 1", |x, _| x[0].min_dim(1, false).0),
        row("max_dim indices, axis 0", |x, _| places(x[0].max_dim(0, false).1)),
        row("max_dim indices, axis 1", |x, _| places(x[0].max_dim(1, false).1)),
        row("min_dim indices, axis 0", |x, _| places(x[0].min_dim(0, false).1)),
        row("min_dim indices, axis 1", |x, _| places(x[0].min_dim(1, false).1)),
        row("max_dim of NaN", |x, _| x[0].max_dim(1, false).0),
        row("min_dim of NaN", |x, _| x[0].min_dim(1, false).0),
        row("max_dim indices of NaN", |x, _| places(x[0].max_dim(1, false).1)),
        row("min_dim indices of NaN", |x, _| places(x[0].min_dim(1, false).1)),
        row("argmax of NaN", |x, _| places(x[0].argmax_dim(1, false))),
        row("argmin of NaN", |x, _| places(x[0].argmin_dim(1, false))),
        row("amax of NaN", |x, _| x[0].amax(&[1], false)),
        row("maximum of NaN", |x, _| x[0].maximum(&x[1])),
        row("minimum of NaN", |x, _| x[0].minimum(&x[1])),
        row("norm_dim 1, zeros", |x, _| x[0].norm_dim(1.0, &[1], false)),
        row("norm_dim 2, zeros", |x, _| x[0].norm_dim(2.0, &[1], false)),
        row("norm_dim 3, zeros", |x, _| x[0].norm_dim(3.0, &[1], false)),
        row("norm_dim inf, zeros", |x, _| x[0].norm_dim(f64::INFINITY, &[1], false)),
        row("norm, zeros", |x, _| x[0].norm()),
        row("norm_dim inf, ties", |x, _| x[0].norm_dim(f64::INFINITY, &[1], false)),
        row("norm_dim -inf, ties", |x, _| x[0].norm_dim(f64::NEG_INFINITY, &[1], false)),
        row("std of equals", |x, _| x[0].std_dim(&[1], VarOptions::default())),
        row("softmax, masked", |x, _| x[0].softmax(1).masked_fill(&infinite(&x[0]), 0.0)),
        row("log_softmax, masked", |x, _| x[0].log_softmax(1).masked_fill(&infinite(&x[0]), 0.0)),
        row("logsumexp, masked", |x, _| x[0].logsumexp(&[1], false)),
        row("softmax, large", |x, _| x[0].softmax(1)),
        row("log_softmax, large", |x, _| x[0].log_softmax(1)),
        // dx = exp(x − y), as PyTorch's: near 1e4 numbers of f32 are 1e-3 apart.
        row("logsumexp, large", |x, _| x[0].logsumexp(&[1], false)).f32_within(5e-4),
        row("logsumexp, infinite", |x, _| x[0].logsumexp(&[1], false)),
    ]
}

/// Where infinities stand.
fn infinite<E: Real>(x: &Tensor<E>) -> Tensor<E> {
    x.is_finite().eq(0.0)
}

#[test]
fn gradients_at_kinks_and_ties() {
    check("kinks", &kinks::<f64>());
    check("kinks", &kinks::<f32>());
}
