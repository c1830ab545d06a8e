//! Copies, reshapes and elementwise loops of strided arrays against `ndarray`'s own views.

use ndarray::{ArrayD, IxDyn};
use striate_tensor::Array;

fn numbers(shape: &[usize]) -> ArrayD<f32> {
    let count = shape.iter().product::<usize>();
    ArrayD::from_shape_vec(IxDyn(shape), (0..count).map(|i| i as f32).collect()).unwrap()
}

/// All orders of `rank` axes.
fn orders(rank: usize) -> Vec<Vec<usize>> {
    if rank == 0 {
        return vec![vec![]];
    }
    let shorter = orders(rank - 1);
    let insert = |at: usize| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(at, rank - 1);
            order
        })
    };
    (0..rank).flat_map(insert).collect()
}

#[test]
fn copies_of_permuted_arrays_are_ndarrays() {
    for shape in
        [&[3, 5][..], &[37, 50], &[64, 600], &[7, 33, 18], &[2, 1, 19, 40], &[5, 4, 6, 20], &[1, 70, 300]]
    {
        for order in orders(shape.len()) {
            let expected = numbers(shape).permuted_axes(order.clone());
            let x = Array::from(numbers(shape)).permute(&order);
            assert_eq!(x.to_vec(), expected.iter().copied().collect::<Vec<_>>(), "{shape:?} {order:?}");
            assert!(x.contiguous().is_contiguous());
        }
    }
}

#[test]
fn copies_of_sliced_and_permuted_arrays_are_ndarrays() {
    let x = numbers(&[40, 41, 42]);
    let expected = x.slice(ndarray::s![1..39;2, 3..40, ..;3]).permuted_axes([2, 0, 1]).to_owned();
    let ours = Array::from(x).slice(0, 1, 19, 2).slice(1, 3, 37, 1).slice(2, 0, 14, 3).permute(&[2, 0, 1]);
    assert_eq!(ours.view(), expected.into_dyn());
}

#[test]
fn a_reshape_copies_only_when_no_strides_describe_it() {
    let x = Array::from(numbers(&[2, 3, 4]));
    let shares = |y: &Array<f32>| y.data().as_ptr_range().end == x.data().as_ptr_range().end;
    let t = x.permute(&[2, 0, 1]);
    for (y, shared) in [
        (x.reshape(&[6, 4]), true),
        (t.reshape(&[4, 6]), true),
        (t.reshape(&[1, 4, 1, 6, 1]), true),
        (t.reshape(&[2, 2, 3, 2]), true),
        (t.reshape(&[8, 3]), false),
        (t.reshape(&[24]), false),
        (x.slice(2, 0, 2, 2).reshape(&[6, 2]), true),
        (x.slice(1, 0, 2, 1).reshape(&[2, 8]), true),
        (x.slice(1, 0, 2, 1).reshape(&[16]), false),
    ] {
        assert_eq!(shares(&y), shared, "{:?}", y.shape());
    }
    let broadcast = Array::full(&[3, 4], 7.0f32).reshape(&[12]);
    assert_eq!(broadcast.strides(), [0]);
    for to in [&[24][..], &[8, 3], &[2, 2, 3, 2], &[4, 1, 6]] {
        let expected: Vec<f32> = numbers(&[2, 3, 4]).permuted_axes(vec![2, 0, 1]).iter().copied().collect();
        assert_eq!(t.reshape(to).to_vec(), expected, "{to:?}");
    }
    assert_eq!(Array::<f32>::zeros(&[0, 3]).reshape(&[3, 0, 2]).shape(), [3, 0, 2]);
    assert_eq!(Array::full(&[1, 1], 3.0f32).reshape(&[]).to_vec(), [3.0]);
}

#[test]
fn elementwise_loops_over_arrays_permuted_alike_keep_their_layout() {
    let x = Array::from(numbers(&[3, 4, 5]));
    let (a, b) = (x.permute(&[2, 0, 1]), x.map(|x| -2.0 * x).permute(&[2, 0, 1]));
    let y = a.zip(&b, |a, b| a + b);
    assert_eq!(y.view(), numbers(&[3, 4, 5]).mapv(|x| -x).permuted_axes(vec![2, 0, 1]));
    assert_eq!(y.strides(), a.strides());
    assert_eq!(a.map(|x| x + 1.0).view(), numbers(&[3, 4, 5]).mapv(|x| x + 1.0).permuted_axes(vec![2, 0, 1]));
    let mixed = a.zip(&a.contiguous(), |a, b| a - b);
    assert!(mixed.to_vec().iter().all(|&x| x == 0.0));
    let row = Array::zip_to(&[5, 3, 4], &a, &Array::full(&[4], 1.0), |a, b| a + b);
    assert_eq!(row.to_vec(), a.map(|x| x + 1.0).to_vec());
}

#[test]
fn a_diagonal_is_a_view() {
    let x = Array::from(numbers(&[3, 2, 4]));
    assert_eq!(x.diagonal(0, 2).to_vec(), [0.0, 4.0, 9.0, 13.0, 18.0, 22.0]);
    assert_eq!(x.diagonal(0, 2).shape(), [3, 2]);
}
