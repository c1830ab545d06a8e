//! Gains, bounds and deviations of initialisers against PyTorch.

use striate_compute::rng::Rng;
use striate_nn::{Activation, Fan, Init};
use striate_tensor::Tensor;
use testkit::golden::{F64, Golden, assert_close, load};

const SHAPES: [(&str, &[usize]); 2] = [("matrix", &[5, 3]), ("kernel", &[6, 4, 3, 5])];

/// Uniform and normal: the same draw as from the golden bound and the golden deviation.
fn draws(golden: &Golden, case: &str, shape: &[usize], [uniform, normal]: [Init; 2]) {
    let expected = golden.f64(case);
    let (bound, std) = (expected[[0]], expected[[1]]);
    let draw = |init: Init| Tensor::<f64>::from(init.draw(shape, &mut Rng::new(7)));
    for (init, plain) in
        [(uniform, Init::Uniform { low: -bound, high: bound }), (normal, Init::Normal { mean: 0.0, std })]
    {
        assert_close(&format!("{case}: {init:?}"), &draw(init), &draw(plain).to_ndarray(), F64);
    }
}

#[test]
fn gains_and_bounds() {
    let golden = load("init");
    for (name, activation) in [
        ("linear", Activation::Linear),
        ("sigmoid", Activation::Sigmoid),
        ("tanh", Activation::Tanh),
        ("relu", Activation::Relu),
        ("leaky_relu", Activation::LeakyRelu { slope: 0.2 }),
    ] {
        let gain = activation.gain();
        assert_close(
            &format!("gain, {name}"),
            &Tensor::<f64>::scalar(gain),
            &golden.f64(&format!("gain, {name}")),
            F64,
        );
        for (shape_name, shape) in SHAPES {
            let he = |fan| [Init::HeUniform { fan, gain }, Init::HeNormal { fan, gain }];
            let xavier = [Init::XavierUniform { gain }, Init::XavierNormal { gain }];
            draws(&golden, &format!("xavier, {name}, {shape_name}"), shape, xavier);
            draws(&golden, &format!("kaiming, fan_in, {name}, {shape_name}"), shape, he(Fan::In));
            draws(&golden, &format!("kaiming, fan_out, {name}, {shape_name}"), shape, he(Fan::Out));
        }
    }
}
