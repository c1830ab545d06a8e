//! Upsampling kernels against their definitions, over many shapes.

use striate_compute::Real;
use striate_conv::kernels::upsample::*;
use striate_conv::{GeometryError, Resize, UpsampleGeometry};

fn numbers<E: Real>(len: usize, seed: u64) -> Vec<E> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            E::of((state >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
        })
        .collect()
}

fn sizes(input: [usize; 3], output: [usize; 3]) -> UpsampleGeometry {
    let shape: Vec<usize> = [2, 3].into_iter().chain(input).collect();
    UpsampleGeometry::new(&shape, &Resize::Size(output)).unwrap()
}

const SIZES: [([usize; 3], [usize; 3]); 11] = [
    ([1, 1, 5], [1, 1, 10]),
    ([1, 3, 4], [1, 6, 8]),
    ([1, 2, 21], [1, 6, 63]),
    ([1, 5, 7], [1, 10, 21]),
    ([1, 5, 7], [1, 8, 9]),
    ([1, 9, 8], [1, 4, 3]),
    ([1, 1, 1], [1, 4, 5]),
    ([2, 3, 4], [4, 6, 8]),
    ([3, 2, 4], [2, 5, 4]),
    ([2, 2, 2], [10, 2, 8]),
    ([1, 4, 40], [1, 1, 1]),
];

/// A linear map as the weights of every output: (place in x, weight).
type Weights = Vec<Vec<(usize, f64)>>;

/// Products over the axes of weights along them.
fn over_axes(
    input: [usize; 3],
    output: [usize; 3],
    along: impl Fn(usize, usize, usize) -> Vec<(usize, f64)>,
) -> Weights {
    let axis = |axis: usize, o: usize| along(input[axis], output[axis], o);
    let mut all = Vec::new();
    for d in 0..output[0] {
        for h in 0..output[1] {
            for w in 0..output[2] {
                let mut weights = Vec::new();
                for (d, p) in axis(0, d) {
                    for (h, q) in axis(1, h) {
                        for (w, r) in axis(2, w) {
                            weights.push(((d * input[1] + h) * input[2] + w, p * q * r));
                        }
                    }
                }
                all.push(weights);
            }
        }
    }
    all
}

/// Holds y = A x and dx ← β dx + Aᵀ dy against the weights of A.
fn check<E: Real>(
    name: &str,
    [inputs, outputs]: [usize; 2],
    weights: &Weights,
    map: impl Fn(&[E], &mut [E]),
    transpose: impl Fn(&[E], E, &mut [E]),
) {
    const PLANES: usize = 6;
    let (x, dy) = (numbers::<E>(PLANES * inputs, 1), numbers::<E>(PLANES * outputs, 2));
    let before = numbers::<E>(PLANES * inputs, 3);
    let mut y = vec![E::NAN; PLANES * outputs];
    map(&x, &mut y);
    let mut dx = vec![0.0; PLANES * inputs];
    for plane in 0..PLANES {
        for (o, weights) in weights.iter().enumerate() {
            let at = plane * outputs + o;
            let value: f64 = weights.iter().map(|&(i, weight)| weight * x[plane * inputs + i].f64()).sum();
            close(name, y[at], value);
            weights.iter().for_each(|&(i, weight)| dx[plane * inputs + i] += weight * dy[at].f64());
        }
    }
    let mut alone = vec![E::NAN; PLANES * inputs];
    transpose(&dy, E::zero(), &mut alone);
    alone.iter().zip(&dx).for_each(|(&a, &b)| close(name, a, b));
    let mut added = before.clone();
    transpose(&dy, E::one(), &mut added);
    added.iter().zip(&dx).zip(before).for_each(|((&a, &b), c)| close(name, a, b + c.f64()));
}

