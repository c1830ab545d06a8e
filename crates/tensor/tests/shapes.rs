//! Shape rules on arbitrary input: they never panic, and agree with naive definitions and with `ndarray`.

use ndarray::{ArrayD, Axis, Dimension, IxDyn, Slice};
use proptest::prelude::*;
use striate_tensor::ops::Padding;
use striate_tensor::{Tensor, shape};

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..5, 0..5)
}

fn numbers(shape: &[usize]) -> ArrayD<f32> {
    let count = shape.iter().product::<usize>();
    ArrayD::from_shape_vec(IxDyn(shape), (0..count).map(|i| i as f32).collect()).unwrap()
}

/// `shape` with an axis of it and two numbers to cut that axis with.
fn cut() -> impl Strategy<Value = (Vec<usize>, usize, usize, usize, usize)> {
    prop::collection::vec(0usize..7, 1..5)
        .prop_flat_map(|shape| (0..shape.len(), Just(shape)))
        .prop_flat_map(|(axis, shape)| {
            let n = shape[axis];
            (Just(shape), Just(axis), 0..=n, 0..=n, 1usize..4)
        })
        .prop_map(|(shape, axis, i, j, step)| (shape, axis, i.min(j), i.max(j), step))
}

proptest! {
    #[test]
    fn broadcast_is_ndarrays(a in lengths(), b in lengths()) {
        let ours = shape::broadcast("add", &a, &b).ok();
        let (x, y) = (numbers(&a), numbers(&b));
        prop_assert_eq!(ours.is_some(), {
            let rank = a.len().max(b.len());
            let padded = |s: &[usize]| [vec![1; rank - s.len()], s.to_vec()].concat();
            padded(&a).iter().zip(padded(&b)).all(|(&p, q)| p == q || p == 1 || q == 1)
        });
        if let Some(shape) = ours {
            prop_assert!(x.broadcast(IxDyn(&shape)).is_some() && y.broadcast(IxDyn(&shape)).is_some());
            let sum = Tensor::from(x.clone()) + Tensor::from(y.clone());
            let expected = &x.broadcast(IxDyn(&shape)).unwrap() + &y.broadcast(IxDyn(&shape)).unwrap();
            prop_assert_eq!(sum.to_ndarray(), expected);
        }
    }

    #[test]
    fn rules_never_panic(
        x in prop::collection::vec(prop_oneof![0usize..4, Just(usize::MAX)], 0..4),
        y in prop::collection::vec(0usize..4, 0..4),
        to in prop::collection::vec(any::<isize>(), 0..4),
        small in prop::collection::vec(-3isize..5, 0..4),
        (i, j) in (any::<isize>(), any::<isize>()),
        (near, far) in (-3isize..4, -9isize..9),
        step in any::<usize>(),
        spec in "[a-c]{0,3},?[a-c]{0,3}(->)?[a-d]{0,2}",
        text in ".{0,12}",
    ) {
        for axis in [i, near] {
            let _ = shape::axis("x", axis, &x);
            let _ = shape::flatten(&y, axis, far);
            let _ = shape::flatten(&y, axis, j);
            let _ = shape::unsqueeze("x", &x, axis);
            let _ = shape::split(&x, axis, &y);
            let _ = shape::chunks(&y, axis, step % 1000);
            let _ = shape::concat(&[&x, &y], axis);
            let _ = shape::narrow("x", &x, axis, step, y.len());
            let _ = shape::gather("x", &x, axis, &y);
            for end in [j, far] {
                let _ = shape::slice(&x, axis, i..end, step);
                let _ = shape::slice(&x, axis, far..=end, step);
                let _ = shape::slice(&x, axis, ..=end, 1);
            }
        }
        for to in [&to, &small] {
            let _ = shape::reshape(&y, to);
            let _ = shape::permutation(to, &y);
            let _ = shape::axes("x", to, &x);
        }
        let _ = shape::matmul(&x, &y);
        let _ = shape::expand(&x, &y);
        let _ = shape::pad(&x, &vec![(step, y.len()); x.len()]);
        let _ = shape::einsum(&spec, &[&x, &y]);
        let _ = shape::einsum(&text, &[&x, &y]);
    }

    #[test]
    fn matmul_has_the_shape_and_the_values_of_sums(
        batch in prop::collection::vec(1usize..3, 0..3), m in 0usize..5, k in 0usize..5, n in 0usize..5, ones in any::<bool>(),
    ) {
        let (a, mut b) = ([&batch[..], &[m, k]].concat(), [&batch[..], &[k, n]].concat());
        if ones && !batch.is_empty() {
            b[0] = 1;
        }
        let (x, y) = (numbers(&a), numbers(&b));
        let product = Tensor::from(x.clone()).matmul(&Tensor::from(y.clone())).to_ndarray();
        prop_assert_eq!(product.shape(), [&batch[..], &[m, n]].concat());
        let y = y.broadcast([&batch[..], &[k, n]].concat()).unwrap();
        for (index, value) in product.indexed_iter() {
            let (outer, i, j) = (&index.slice()[..batch.len()], index[batch.len()], index[batch.len() + 1]);
            let sum: f32 = (0..k).map(|l| x[&[outer, &[i, l][..]].concat()[..]] * y[&[outer, &[l, j][..]].concat()[..]]).sum();
            prop_assert!((value - sum).abs() <= 1e-4 * (1.0 + sum.abs()));
        }
    }

    #[test]
    fn slices_are_ndarrays((shape, axis, start, end, step) in cut(), back in any::<bool>()) {
        let x = numbers(&shape);
        let n = shape[axis] as isize;
        let (i, j) = (start as isize, end as isize);
        let x_slice = x.slice_axis(Axis(axis), Slice::new(i, Some(j), step as isize));
        let y = Tensor::from(x.clone());
        let y = if back && i < n && j < n { y.slice(axis as isize, i - n..j - n, step) } else { y.slice(axis as isize, i..j, step) };
        prop_assert_eq!(y.to_ndarray(), x_slice);
    }

    #[test]
    fn pieces_join_again((shape, axis, start, end, _) in cut()) {
        let x = Tensor::from(numbers(&shape));
        let sizes = [start, end - start, shape[axis] - end];
        let pieces = x.split(&sizes, axis as isize);
        let joined = Tensor::concat(&pieces.iter().collect::<Vec<_>>(), axis as isize);
        prop_assert_eq!(joined.to_ndarray(), x.to_ndarray());
        let padded = pieces[1].pad(
            &(0..shape.len()).map(|i| if i == axis { (start, shape[axis] - end) } else { (0, 0) }).collect::<Vec<_>>(),
            Padding::Constant(0.0),
        );
        prop_assert_eq!(padded.shape(), &shape[..]);
        prop_assert_eq!(padded.narrow(axis as isize, start, end - start).to_ndarray(), pieces[1].to_ndarray());
        prop_assert_eq!(padded.sum().item(), pieces[1].sum().item());
    }

    #[test]
    fn permutations_and_reshapes_go_there_and_back(shape in lengths(), seed in any::<u64>(), cut in 0usize..6) {
        let mut order: Vec<usize> = (0..shape.len()).collect();
        order.sort_by_key(|&axis| seed.rotate_left(13 * axis as u32) % 101);
        let signed: Vec<isize> = order.iter().map(|&axis| axis as isize - shape.len() as isize).collect();
        let x = Tensor::from(numbers(&shape));
        let y = x.permute(&signed);
        let expected = numbers(&shape).permuted_axes(order.clone());
        prop_assert_eq!(y.to_ndarray(), expected.clone());
        let back: Vec<isize> = (0..shape.len()).map(|axis| order.iter().position(|&o| o == axis).unwrap() as isize).collect();
        prop_assert_eq!(y.permute(&back).to_ndarray(), x.to_ndarray());

        let flat: Vec<f32> = expected.iter().copied().collect();
        prop_assert_eq!(y.flatten(0, -1).to_vec(), flat.clone());
        let cut = cut.min(shape.len());
        let (left, right) = (y.shape()[..cut].iter().product::<usize>(), y.shape()[cut..].iter().product::<usize>());
        prop_assert_eq!(y.reshape(&[left as isize, 1, right as isize]).to_vec(), flat);
    }
}
