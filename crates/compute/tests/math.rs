//! The error of every f32 function against double precision, over the whole range of arguments.

use rayon::prelude::*;
use striate_compute::math;

/// |y − reference| in units in the last place of the f32 nearest to the reference.
fn ulps(y: f32, reference: f64) -> f64 {
    let nearest = reference as f32;
    if y.is_nan() || nearest.is_nan() {
        return if y.is_nan() && nearest.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if y.is_infinite() || nearest.is_infinite() {
        return if y == nearest { 0.0 } else { f64::INFINITY };
    }
    let exponent = ((reference.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(-126);
    (f64::from(y) - reference).abs() / 2_f64.powi(exponent - 23)
}

/// The largest error over every `stride`-th bit pattern, and an argument that has it.
fn worst(f: fn(f32) -> f32, reference: fn(f64) -> f64, stride: u64) -> (f64, f32) {
    (0..(1_u64 << 32) / stride)
        .into_par_iter()
        .map(|i| {
            let x = f32::from_bits((i * stride) as u32);
            (ulps(f(x), reference(f64::from(x))), x)
        })
        .reduce(|| (0.0, 0.0), |a, b| if a.0 >= b.0 { a } else { b })
}

struct Case {
    name: &'static str,
    f: fn(f32) -> f32,
    reference: fn(f64) -> f64,
    /// The stated bound in ulp.
    bound: f64,
}

const CASES: [Case; 7] = [
    Case { name: "exp", f: |x| math::exp(x), reference: f64::exp, bound: 1.0 },
    Case { name: "exp_m1", f: |x| math::exp_m1(x), reference: f64::exp_m1, bound: 2.0 },
    Case { name: "ln", f: |x| math::ln(x), reference: f64::ln, bound: 1.0 },
    Case { name: "ln_1p", f: |x| math::ln_1p(x), reference: f64::ln_1p, bound: 2.0 },
    Case { name: "tanh", f: |x| math::tanh(x), reference: f64::tanh, bound: 3.0 },
    Case { name: "sigmoid", f: |x| math::sigmoid(x), reference: |x| 1.0 / (1.0 + (-x).exp()), bound: 3.0 },
    Case { name: "erf", f: |x| math::erf(x), reference: libm::erf, bound: 3.0 },
];

fn check(stride: u64) {
    for Case { name, f, reference, bound } in CASES {
        let (error, x) = worst(f, reference, stride);
        eprintln!("{name}: {error:.3} ulp at {x:e}");
        assert!(error <= bound, "{name}: {error} ulp at {x:e} (bits {:#x}), stated {bound}", x.to_bits());
    }
}

#[test]
fn errors_are_within_the_stated_bounds() {
    check(251);
}

#[test]
#[ignore = "some minutes: all 2³² arguments"]
fn errors_are_within_the_stated_bounds_for_every_argument() {
    check(1);
}