#[track_caller]
fn close<E: Real>(name: &str, actual: E, expected: f64) {
    let bound = if E::NAME == "f64" { 1e-12 } else { 1e-5 };
    assert!(
        (actual.f64() - expected).abs() <= bound * (1.0 + expected.abs()),
        "{name}: {actual} is not {expected}"
    );
}

fn check_nearest<E: Real>() {
    for (input, output) in SIZES {
        let sizes = sizes(input, output);
        let weights = over_axes(input, output, |i, n, o| {
            vec![(((o as f32 * (i as f32 / n as f32)).floor() as usize).min(i - 1), 1.0)]
        });
        check::<E>(
            &format!("nearest {input:?} → {output:?}"),
            [sizes.input_size(), sizes.output_size()],
            &weights,
            |x, y| nearest(&sizes, x, y),
            |dy, beta, dx| nearest_gradient(&sizes, dy, beta, dx),
        );
    }
}

#[test]
fn nearest_neighbours() {
    check_nearest::<f64>();
    check_nearest::<f32>();
}

/// Whole factors repeat whole blocks, as far as f32 keeps them apart; the index never leaves the axis.
#[test]
fn nearest_neighbours_of_every_factor() {
    for input in 1..20 {
        for factor in 1..20 {
            let sizes = UpsampleGeometry::new::<1>(&[1, 1, input], &Resize::Factor([factor])).unwrap();
            let x: Vec<f32> = (0..input).map(|i| i as f32).collect();
            let mut y = vec![f32::NAN; input * factor];
            nearest(&sizes, &x, &mut y);
            let scale = input as f32 / (input * factor) as f32;
            for (o, &y) in y.iter().enumerate() {
                let source = (o as f32 * scale).floor();
                assert_eq!(y, source.min(input as f32 - 1.0), "{input} × {factor} at {o}");
            }
        }
    }
}

fn check_linear<E: Real>() {
    for (input, output) in SIZES {
        for align_corners in [false, true] {
            let sizes = sizes(input, output);
            let weights = over_axes(input, output, |i, n, o| {
                let place = match align_corners {
                    true if n == 1 => 0.0,
                    true => o as f64 * (i - 1) as f64 / (n - 1) as f64,
                    false => ((o as f64 + 0.5) * i as f64 / n as f64 - 0.5).clamp(0.0, i as f64 - 1.0),
                };
                let first = (place as usize).min(i - 1);
                let weight = place - first as f64;
                vec![(first, 1.0 - weight), ((first + 1).min(i - 1), weight)]
            });
            check::<E>(
                &format!("linear {input:?} → {output:?}, align_corners {align_corners}"),
                [sizes.input_size(), sizes.output_size()],
                &weights,
                |x, y| linear(&sizes, align_corners, x, y),
                |dy, beta, dx| linear_gradient(&sizes, align_corners, dy, beta, dx),
            );
        }
    }
}

#[test]
fn linear_interpolation() {
    check_linear::<f64>();
    check_linear::<f32>();
}

fn check_nails<E: Real>() {
    for (input, factor) in [([1, 1, 5], [1, 1, 2]), ([1, 3, 4], [1, 2, 3]), ([2, 3, 33], [3, 1, 4])] {
        let output: [usize; 3] = std::array::from_fn(|axis| input[axis] * factor[axis]);
        let sizes = sizes(input, output);
        let weights = over_axes(input, output, |i, n, o| match o % (n / i) {
            0 => vec![(o / (n / i), 1.0)],
            _ => vec![],
        });
        check::<E>(
            &format!("bed of nails {input:?} × {factor:?}"),
            [sizes.input_size(), sizes.output_size()],
            &weights,
            |x, y| bed_of_nails(&sizes, x, y),
            |dy, beta, dx| bed_of_nails_gradient(&sizes, dy, beta, dx),
        );
    }
}

#[test]
fn nails() {
    check_nails::<f64>();
    check_nails::<f32>();
}

