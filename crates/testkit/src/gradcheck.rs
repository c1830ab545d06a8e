//! Numerical gradient checks in f64.

use ndarray::ArrayD;
use striate_tensor::{Array, GradOptions, Tensor, grad, higher_order};

/// One way to call an operation: the gradient checks run every case in several settings.
pub struct Case {
    /// `Op::NAME` of the operation under test.
    pub op: &'static str,
    /// What is special about this case.
    pub name: &'static str,
    /// Values of the differentiable inputs, away from kinks.
    pub inputs: Vec<ArrayD<f64>>,
    /// The call.
    pub call: fn(&[Tensor<f64>]) -> Tensor<f64>,
    /// Whether the operation has gradients of its gradient.
    pub second_order: bool,
}

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// Numbers in ±(0.3..1.3), all different and away from 0, the same on every run.
pub fn values(shape: &[usize], seed: u64) -> ArrayD<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    ArrayD::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 11) as f64 / (1u64 << 53) as f64;
        let sign = if state & (1 << 60) == 0 { 1.0 } else { -1.0 };
        sign * (0.3 + unit)
    })
}

/// [`values`] without the sign: for logarithms, roots and divisors.
pub fn positive(shape: &[usize], seed: u64) -> ArrayD<f64> {
    values(shape, seed).mapv(f64::abs)
}

/// The same elements with other strides: axes laid out in reverse order, or every other element of a vector.
fn non_contiguous(x: &ArrayD<f64>) -> Array<f64> {
    if x.ndim() == 1 {
        let doubled: Vec<f64> = x.iter().flat_map(|&x| [x, f64::NAN]).collect();
        return Array::from_vec(&[doubled.len()], doubled).slice(0, 0, x.len(), 2);
    }
    let order: Vec<usize> = (0..x.ndim()).rev().collect();
    Array::from(x.view().permuted_axes(order.clone()).as_standard_layout().into_owned()).permute(&order)
}

/// Σ c · y with fixed numbers c, so that every element of y counts differently.
fn weigh(y: &Tensor<f64>, seed: u64) -> Tensor<f64> {
    (y * Tensor::from(values(y.shape(), seed))).sum()
}

fn numerical(inputs: &[ArrayD<f64>], loss: &dyn Fn(&[Tensor<f64>]) -> f64) -> Vec<ArrayD<f64>> {
    let at =
        |inputs: &[ArrayD<f64>]| loss(&inputs.iter().map(|x| Tensor::from(x.clone())).collect::<Vec<_>>());
    let mut inputs = inputs.to_vec();
    (0..inputs.len())
        .map(|i| {
            let mut slope = ArrayD::zeros(inputs[i].raw_dim());
            for j in 0..inputs[i].len() {
                let x = inputs[i].as_slice().unwrap()[j];
                let mut shifted = |x: f64| {
                    inputs[i].as_slice_mut().unwrap()[j] = x;
                    at(&inputs)
                };
                let difference = shifted(x + STEP) - shifted(x - STEP);
                shifted(x);
                slope.as_slice_mut().unwrap()[j] = difference / (2.0 * STEP);
            }
            slope
        })
        .collect()
}

fn compare(case: &Case, setting: &str, analytic: &[Tensor<f64>], numeric: &[ArrayD<f64>]) {
    for (i, (analytic, numeric)) in analytic.iter().zip(numeric).enumerate() {
        assert_eq!(
            analytic.shape(),
            numeric.shape(),
            "{} ({}), {setting}: shape of dx[{i}]",
            case.op,
            case.name
        );
        for (j, (a, n)) in analytic.to_vec().iter().zip(numeric).enumerate() {
            assert!(
                (a - n).abs() <= TOLERANCE * (1.0 + n.abs()),
                "{} ({}), {setting}: dx[{i}][{j}] is {a}, numerically {n}",
                case.op,
                case.name
            );
        }
    }
}

/// Checks dL/dx of all inputs: contiguous, non-contiguous, each alone, and with the inputs used twice.
pub fn first_order(case: &Case) {
    let once = |x: &[Tensor<f64>]| weigh(&(case.call)(x), 7);
    let twice = |x: &[Tensor<f64>]| once(x) + weigh(&(case.call)(x), 8);
    let numeric = numerical(&case.inputs, &|x| once(x).item());
    let leaves = |layout: &dyn Fn(&ArrayD<f64>) -> Array<f64>| -> Vec<Tensor<f64>> {
        case.inputs.iter().map(|x| Tensor::from(layout(x)).requires_grad()).collect()
    };

    let contiguous = leaves(&|x| x.clone().into());
    let strided = leaves(&non_contiguous);
    for (setting, x) in [("contiguous", &contiguous), ("non-contiguous", &strided)] {
        let wanted: Vec<_> = x.iter().collect();
        compare(case, setting, &grad(&once(x), &wanted, GradOptions::default()), &numeric);
    }
    for i in 0..contiguous.len() {
        let mut x: Vec<_> = contiguous.iter().map(Tensor::detach).collect();
        x[i] = x[i].requires_grad();
        let alone = grad(&once(&x), &[&x[i]], GradOptions::default());
        compare(case, "alone", &alone, &numeric[i..=i]);
    }
    let wanted: Vec<_> = contiguous.iter().collect();
    let numeric = numerical(&case.inputs, &|x| twice(x).item());
    compare(case, "used twice", &grad(&twice(&contiguous), &wanted, GradOptions::default()), &numeric);
}

/// Checks gradients of Σ c · dL/dx: the second derivatives.
pub fn second_order(case: &Case) {
    let slope = |x: &[Tensor<f64>], options: GradOptions| {
        let loss = weigh(&(case.call)(x), 7);
        let gradients = grad(&loss, &x.iter().collect::<Vec<_>>(), options);
        (0..).zip(&gradients).map(|(i, g)| weigh(g, 20 + i)).reduce(|a, b| a + b).unwrap()
    };
    let track = |x: &Tensor<f64>| x.requires_grad();
    let numeric = numerical(&case.inputs, &|x| {
        slope(&x.iter().map(track).collect::<Vec<_>>(), GradOptions::default()).item()
    });
    let x: Vec<Tensor<f64>> = case.inputs.iter().map(|x| Tensor::from(x.clone()).requires_grad()).collect();
    let analytic = higher_order(|| {
        let slope = slope(&x, GradOptions { create_graph: true, ..Default::default() });
        grad(&slope, &x.iter().collect::<Vec<_>>(), GradOptions::default())
    });
    compare(case, "second order", &analytic, &numeric);
}
