//! Cross-entropy against the formula written out.

use striate_nn::{CrossEntropyOptions, Reduction, check_labels, cross_entropy, cross_entropy_with};
use striate_tensor::{Real, Tensor};

/// Numbers in ±4, the same on every run.
fn numbers(len: usize) -> Vec<f64> {
    (0..len).map(|i| 4.0 * ((i * 37 + 11) as f64 * 0.7).sin()).collect()
}

fn tensor<E: Real>(shape: &[usize], values: &[f64]) -> Tensor<E> {
    Tensor::from_vec(shape, values.iter().map(|&x| E::of(x)).collect())
}

/// Losses at every position of scores (n, classes, inner), and what their mean divides by.
fn naive(
    x: &[f64],
    [n, classes, inner]: [usize; 3],
    labels: &[usize],
    options: &CrossEntropyOptions,
) -> (Vec<f64>, f64) {
    let weight = |c: usize| options.class_weights.as_ref().map_or(1.0, |w| w[c]);
    let (mut losses, mut total) = (Vec::new(), 0.0);
    for i in 0..n * inner {
        let score = |c: usize| x[(i / inner * classes + c) * inner + i % inner];
        let max = (0..classes).map(score).fold(f64::NEG_INFINITY, f64::max);
        let z = max + (0..classes).map(|c| (score(c) - max).exp()).sum::<f64>().ln();
        let label = labels[i];
        if Some(label) == options.ignore_index {
            losses.push(0.0);
            continue;
        }
        total += weight(label);
        let spread = options.label_smoothing / classes as f64;
        let q = |c: usize| spread + if c == label { 1.0 - options.label_smoothing } else { 0.0 };
        losses.push((0..classes).map(|c| q(c) * weight(c) * (z - score(c))).sum());
    }
    (losses, total)
}

fn labels(len: usize, classes: usize) -> Vec<usize> {
    (0..len).map(|i| (i * 7 + 3) % classes).collect()
}

fn all_options(classes: usize) -> Vec<CrossEntropyOptions> {
    let plain = CrossEntropyOptions::default();
    let weights: Vec<f64> = (0..classes).map(|c| 0.5 + c as f64 % 3.0).collect();
    let smooth = CrossEntropyOptions { label_smoothing: 0.1, ..plain.clone() };
    vec![
        CrossEntropyOptions { class_weights: Some(weights.clone()), ..plain.clone() },
        CrossEntropyOptions { ignore_index: Some(3 % classes), ..plain.clone() },
        CrossEntropyOptions { class_weights: Some(weights), ignore_index: Some(1), ..smooth.clone() },
        smooth,
        plain,
    ]
}

fn check<E: Real>(shape: &[usize], tolerance: f64) {
    let (n, classes, inner) = (shape[0], shape[1], shape[2..].iter().product::<usize>());
    let values = numbers(n * classes * inner);
    let x = tensor::<E>(shape, &values);
    let labels = labels(n * inner, classes);
    for options in all_options(classes) {
        let (losses, total) = naive(&values, [n, classes, inner], &labels, &options);
        let sum: f64 = losses.iter().sum();
        for (reduction, expected) in [
            (Reduction::None, losses.clone()),
            (Reduction::Sum, vec![sum]),
            (Reduction::Mean, vec![sum / total]),
        ] {
            let options = CrossEntropyOptions { reduction, ..options.clone() };
            let result = cross_entropy_with(&x, &labels, options.clone());
            for (value, expected) in result.to_vec().into_iter().zip(expected) {
                let error = (value.f64() - expected).abs();
                let both_nan = value.is_nan() && expected.is_nan();
                assert!(
                    both_nan || error <= tolerance * (1.0 + expected.abs()),
                    "{shape:?} {options:?}: {value} {expected}"
                );
            }
        }
    }
}

#[test]
fn values_are_those_of_the_formula() {
    for shape in
        [&[1, 1][..], &[3, 2], &[5, 10], &[2, 33], &[70, 1000], &[2, 3, 5], &[3, 4, 17, 19], &[2, 5, 1, 1]]
    {
        check::<f64>(shape, 1e-12);
        check::<f32>(shape, 2e-5);
    }
}