fn check_shuffle<E: Real>() {
    for (r, [height, width]) in [(1, [2, 3]), (2, [3, 5]), (2, [2, 37]), (3, [2, 3]), (4, [1, 2])] {
        let sizes = ShuffleGeometry::of_small(&[2, 3 * r * r, height, width], r).unwrap();
        let size = height * width * r * r;
        let large = |i: usize| (i / (width * r), i % (width * r));
        let source = |(h, w): (usize, usize)| (((h % r) * r + w % r) * height + h / r) * width + w / r;
        let weights: Weights = (0..size).map(|i| vec![(source(large(i)), 1.0)]).collect();
        check::<E>(
            &format!("pixel shuffle by {r} of {height} × {width}"),
            [size, size],
            &weights,
            |x, y| pixel_shuffle(&sizes, x, y),
            |y, beta, x| pixel_unshuffle(&sizes, y, beta, x),
        );
    }
}

#[test]
fn shuffles() {
    check_shuffle::<f64>();
    check_shuffle::<f32>();
}

#[test]
fn no_planes_and_no_pixels() {
    let sizes = UpsampleGeometry::new::<2>(&[0, 3, 2, 2], &2.into()).unwrap();
    nearest::<f32>(&sizes, &[], &mut []);
    linear_gradient::<f32>(&sizes, false, &[], 0.0, &mut []);
    bed_of_nails::<f32>(&sizes, &[], &mut []);
    pixel_shuffle::<f32>(&ShuffleGeometry::of_small(&[1, 4, 0, 2], 2).unwrap(), &[], &mut []);
    pixel_unshuffle::<f32>(&ShuffleGeometry::of_large(&[0, 4, 2, 2], 2).unwrap(), &[], 0.0, &mut []);
}

#[test]
fn sizes_that_do_not_fit() {
    let zero = |what, axis| Err(GeometryError::Zero { what, axis });
    assert_eq!(UpsampleGeometry::new::<2>(&[1, 1, 2, 0], &2.into()), zero("input", 1));
    assert_eq!(UpsampleGeometry::new::<2>(&[1, 1, 2, 2], &Resize::Factor([0, 1])), zero("output", 0));
    let many = UpsampleGeometry::new::<1>(&[1, 1, 4], &Resize::Factor([usize::MAX]));
    assert_eq!(many, Err(GeometryError::Overflow { what: "elements of y" }));
    assert!(matches!(UpsampleGeometry::new::<2>(&[1, 2, 2], &2.into()), Err(GeometryError::Rank { .. })));
    assert!(matches!(ShuffleGeometry::of_small(&[1, 6, 2, 2], 2), Err(GeometryError::NoMultiple { .. })));
    assert!(matches!(ShuffleGeometry::of_large(&[1, 1, 4, 3], 2), Err(GeometryError::NoMultiple { .. })));
    assert!(matches!(ShuffleGeometry::of_small(&[1, 1, 1, 1], 0), Err(GeometryError::Zero { .. })));
    assert!(matches!(
        ShuffleGeometry::of_large(&[1, 1, 1, 1], usize::MAX),
        Err(GeometryError::Overflow { .. })
    ));
}

#[test]
fn same_bits_at_any_number_of_threads() {
    let sizes = UpsampleGeometry::new::<2>(&[4, 40, 15, 14], &Resize::Size([31, 28])).unwrap();
    let x = numbers::<f32>(sizes.planes * sizes.input_size(), 1);
    let run = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut y = [0, 1].map(|_| vec![0.0; sizes.planes * sizes.output_size()]);
            let mut dx = [0, 1].map(|_| vec![0.0; x.len()]);
            nearest(&sizes, &x, &mut y[0]);
            linear(&sizes, false, &x, &mut y[1]);
            nearest_gradient(&sizes, &y[1], 0.0, &mut dx[0]);
            linear_gradient(&sizes, true, &y[1], 0.0, &mut dx[1]);
            [y.concat(), dx.concat()].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert!([2, 5].into_iter().all(|threads| run(threads) == one));
}
