//! Laws on random shapes and layouts, against index-by-index references.

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use proptest::collection::vec;
use proptest::prelude::*;
use striate_tensor::ops::VarOptions;
use striate_tensor::{Array, Tensor, shape};

/// A tensor of up to four axes: permuted, then cut along its first axis with a step, so mostly not contiguous.
fn tensors() -> impl Strategy<Value = Tensor<f64>> {
    vec(1usize..6, 1..=4).prop_flat_map(|shape| {
        let rank = shape.len();
        let order = Just((0..rank).collect::<Vec<_>>()).prop_shuffle();
        (vec(-3.0..3.0, shape.iter().product::<usize>()), Just(shape), order, 0usize..3, 1usize..3).prop_map(
            |(values, shape, order, start, step)| {
                let x = Array::from_vec(&shape, values).permute(&order);
                let n = x.shape()[0];
                let start = start.min(n - 1);
                Tensor::from(x.slice(0, start, (n - start).div_ceil(step), step))
            },
        )
    })
}

/// A shape, and two that broadcast to it: axes of length 1, and at the front none.
fn broadcasting() -> impl Strategy<Value = (Vec<usize>, [Vec<usize>; 3])> {
    vec(1usize..5, 1..=4).prop_flat_map(|full| {
        let part = |full: Vec<usize>| {
            let rank = full.len();
            (vec(any::<bool>(), rank), 0..=rank).prop_map(move |(ones, drop)| {
                full.iter().zip(ones).skip(drop).map(|(&n, one)| if one { 1 } else { n }).collect::<Vec<_>>()
            })
        };
        (part(full.clone()), part(full.clone()), part(full.clone()))
            .prop_map(move |(a, b, c)| (full.clone(), [a, b, c]))
    })
}

fn numbered(shape: &[usize], seed: f64) -> Tensor<f64> {
    let n = shape::elements(shape);
    Tensor::from_vec(shape, (0..n).map(|i| (seed + i as f64 * 1.7).sin()).collect())
}

/// The element that broadcasting reads at `index` of the result.
fn at(x: ArrayViewD<f64>, index: &[usize]) -> f64 {
    let own = &index[index.len() - x.ndim()..];
    let own: Vec<usize> = own.iter().zip(x.shape()).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
    x[IxDyn(&own)]
}

/// Folds the lanes along an axis one by one.
fn lanes(x: &Array<f64>, axis: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    x.view().lanes(Axis(axis)).into_iter().map(|lane| f(&lane.to_vec())).collect()
}

fn close(found: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let near = (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
        prop_assert!(near || (found.is_nan() && expected.is_nan()), "[{}]: {} is not {}", i, found, expected);
    }
    Ok(())
}

