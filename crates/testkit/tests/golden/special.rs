//! Functions at zeros, infinities, NaN and where exponentials over- or underflow, against PyTorch.
//!
//! In f32 too, PyTorch's f64 result, rounded, is what must come out: better than PyTorch's own f32 in some tails.

use ndarray::ArrayD;
use striate_tensor::{GradOptions, Real, Tensor, grad};
use testkit::golden::{Golden, Tolerance, assert_close, load};

type Function<E> = (&'static str, fn(&Tensor<E>) -> Tensor<E>);

fn functions<E: Real>() -> Vec<Function<E>> {
    vec![
        ("exp", Tensor::exp),
        ("expm1", Tensor::expm1),
        ("log", Tensor::log),
        ("log1p", Tensor::log1p),
        ("erf", Tensor::erf),
        ("sin", Tensor::sin),
        ("cos", Tensor::cos),
        ("square", Tensor::square),
        ("sqrt", Tensor::sqrt),
        ("rsqrt", Tensor::rsqrt),
        ("reciprocal", Tensor::reciprocal),
        ("abs", Tensor::abs),
        ("sign", Tensor::sign),
        ("tanh", Tensor::tanh),
        ("sigmoid", Tensor::sigmoid),
        ("relu", Tensor::relu),
        ("relu6", Tensor::relu6),
        ("softplus", Tensor::softplus),
        ("silu", Tensor::silu),
        ("gelu", Tensor::gelu),
        ("gelu_tanh", Tensor::gelu_tanh),
        ("elu", |x| x.elu(1.0)),
        ("leaky_relu", |x| x.leaky_relu(0.01)),
        ("log_sigmoid", Tensor::log_sigmoid),
        ("hard_sigmoid", Tensor::hard_sigmoid),
        ("clamp", |x| x.clamp(-2.0, 3.0)),
        ("powf 2", |x| x.powf(2.0)),
        ("powf 3", |x| x.powf(3.0)),
        ("powf 0.5", |x| x.powf(0.5)),
        ("powf -1", |x| x.powf(-1.0)),
        ("powf 0", |x| x.powf(0.0)),
    ]
}

/// `f` of all points; its gradient up to ±1e18, beyond which formulas give NaN, as x³ in GELU's does in f32.
fn check<E: Real>(golden: &Golden, (name, f): Function<E>, [values, slopes]: [Tolerance; 2]) {
    let x = golden.tensor::<E>("x").requires_grad();
    let y = f(&x);
    // x (1 + erf …) of large negative x keeps no more than the last bits of 1, in PyTorch too.
    let values = if name.starts_with("gelu") { slopes } else { values };
    assert_close(&format!("{name}: y"), &y, &golden.f64(&format!("{name}:y")), values);

    let slope = grad(&y.sum(), &[&x], GradOptions::default())[0].to_ndarray();
    let expected = golden.f64(&format!("{name}:dx"));
    let points = golden.f64("x");
    let moderate = |values: Vec<f64>| {
        let chosen: Vec<f64> =
            values.iter().zip(&points).filter(|(_, x)| x.abs() <= 1e18).map(|(&value, _)| value).collect();
        ArrayD::from_shape_vec(vec![chosen.len()], chosen).unwrap()
    };
    let slope = moderate(slope.iter().map(|slope| slope.f64()).collect());
    let rounded = expected.iter().map(|&slope| E::of(slope).f64()).collect();
    assert_close(&format!("{name}: dx"), &Tensor::<f64>::from(slope), &moderate(rounded), slopes);
}

fn tables<E: Real>(golden: &Golden, tolerance: Tolerance) {
    let (a, b) = (golden.tensor::<E>("a").unsqueeze(1), golden.tensor::<E>("a"));
    for (name, table) in [
        ("pow", a.pow(&b)),
        ("div", &a / &b),
        ("mul", &a * &b),
        ("maximum", a.maximum(&b)),
        ("minimum", a.minimum(&b)),
    ] {
        assert_close(name, &table, &golden.f64(&format!("{name}:table")), tolerance);
    }
}

/// The last bits of values, and of gradients the last bits of a number near 1: exp(x) as y + 1 keeps no more.
const F64: [Tolerance; 2] =
    [Tolerance { absolute: 1e-300, relative: 1e-15 }, Tolerance { absolute: 1e-14, relative: 2e-15 }];
const F32: [Tolerance; 2] =
    [Tolerance { absolute: 1e-37, relative: 6e-7 }, Tolerance { absolute: 6e-7, relative: 1e-6 }];

#[test]
fn special_points_f64() {
    let golden = load("special");
    functions::<f64>().into_iter().for_each(|function| check(&golden, function, F64));
    tables::<f64>(&golden, F64[0]);
}

#[test]
fn special_points_f32() {
    let golden = load("special");
    functions::<f32>().into_iter().for_each(|function| check(&golden, function, F32));
    tables::<f32>(&golden, F32[0]);
}
