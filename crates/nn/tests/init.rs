//! Distributions of initial parameters.

use striate_compute::rng::Rng;
use striate_nn::{Activation, Fan, Init, Linear, LinearOptions, ParamStore};
use striate_tensor::Array;

/// Mean, standard deviation and largest absolute value of a draw.
fn statistics(init: Init, shape: &[usize]) -> (f64, f64, f64) {
    let x: Array<f64> = init.draw(shape, &mut Rng::new(5));
    let x = x.to_vec();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    (mean, variance.sqrt(), x.iter().fold(0.0, |max, x| max.max(x.abs())))
}

#[test]
fn variances_follow_the_fans() {
    let shape = [200, 30, 3, 5]; // fan_in 450, fan_out 3000
    let gain = 1.5;
    for (init, std) in [
        (Init::XavierNormal { gain }, gain * (2.0f64 / 3450.0).sqrt()),
        (Init::XavierUniform { gain }, gain * (2.0f64 / 3450.0).sqrt()),
        (Init::HeNormal { fan: Fan::In, gain }, gain / 450f64.sqrt()),
        (Init::HeUniform { fan: Fan::In, gain }, gain / 450f64.sqrt()),
        (Init::HeNormal { fan: Fan::Out, gain }, gain / 3000f64.sqrt()),
        (Init::HeUniform { fan: Fan::Out, gain }, gain / 3000f64.sqrt()),
        (Init::fan_in(450), 1.0 / (3.0 * 450f64).sqrt()),
    ] {
        let (mean, found, largest) = statistics(init, &shape);
        assert!(mean.abs() < 0.02 * std, "{init:?}: mean {mean}");
        assert!((found / std - 1.0).abs() < 0.01, "{init:?}: std {found}, expected {std}");
        let uniform =
            matches!(init, Init::XavierUniform { .. } | Init::HeUniform { .. } | Init::Uniform { .. });
        let bound = 3f64.sqrt() * std;
        assert_eq!(largest <= bound, uniform, "{init:?}: largest {largest}, bound {bound}");
    }
}

#[test]
fn orthogonal_rows_or_columns() {
    for shape in [&[20, 20][..], &[7, 30], &[30, 7], &[1, 5], &[6, 2, 3, 3], &[64, 64]] {
        let q: Array<f64> = Init::Orthogonal { gain: 2.0 }.draw(shape, &mut Rng::new(9));
        let (rows, q) = (shape[0], q.to_vec());
        let columns = q.len() / rows;
        let entry =
            |i: usize, j: usize| if rows <= columns { q[i * columns + j] } else { q[j * columns + i] };
        for a in 0..rows.min(columns) {
            for b in 0..rows.min(columns) {
                let product: f64 = (0..rows.max(columns)).map(|j| entry(a, j) * entry(b, j)).sum();
                let expected = if a == b { 4.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-13, "{shape:?}: ⟨{a}, {b}⟩ is {product}");
            }
        }
    }
}

#[test]
fn orthogonal_matrices_point_everywhere() {
    let mean: f64 = (0..200)
        .map(|seed| Init::Orthogonal { gain: 1.0 }.draw::<f64>(&[3, 3], &mut Rng::new(seed)).data()[0])
        .sum::<f64>()
        / 200.0;
    assert!(mean.abs() < 0.13, "{mean}"); // 3 standard errors: 3 · √(1/3) / √200
}

#[test]
#[should_panic(expected = "init: fans need a weight (out, in, …), the shape is [3]")]
fn a_vector_has_no_fans() {
    Init::XavierNormal { gain: 1.0 }.draw::<f32>(&[3], &mut Rng::new(0));
}

#[test]
fn activations_have_their_derivatives() {
    let slope = 0.1;
    for activation in [
        Activation::Linear,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope },
        Activation::Softplus,
        Activation::Silu,
    ] {
        for i in -20..20 {
            let x = 0.37 * f64::from(i) + 0.1;
            let h = 1e-6;
            let numeric = (activation.value(x + h) - activation.value(x - h)) / (2.0 * h);
            assert!((activation.derivative(x) - numeric).abs() < 1e-8, "{activation:?} at {x}");
            let on_tensor = activation.apply(&striate_tensor::Tensor::<f64>::scalar(x)).item();
            assert!((on_tensor - activation.value(x)).abs() < 1e-14, "{activation:?} at {x}");
        }
        assert!(activation.value(1e4).is_finite() && activation.value(-1e4).is_finite());
    }
}

#[test]
fn a_linear_layers_bias_starts_as_asked_for() {
    let options = LinearOptions { bias_init: Some(Init::Constant(0.5)), ..Default::default() };
    let store = ParamStore::<f64>::seeded(0);
    let layer = Linear::with(&store.root(), 3, 2, options);
    assert_eq!(layer.bias.unwrap().to_vec(), [0.5; 2]);
    assert!(layer.weight.to_vec().iter().all(|&w| w != 0.5));
}
