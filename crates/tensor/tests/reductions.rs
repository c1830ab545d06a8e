//! Values, ties and edges of reductions, softmax and running sums.

use ndarray::array;
use striate_tensor::ops::VarOptions;
use striate_tensor::{Real, Tensor};

fn matrix() -> Tensor<f64> {
    Tensor::from_vec(&[2, 3], vec![1.0, 5.0, 5.0, -2.0, 4.0, -7.0])
}

fn slope<E: Real>(x: &Tensor<E>, f: impl Fn(&Tensor<E>) -> Tensor<E>) -> Vec<E> {
    let x = x.requires_grad();
    f(&x).sum().backward().get(&x).expect("x is used").to_vec()
}

#[test]
fn shapes_follow_keepdim() {
    let x = Tensor::<f32>::ones(&[2, 3, 4]);
    assert_eq!(x.amax(&[0, -1], false).shape(), [3]);
    assert_eq!(x.amin(&[0, -1], true).shape(), [1, 3, 1]);
    assert_eq!(x.var_dim(&[1], VarOptions { keepdim: true, ..Default::default() }).shape(), [2, 1, 4]);
    assert_eq!(x.logsumexp(&[2], false).shape(), [2, 3]);
    assert_eq!(x.norm_dim(2.0, &[], true).shape(), [1, 1, 1]);
    assert_eq!(x.max_dim(1, true).1.shape(), [2, 1, 4]);
    assert_eq!(x.max_dim(1, false).0.shape(), [2, 4]);
    assert_eq!(x.argmin_dim(-1, false).shape(), [2, 3]);
    assert_eq!(x.max().shape(), [0; 0]);
}

