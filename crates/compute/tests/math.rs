//! The error of every f32 function against double precision, over the whole range of arguments.

use rayon::prelude::*;
use striate_compute::{map, math};

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
    Case { name: "exp", f: |x| math::exp(x), reference: f64::exp, bound: 1.1 },
    Case { name: "exp_m1", f: |x| math::exp_m1(x), reference: f64::exp_m1, bound: 1.8 },
    Case { name: "ln", f: |x| math::ln(x), reference: f64::ln, bound: 1.0 },
    Case { name: "ln_1p", f: |x| math::ln_1p(x), reference: f64::ln_1p, bound: 1.0 },
    Case { name: "tanh", f: |x| math::tanh(x), reference: f64::tanh, bound: 2.6 },
    Case { name: "sigmoid", f: |x| math::sigmoid(x), reference: |x| 1.0 / (1.0 + (-x).exp()), bound: 2.5 },
    Case { name: "erf", f: |x| math::erf(x), reference: libm::erf, bound: 1.3 },
];

fn check(stride: u64) {
    let mut failures = Vec::new();
    for Case { name, f, reference, bound } in CASES {
        let (error, x) = worst(f, reference, stride);
        eprintln!("{name}: {error:.3} ulp at {x:e}");
        if error > bound {
            failures.push(format!("{name}: {error} ulp at {x:e} (bits {:#x}), stated {bound}", x.to_bits()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn errors_are_within_the_stated_bounds() {
    check(251);
}

#[test]
fn loops_give_the_bits_of_single_calls() {
    let x = Vec::from_iter((0..1 << 16).map(|i: u32| f32::from_bits(i.wrapping_mul(65_521))));
    let mut y = vec![0.0; x.len()];
    let bits = |y: &[f32]| Vec::from_iter(y.iter().map(|y| if y.is_nan() { 0 } else { y.to_bits() }));
    let mut check = |name: &str, loops: fn(&[f32], &mut [f32]), single: fn(f32) -> f32| {
        loops(&x, &mut y);
        assert_eq!(bits(&y), bits(&Vec::from_iter(x.iter().map(|&x| single(x)))), "{name}");
    };
    check("exp", |x, y| map::map(x, y, math::exp), math::exp);
    check("exp_m1", |x, y| map::map(x, y, math::exp_m1), math::exp_m1);
    check("ln", |x, y| map::map(x, y, math::ln), math::ln);
    check("ln_1p", |x, y| map::map(x, y, math::ln_1p), math::ln_1p);
    check("tanh", |x, y| map::map(x, y, math::tanh), math::tanh);
    check("sigmoid", |x, y| map::map(x, y, math::sigmoid), math::sigmoid);
    check("erf", |x, y| map::map(x, y, math::erf), math::erf);
}

#[test]
fn signs_of_zero_and_edges() {
    for f in [math::exp_m1, math::ln_1p, math::tanh, math::erf] as [fn(f32) -> f32; 4] {
        assert_eq!(f(-0.0).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(f(0.0).to_bits(), 0.0_f32.to_bits());
        for denormal in [1e-45, 1e-40, -1e-39] {
            assert!((f(denormal) / denormal - 1.0).abs() < 0.13, "{}", f(denormal));
        }
    }
    assert_eq!((math::exp(f32::NEG_INFINITY), math::exp(f32::INFINITY)), (0.0, f32::INFINITY));
    // The largest argument with a finite result, and the next.
    assert_eq!(math::exp(88.722_83), 3.402_798_6e38);
    assert_eq!(math::exp(88.722_84), f32::INFINITY);
    assert_eq!(math::exp_m1(88.722_84), f32::INFINITY);
    // The smallest with a non-zero result, and the next below.
    assert_eq!(math::exp(-103.972_07), 1e-45);
    assert_eq!(math::exp(-103.972_084), 0.0);
    assert_eq!((math::ln(-0.0), math::ln_1p(-1.0)), (f32::NEG_INFINITY, f32::NEG_INFINITY));
    assert_eq!((math::ln(f32::INFINITY), math::ln_1p(f32::INFINITY)), (f32::INFINITY, f32::INFINITY));
    assert!(math::ln(-1e-45).is_nan() && math::ln_1p(-1.000_000_1).is_nan());
    assert_eq!((math::tanh(f32::INFINITY), math::tanh(f32::NEG_INFINITY)), (1.0, -1.0));
    assert_eq!((math::erf(f32::INFINITY), math::erf(f32::NEG_INFINITY)), (1.0, -1.0));
    assert_eq!((math::sigmoid(f32::INFINITY), math::sigmoid(f32::NEG_INFINITY)), (1.0, 0.0));
}

#[test]
fn sigmoid_f64_keeps_its_digits_on_both_sides() {
    // From mpmath with 40 digits.
    for (x, y) in [
        (-745.0, 5e-324),
        (-700.0, 9.859_676_543_759_77e-305),
        (-40.0, 4.248_354_255_291_589e-18),
        (-1.0, 0.268_941_421_369_995_1),
        (0.0, 0.5),
        (1.0, 0.731_058_578_630_004_9),
        (30.0, 0.999_999_999_999_906_4),
        (1e4, 1.0),
        (-1e4, 0.0),
    ] {
        let error = (math::sigmoid_f64(x) - y).abs();
        assert!(error <= 4.0 * f64::EPSILON * y, "{x}: {} for {y}", math::sigmoid_f64(x));
    }
}

#[test]
fn erf_f64_at_published_values() {
    // Abramowitz and Stegun, table 7.1, and mpmath with 40 digits.
    for (x, y) in [
        (0.02, 0.022_564_574_691_844_946),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (2.0, 0.995_322_265_018_952_7),
        (-3.0, -0.999_977_909_503_001_4),
        (7.0, 1.0),
    ] {
        assert!((math::erf_f64(x) - y).abs() <= f64::EPSILON * y.abs(), "{x}: {}", math::erf_f64(x));
    }
}

#[test]
#[ignore = "some minutes: all 2³² arguments"]
fn errors_are_within_the_stated_bounds_for_every_argument() {
    check(1);
}

#[test]
fn the_normal_distribution_is_within_its_bounds_and_keeps_its_tail() {
    for i in -140_000..=140_000 {
        let x = i as f32 * 1e-4;
        let ((distribution, density), (phi, slope)) = (math::normal(x), math::normal_f64(f64::from(x)));
        let error = (f64::from(distribution) - phi).abs();
        let relative = 1e-6 * (1.0 + f64::from(x * x) / 8.0);
        assert!(
            error <= 3e-7 && (!(-10.0..=0.0).contains(&x) || error <= relative * phi),
            "Φ({x}) is {distribution}, not {phi}"
        );
        assert!(
            (f64::from(density) - slope).abs() <= relative * slope + 1e-38,
            "φ({x}) is {density}, not {slope}"
        );
    }
    assert_eq!(math::normal(f32::INFINITY), (1.0, 0.0));
    assert_eq!(math::normal(f32::NEG_INFINITY), (0.0, 0.0));
    assert_eq!(math::normal(-1e30), (0.0, 0.0));
    assert!(math::normal(f32::NAN).0.is_nan() && math::normal(f32::NAN).1.is_nan());
}
