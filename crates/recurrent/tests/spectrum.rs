//! Eigenvalues, norms, and the linear recurrence against repeated multiplication.
#![cfg(feature = "diagnostics")]

use ndarray::{Array1, Array2, array};
use striate_compute::rng::Rng;
use striate_nn::Init;
use striate_recurrent::diagnostics::{
    EigenError, LinearRecurrence, eigenvalues, spectral_norm, spectral_radius,
};
use striate_tensor::Array;

fn matrix(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::new(seed);
    Array2::from_shape_simple_fn((rows, columns), || rng.normal())
}

fn powers(w: &Array2<f64>, h: &Array1<f64>, t: u32) -> Array1<f64> {
    (0..t).fold(h.clone(), |h, _| w.dot(&h))
}

#[test]
fn a_linear_recurrence_is_repeated_multiplication() {
    let square = |n, seed| matrix(n, n, seed) / (n as f64).sqrt();
    let rotation =
        array![[0.8, -0.6, 0.0, 0.0], [0.6, 0.8, 0.0, 0.0], [0.0, 0.0, 0.8, -0.6], [0.0, 0.0, 0.6, 0.8]];
    let cycle = Array2::from_shape_fn((4, 4), |(i, j)| f64::from((i + 1) % 4 == j));
    // 0.9, 0.9, 0.9 and 0.9 − 1.4.
    let (u, v) = (matrix(4, 1, 20), matrix(1, 4, 21));
    let repeated = Array2::eye(4) * 0.9 - u.dot(&v) * (1.4 / v.dot(&u)[[0, 0]]);
    let symmetric = square(6, 11);
    let symmetric = &symmetric + &symmetric.t();
    let cases = [
        ("1×1", array![[0.7]]),
        ("2×2", square(2, 10)),
        ("odd", square(7, 12)),
        ("large", square(32, 13)),
        ("symmetric", symmetric),
        ("two equal rotations", rotation),
        ("a cycle", cycle),
        ("a repeated eigenvalue", repeated),
        ("triangular", array![[0.5, 10.0, -3.0], [0.0, 0.25, 4.0], [0.0, 0.0, 1.1]]),
        ("zero", Array2::zeros((3, 3))),
        ("identity", Array2::eye(3)),
        ("tiny", square(5, 14) * 1e-30),
        ("nilpotent but for one", array![[0.0, 0.0], [1.0, 1.0]]),
    ];
    for (name, w) in cases {
        let linear = LinearRecurrence::new(&w).unwrap_or_else(|error| panic!("{name}: {error}"));
        let h_0 = matrix(1, w.nrows(), 9).row(0).to_owned();
        for t in [0, 1, 2, 7, 30] {
            let expected = powers(&w, &h_0, t);
            let largest = |h: Array1<f64>| h.iter().fold(0.0, |max: f64, h| max.max(h.abs()));
            let difference = largest(linear.state(&h_0, t) - &expected);
            let scale = largest(expected);
            assert!(difference <= 1e-11 * scale, "{name}, t = {t}: {difference:e} of {scale:e}");
        }
    }
}

#[test]
fn eigenvalues_are_the_roots_of_the_characteristic_polynomial() {
    let sorted = |w: &Array2<f64>| {
        let mut values = eigenvalues(w).unwrap();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap());
        values
    };
    // λ² − λ + 1.25 = 0 and (λ − 2)(λ + 3)(λ − 0.5) = 0.
    let companion = array![[0.0, -1.25], [1.0, 1.0]];
    let triangular = array![[2.0, 7.0, 1.0], [0.0, -3.0, 5.0], [0.0, 0.0, 0.5]];
    let cases = [
        (companion.clone(), vec![(0.5, -1.0), (0.5, 1.0)]),
        (triangular, vec![(-3.0, 0.0), (0.5, 0.0), (2.0, 0.0)]),
        (array![[0.0, 1.0], [0.0, 0.0]], vec![(0.0, 0.0), (0.0, 0.0)]),
    ];
    for (w, expected) in cases {
        for (found, expected) in sorted(&w).iter().zip(&expected) {
            assert!((found.0 - expected.0).hypot(found.1 - expected.1) < 1e-12, "{found:?} {expected:?}");
        }
        assert_eq!(sorted(&w).len(), expected.len());
    }
    assert!((spectral_radius(&companion).unwrap() - 1.25_f64.sqrt()).abs() < 1e-12);
    let mut in_order = LinearRecurrence::new(&companion).unwrap().eigenvalues();
    in_order.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(in_order, sorted(&companion));
    let orthogonal: Array<f64> = Init::Orthogonal { gain: 1.5 }.draw(&[16, 16], &mut Rng::new(3));
    let orthogonal: Array2<f64> = orthogonal.view().to_owned().into_dimensionality().unwrap();
    assert!((spectral_radius(&orthogonal).unwrap() - 1.5).abs() < 1e-12);
    assert!((spectral_norm(&orthogonal) - 1.5).abs() < 1e-12);
}

#[test]
fn norms_of_thin_tiny_and_broken_matrices() {
    let a = matrix(7, 3, 5);
    let gram = a.t().dot(&a);
    assert!((spectral_norm(&a).powi(2) - spectral_radius(&gram).unwrap()).abs() < 1e-12);
    assert!((spectral_norm(&(&a * 1e-250)) / 1e-250 - spectral_norm(&a)).abs() < 1e-12);
    assert_eq!(spectral_norm(&Array2::zeros((3, 4))), 0.0);
    assert_eq!(spectral_norm(&Array2::zeros((0, 0))), 0.0);
    for broken in [f64::NAN, f64::INFINITY] {
        assert!(spectral_norm(&array![[1.0, broken]]).is_nan());
        let square = array![[1.0, broken], [0.0, 1.0]];
        assert_eq!(eigenvalues(&square), Err(EigenError::NotFinite));
        assert!(matches!(LinearRecurrence::new(&square), Err(EigenError::NotFinite)));
    }
}

#[test]
fn a_matrix_without_a_basis_of_eigenvectors_is_refused() {
    let jordan = array![[0.9, 1.0, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.3]];
    let shear = array![[1.0, 0.0, 2.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let shear_back = array![[1.0, 0.0, -2.0], [-0.5, 1.0, 1.0], [0.0, 0.0, 1.0]];
    assert_eq!(shear.dot(&shear_back), Array2::<f64>::eye(3));
    for w in [jordan.clone(), shear.dot(&jordan).dot(&shear_back), array![[0.0, 1.0], [0.0, 0.0]]] {
        let error = LinearRecurrence::new(&w).err();
        assert!(
            matches!(error, Some(EigenError::NotDiagonalisable { condition }) if condition > 1e6),
            "{error:?}"
        );
    }
}

#[test]
#[should_panic(expected = "the matrix must be square, with at least one row (matrix [2, 3])")]
fn eigenvalues_need_a_square() {
    let _ = eigenvalues(&matrix(2, 3, 0));
}

#[test]
#[should_panic(expected = "h_0 must have 2 elements (h_0 [3])")]
fn a_state_must_fit() {
    LinearRecurrence::new(&matrix(2, 2, 0)).unwrap().state(&Array1::zeros(3), 1);
}