proptest! {
    #[test]
    fn broadcasting_agrees_with_indices((_, [a, b, _]) in broadcasting()) {
        let shape = shape::broadcast("test", &a, &b).unwrap();
        let (a, b) = (numbered(&a, 0.1), numbered(&b, 0.7));
        let (left, right) = (a.array(), b.array());
        let reference = |f: fn(f64, f64) -> f64| {
            ArrayD::from_shape_fn(&shape[..], |i| {
                let i: Vec<usize> = (0..shape.len()).map(|axis| i[axis]).collect();
                f(at(left.view(), &i), at(right.view(), &i))
            })
        };
        prop_assert_eq!((&a - &b).to_ndarray(), reference(|a, b| a - b));
        prop_assert_eq!((&a * &b).to_ndarray(), reference(|a, b| a * b));
        prop_assert_eq!(a.maximum(&b).to_ndarray(), reference(f64::max));
        prop_assert_eq!(a.lt(&b).to_ndarray(), reference(|a, b| f64::from(a < b)));
    }

    #[test]
    fn broadcasting_commutes_and_associates((full, [a, b, c]) in broadcasting()) {
        let shape = |a: &[usize], b: &[usize]| shape::broadcast("test", a, b).unwrap();
        prop_assert_eq!(shape(&a, &b), shape(&b, &a));
        prop_assert_eq!(shape(&shape(&a, &b), &c), shape(&a, &shape(&b, &c)));
        prop_assert_eq!(&shape(&a, &full)[..], &full[..]);
        let (x, y) = (numbered(&a, 0.1), numbered(&b, 0.7));
        prop_assert_eq!((&x + &y).to_ndarray(), (&y + &x).to_ndarray());
    }

    #[test]
    fn layouts_do_not_matter(x in tensors()) {
        let (strided, dense) = (&x, &Tensor::from(x.to_ndarray()));
        prop_assert_eq!(strided.tanh().to_vec(), dense.tanh().to_vec());
        prop_assert_eq!((strided + dense).to_vec(), (dense * 2.0).to_vec());
        prop_assert_eq!(strided.gt(0.0).to_vec(), dense.gt(0.0).to_vec());
    }

    #[test]
    fn reductions_agree_with_loops(x in tensors(), axis in 0usize..4) {
        let axis = axis % x.shape().len();
        let (t, x, dim) = (&x, x.array(), [axis as isize]);
        let sum = |lane: &[f64]| lane.iter().sum::<f64>();
        let mean = |lane: &[f64]| sum(lane) / lane.len() as f64;
        let squares = |lane: &[f64]| lane.iter().map(|x| (x - mean(lane)).powi(2)).sum::<f64>();
        let variance = |lane: &[f64]| squares(lane) / (lane.len() as f64 - 1.0);
        let biased = VarOptions { correction: 0.0, keepdim: false };
        close(&t.sum_dim(&dim, false).to_vec(), &lanes(&x, axis, sum))?;
        close(&t.mean_dim(&dim, true).to_vec(), &lanes(&x, axis, mean))?;
        close(&t.var_dim(&dim, VarOptions::default()).to_vec(), &lanes(&x, axis, variance))?;
        close(&t.std_dim(&dim, biased).to_vec(), &lanes(&x, axis, |l| (squares(l) / l.len() as f64).sqrt()))?;
        close(&t.amax(&dim, false).to_vec(), &lanes(&x, axis, |l| l.iter().copied().fold(-9.0, f64::max)))?;
        close(&t.amin(&dim, false).to_vec(), &lanes(&x, axis, |l| l.iter().copied().fold(9.0, f64::min)))?;
        close(&t.norm_dim(3.0, &dim, false).to_vec(), &lanes(&x, axis, |l| {
            l.iter().map(|x| x.abs().powi(3)).sum::<f64>().cbrt()
        }))?;
        close(&t.logsumexp(&dim, false).to_vec(), &lanes(&x, axis, |l| {
            l.iter().map(|x| x.exp()).sum::<f64>().ln()
        }))?;
        let (values, indices) = t.max_dim(axis as isize, false);
        close(&values.to_vec(), &t.amax(&dim, false).to_vec())?;
        let first = lanes(&x, axis, |l| (0..l.len()).rev().max_by(|&i, &j| l[i].total_cmp(&l[j])).unwrap() as f64);
        prop_assert_eq!(indices.iter().map(|&i| i as f64).collect::<Vec<_>>(), first);
    }

    #[test]
    fn reductions_over_all_axes_agree_with_loops(x in tensors()) {
        let values = x.to_vec();
        close(&[x.sum().item()], &[values.iter().sum()])?;
        close(&[x.max().item(), x.min().item()], &[
            values.iter().copied().fold(-9.0, f64::max),
            values.iter().copied().fold(9.0, f64::min),
        ])?;
        prop_assert_eq!(values[x.argmax()], x.max().item());
        prop_assert_eq!(values[x.argmin()], x.min().item());
    }

    #[test]
    fn running_sums_agree_with_loops(x in tensors(), axis in 0usize..4) {
        let axis = axis % x.shape().len();
        let mut expected = x.to_ndarray();
        expected.accumulate_axis_inplace(Axis(axis), |&before, sum| *sum += before);
        let sums = x.cumsum(axis as isize).to_vec();
        close(&sums, &expected.iter().copied().collect::<Vec<_>>())?;
    }

    /// The three requirements on probabilities: positive, at most 1, and of sum 1.
    #[test]
    fn softmax_is_a_distribution(x in tensors(), axis in 0usize..4, scale in 0.1f64..2e3) {
        let axis = axis % x.shape().len();
        let x = x * scale;
        let y = x.softmax(axis as isize);
        let largest = x.amax(&[axis as isize], true);
        let representable = (&x - &largest).gt(-700.0).to_vec();
        for (y, representable) in y.to_vec().into_iter().zip(representable) {
            prop_assert!((0.0..=1.0).contains(&y));
            prop_assert!(y > 0.0 || representable == 0.0);
        }
        let sums = y.sum_dim(&[axis as isize], false).to_vec();
        close(&sums, &vec![1.0; sums.len()])?;
        close(&y.to_vec(), &x.log_softmax(axis as isize).exp().to_vec())?;
        let shifted = (&x + 5.0).softmax(axis as isize).to_vec();
        prop_assert!(shifted.iter().zip(y.to_vec()).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