#[test]
fn the_first_winner_takes_the_gradient_of_max_along_an_axis() {
    let (values, indices) = matrix().max_dim(1, false);
    assert_eq!(values.to_vec(), [5.0, 4.0]);
    assert_eq!(indices, array![1, 1].into_dyn());
    assert_eq!(slope(&matrix(), |x| x.max_dim(1, false).0), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(slope(&matrix(), |x| x.min_dim(0, true).0), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn winners_of_amax_share_the_gradient() {
    assert_eq!(slope(&matrix(), |x| x.amax(&[1], false)), [0.0, 0.5, 0.5, 0.0, 1.0, 0.0]);
    assert_eq!(slope(&matrix(), |x| x.max()), [0.0, 0.5, 0.5, 0.0, 0.0, 0.0]);
    assert_eq!(slope(&matrix(), |x| x.min()), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn nan_is_found_wherever_it_is() {
    for place in [0, 1, 40, 99] {
        let mut values = vec![1.0f32; 100];
        values[place] = f32::NAN;
        let x = Tensor::from_slice(&values);
        assert!(x.max().item().is_nan() && x.min().item().is_nan());
        assert_eq!((x.argmax(), x.argmin()), (place, place));
        let columns = x.reshape(&[100, 1]).expand(&[100, 2]);
        assert_eq!(columns.argmax_dim(0, false), array![place, place].into_dyn());
    }
}

#[test]
fn the_first_of_equals_is_the_argument() {
    let x = Tensor::<f32>::ones(&[70, 3]);
    assert_eq!(x.argmax(), 0);
    assert_eq!(x.argmax_dim(0, false), array![0, 0, 0].into_dyn());
    assert_eq!(x.t().argmin_dim(1, false), array![0, 0, 0].into_dyn());
}

#[test]
fn variance_without_enough_elements_is_nan() {
    let one = Tensor::from_slice(&[3.0f32]);
    assert!(one.var().item().is_nan());
    assert_eq!(one.var_dim(&[], VarOptions { correction: 0.0, keepdim: false }).item(), 0.0);
    assert!(Tensor::<f32>::zeros(&[0]).var().item().is_nan());
}

#[test]
fn variance_far_from_zero_keeps_its_digits() {
    let x: Tensor = Tensor::from_vec(&[4], vec![10_000.0, 10_001.0, 10_002.0, 10_003.0]);
    assert!((x.var().item() - 5.0 / 3.0).abs() < 1e-6);
}

#[test]
fn roots_of_nothing_have_a_gradient_of_zero() {
    let zeros = Tensor::<f32>::zeros(&[3]);
    assert_eq!(slope(&zeros, |x| x.std()), [0.0; 3]);
    for p in [0.5, 1.0, 2.0, 3.0] {
        assert_eq!(slope(&zeros, |x| x.norm_dim(p, &[], false)), [0.0; 3], "p = {p}");
    }
}

#[test]
fn norms() {
    let x = Tensor::from_slice(&[3.0f64, 0.0, -4.0]);
    let norm = |p| x.norm_dim(p, &[], false).item();
    assert_eq!((norm(0.0), norm(1.0), norm(2.0)), (2.0, 7.0, 5.0));
    assert_eq!((norm(f64::INFINITY), norm(f64::NEG_INFINITY)), (4.0, 0.0));
    assert!((norm(3.0) - 91f64.cbrt()).abs() < 1e-14);
    assert_eq!(slope(&x, |x| x.norm()), [0.6, 0.0, -0.8]);
}

#[test]
fn softmax_survives_huge_and_infinite_numbers() {
    for axis in [0, 1] {
        let x = Tensor::from_vec(&[2, 2], vec![1e4f32, -1e4, -1e4, 1e4]);
        assert_eq!(x.softmax(axis).to_vec(), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(x.log_softmax(axis).to_vec(), [0.0, -2e4, -2e4, 0.0]);
        assert_eq!(slope(&x, |x| x.softmax(axis)), [0.0; 4]);
    }
    let masked = Tensor::from_slice(&[0.0f32, f32::NEG_INFINITY]);
    assert_eq!(masked.softmax(0).to_vec(), [1.0, 0.0]);
    assert!(Tensor::from_slice(&[0.0f32, f32::NAN]).softmax(0).is_nan().to_vec() == [1.0, 1.0]);
}

#[test]
fn logsumexp_at_the_edges() {
    let of = |x: &[f32]| Tensor::from_slice(x).logsumexp(&[], false).item();
    assert_eq!(of(&[f32::NEG_INFINITY, f32::NEG_INFINITY]), f64::NEG_INFINITY);
    assert_eq!(of(&[f32::INFINITY, 1.0]), f64::INFINITY);
    assert_eq!(of(&[]), f64::NEG_INFINITY);
    assert!((of(&[1e4, 1e4]) - (1e4 + 2f64.ln())).abs() < 1e-3);
    let lowest = Tensor::from_slice(&[f32::NEG_INFINITY; 2]);
    assert_eq!(slope(&lowest, |x| x.logsumexp(&[], false)), [0.0, 0.0]);
}

#[test]
fn running_sums_are_added_in_double_precision() {
    let x = Tensor::<f32>::full(&[1 << 20], 0.1);
    let last = x.cumsum(0).to_vec()[(1 << 20) - 1];
    assert_eq!(last, (f64::from(0.1f32) * f64::from(1 << 20)) as f32);
    assert_eq!(matrix().cumsum(0).to_vec(), [1.0, 5.0, 5.0, -1.0, 9.0, -2.0]);
    assert_eq!(slope(&matrix(), |x| x.cumsum(1)), [3.0, 2.0, 1.0, 3.0, 2.0, 1.0]);
}

#[test]
fn sums_of_four_million_keep_six_digits_along_every_layout() {
    let n = 1 << 22;
    let values: Vec<f32> = (0..n).map(|i| 1.0 + ((i * 2_654_435_761_usize) % 1000) as f32 * 1e-4).collect();
    let exact: f64 = values.iter().map(|&x| f64::from(x)).sum();
    let x = Tensor::from_vec(&[n], values);
    let layouts: [(&[isize], isize); 5] =
        [(&[-1], 0), (&[-1, 2], 0), (&[2, -1, 4], 1), (&[2, -1], 1), (&[-1, 2048], 0)];
    for (shape, axis) in layouts {
        let sum: f64 = x.reshape(shape).sum_dim(&[axis], false).to_vec().iter().map(|&x| f64::from(x)).sum();
        assert!((sum / exact - 1.0).abs() < 1e-6, "{shape:?} along {axis}: {sum}, not {exact}");
    }
}

#[test]
fn empty_axes() {
    let x = Tensor::<f32>::zeros(&[0, 3]);
    assert_eq!(x.amax(&[1], false).shape(), [0]);
    assert_eq!(x.argmax_dim(1, false).shape(), [0]);
    assert_eq!(x.softmax(0).shape(), [0, 3]);
    assert_eq!(x.log_softmax(1).shape(), [0, 3]);
    assert_eq!(x.cumsum(0).shape(), [0, 3]);
    assert_eq!(x.logsumexp(&[0], false).to_vec(), [f32::NEG_INFINITY; 3]);
    assert_eq!(x.norm_dim(2.0, &[0], false).to_vec(), [0.0; 3]);
}

#[test]
#[should_panic(expected = "amax: axis 0 has no element to choose (x [0, 3])")]
fn amax_of_nothing() {
    Tensor::<f32>::zeros(&[0, 3]).amax(&[0], false);
}

#[test]
#[should_panic(expected = "argmax: axis 0 has no element to choose (x [0])")]
fn argmax_of_nothing() {
    Tensor::<f32>::zeros(&[0]).argmax();
}

#[test]
#[should_panic(expected = "softmax: axis 2 is outside −2..2 (x [2, 3])")]
fn softmax_along_a_missing_axis() {
    matrix().softmax(2);
}

#[test]
#[should_panic(expected = "var: axes [0, -2] name an axis twice")]
fn variance_along_an_axis_twice() {
    matrix().var_dim(&[0, -2], VarOptions::default());
}