/// dL/dx = (p − q) · s for every kind of option, also where the work is cut into pieces.
#[test]
fn gradients_are_those_of_the_formula() {
    for shape in [&[70, 1000][..], &[3, 4, 90, 70]] {
        let (n, classes, inner) = (shape[0], shape[1], shape[2..].iter().product::<usize>());
        let values = numbers(n * classes * inner);
        let labels = labels(n * inner, classes);
        for options in all_options(classes) {
            let (_, total) = naive(&values, [n, classes, inner], &labels, &options);
            let x = tensor::<f64>(shape, &values).requires_grad();
            let gradients = cross_entropy_with(&x, &labels, options.clone()).backward();
            let dx = gradients.get(&x).unwrap().to_vec();
            let weight = |c: usize| options.class_weights.as_ref().map_or(1.0, |w| w[c]);
            for i in (0..n * inner).step_by(97) {
                let at = |c: usize| (i / inner * classes + c) * inner + i % inner;
                let z: f64 = (0..classes).map(|c| values[at(c)].exp()).sum();
                let spread = options.label_smoothing / classes as f64;
                let q = |c: usize| {
                    weight(c) * (spread + if c == labels[i] { 1.0 - options.label_smoothing } else { 0.0 })
                };
                let all: f64 = (0..classes).map(q).sum();
                for c in 0..classes {
                    let counts = Some(labels[i]) != options.ignore_index;
                    let expected = if counts { (values[at(c)].exp() / z * all - q(c)) / total } else { 0.0 };
                    assert!((dx[at(c)] - expected).abs() < 1e-15, "{shape:?} {options:?} at {i}, {c}");
                }
            }
        }
    }
}

#[test]
fn large_logits_neither_overflow_nor_lose_the_loss() {
    let x = Tensor::from_vec(&[2, 3], vec![1e4f32, 0.0, -1e4, 1e4, 1e4 + 1.0, -1e4]).requires_grad();
    let losses = cross_entropy_with(
        &x,
        &[1, 0],
        CrossEntropyOptions { reduction: Reduction::None, ..Default::default() },
    );
    assert_eq!(losses.to_vec()[0], 1e4);
    assert!((losses.to_vec()[1] - (1.0 + (-1f32).exp().ln_1p())).abs() < 1e-6);
    let dx = losses.sum().backward().get(&x).unwrap().to_vec();
    assert_eq!(dx[..3], [1.0, -1.0, 0.0]);
    assert!((dx[4] - 1.0 / (1.0 + (-1f32).exp())).abs() < 1e-6);
}

#[test]
fn an_ignored_position_takes_no_part_even_with_nan() {
    let x = Tensor::from_vec(&[2, 2], vec![f32::NAN, 0.0, 0.0, 0.0]).requires_grad();
    let options = CrossEntropyOptions { ignore_index: Some(9), ..Default::default() };
    let loss = cross_entropy_with(&x, &[9, 1], options);
    assert!((loss.item() - 2f64.ln()).abs() < 1e-6);
    assert_eq!(loss.backward().get(&x).unwrap().to_vec(), [0.0, 0.0, 0.5, -0.5]);
}

#[test]
fn nothing_to_average_is_nan_as_in_pytorch() {
    let options = CrossEntropyOptions { ignore_index: Some(0), ..Default::default() };
    assert!(cross_entropy_with(&Tensor::<f32>::zeros(&[2, 2]), &[0, 0], options).item().is_nan());
    assert!(cross_entropy(&Tensor::<f32>::zeros(&[0, 3]), &Vec::new()).item().is_nan());
}

#[test]
fn labels_of_pixels_come_as_array_or_flat() {
    let x = tensor::<f32>(&[2, 3, 2, 2], &numbers(24));
    let flat = labels(8, 3);
    let array = ndarray::Array3::from_shape_vec((2, 2, 2), flat.clone()).unwrap();
    assert_eq!(cross_entropy(&x, &flat).item(), cross_entropy(&x, &array).item());
    assert_eq!(cross_entropy(&x, &flat).item(), cross_entropy(&x, &array.into_dyn()).item());
}

#[test]
#[should_panic(expected = "cross_entropy: label 3 at position 1 is out of range: there are 3 classes")]
fn a_label_out_of_range_panics() {
    cross_entropy(&Tensor::<f32>::zeros(&[2, 3]), &[0, 3]);
}

#[test]
#[should_panic(
    expected = "cross_entropy: labels must be [2], or as many in one axis (scores [2, 3], labels [3])"
)]
fn too_many_labels_panic() {
    cross_entropy(&Tensor::<f32>::zeros(&[2, 3]), &[0, 1, 2]);
}

#[test]
fn labels_from_outside_are_checked() {
    let error = check_labels(&[0, 1, 7, 8], 3, Some(7)).unwrap_err();
    assert_eq!((error.position, error.label, error.classes), (3, 8, 3));
}
