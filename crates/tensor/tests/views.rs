//! Values and errors of views, joins, padding, masks and indexing.

use ndarray::{ArrayD, array};
use striate_tensor::Tensor;
use striate_tensor::ops::{Padding, einsum};

fn counting(shape: &[isize]) -> Tensor<f64> {
    Tensor::arange(0.0, shape.iter().product::<isize>() as usize).reshape(shape)
}

#[track_caller]
fn same(x: &Tensor<f64>, expected: ArrayD<f64>) {
    assert_eq!(x.to_ndarray(), expected);
}

#[test]
fn stacks_and_repetitions() {
    let (a, b) = (counting(&[2, 2]), counting(&[2, 2]) * 10.0);
    same(&Tensor::stack(&[&a, &b], 0), array![[[0., 1.], [2., 3.]], [[0., 10.], [20., 30.]]].into_dyn());
    same(&Tensor::stack(&[&a, &b], -1), array![[[0., 0.], [1., 10.]], [[2., 20.], [3., 30.]]].into_dyn());
    same(&a.repeat(&[1, 2]), array![[0., 1., 0., 1.], [2., 3., 2., 3.]].into_dyn());
    assert_eq!(a.repeat(&[3, 0, 2]).shape(), [3, 0, 4]);
    assert_eq!(Tensor::concat(&[&a, &Tensor::zeros(&[0, 2])], 0).to_vec(), a.to_vec());
}

#[test]
fn chunks_are_pytorchs() {
    let lengths = |n, pieces| -> Vec<usize> {
        Tensor::<f32>::zeros(&[n]).chunks(pieces, 0).iter().map(Tensor::len).collect()
    };
    assert_eq!(lengths(7, 3), [3, 3, 1]);
    assert_eq!(lengths(5, 4), [2, 2, 1]);
    assert_eq!(lengths(2, 3), [1, 1]);
    assert_eq!(lengths(0, 2), [0, 0]);
}

#[test]
fn flips_rolls_and_pads_in_two_dimensions() {
    let x = counting(&[2, 3]);
    same(&x.flip(&[]), array![[5., 4., 3.], [2., 1., 0.]].into_dyn());
    same(&x.roll(-4, 1), array![[1., 2., 0.], [4., 5., 3.]].into_dyn());
    same(
        &x.pad(&[(0, 1), (1, 0)], Padding::Constant(9.0)),
        array![[9., 0., 1., 2.], [9., 3., 4., 5.], [9.; 4]].into_dyn(),
    );
    same(
        &x.pad(&[(1, 0), (2, 0)], Padding::Reflect),
        array![[5., 4., 3., 4., 5.], [2., 1., 0., 1., 2.], [5., 4., 3., 4., 5.]].into_dyn(),
    );
    same(
        &x.pad(&[(0, 1), (1, 1)], Padding::Replicate),
        array![[0., 0., 1., 2., 2.], [3., 3., 4., 5., 5.], [3., 3., 4., 5., 5.]].into_dyn(),
    );
    same(&Tensor::scalar(3.0).pad(&[], Padding::Constant(1.0)), ndarray::arr0(3.0).into_dyn());
    same(&Tensor::zeros(&[0, 1]).pad(&[(1, 0), (0, 1)], Padding::Constant(2.0)), array![[2., 2.]].into_dyn());
}

#[test]
fn what_a_mask_hides_has_no_gradient_though_it_is_nan_or_infinite() {
    let x = Tensor::from_slice(&[f64::NAN, f64::INFINITY, 2.0]).requires_grad();
    let hidden = Tensor::mask(&array![true, true, false]);
    let y = (&x * &x).masked_fill(&hidden, 0.0).sum();
    assert_eq!(y.item(), 4.0);
    let shown = x.masked_fill(&hidden, -1.0);
    let gradients = (&shown * &shown).sum().backward();
    assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.0, 0.0, 4.0]);
    assert_eq!(Tensor::<f64>::full(&[2, 2], f64::NAN).tril(0).to_ndarray()[[0, 1]], 0.0);
}

#[test]
fn triangles() {
    let x = counting(&[2, 3]) + 1.0;
    assert_eq!(x.tril(-1).to_vec(), [0., 0., 0., 4., 0., 0.]);
    assert_eq!(x.triu(1).to_vec(), [0., 2., 3., 0., 0., 6.]);
    assert_eq!(x.triu(isize::MIN).to_vec(), x.to_vec());
    assert_eq!(x.tril(isize::MAX).to_vec(), x.to_vec());
}

#[test]
fn large_index_sums_are_the_sums_in_order() {
    let (rows, places, width) = (50, 3000, 33);
    let indices: Vec<usize> = (0..places).map(|i| i * i % rows).collect();
    let source = counting(&[places as isize, width]) * 0.1;
    let mut expected = ndarray::Array2::<f64>::zeros((rows, width as usize));
    for (i, &row) in indices.iter().enumerate() {
        let source = source.select(0, i as isize).to_ndarray();
        expected.row_mut(row).zip_mut_with(&source, |y, x| *y += x);
    }
    let y = Tensor::zeros(&[rows, width as usize]).index_add(0, &indices, &source);
    same(&y, expected.clone().into_dyn());
    same(
        &Tensor::zeros(&[width as usize, rows]).index_add(1, &indices, &source.t()).t(),
        expected.into_dyn(),
    );
    let picked = source.index_select(0, &indices);
    same(&picked.select(0, 49), source.select(0, (49 * 49 % rows) as isize).to_ndarray());
}

#[test]
fn large_gathers_pick_single_elements() {
    let index = ndarray::Array2::from_shape_fn((400, 150), |(i, j)| (i * 31 + j * 17) % 70);
    let x = counting(&[400, 70]);
    let expected = ndarray::Array2::from_shape_fn((400, 150), |(i, j)| (i * 70 + index[[i, j]]) as f64);
    same(&x.gather(1, &index), expected.clone().into_dyn());
    same(&x.t().gather(0, &index.t()).t(), expected.into_dyn());
    let first = ndarray::Array2::from_shape_fn((40_000, 1), |(i, _)| i % 3);
    let rows = counting(&[40_000, 3]).gather(1, &first).to_vec();
    assert!(rows.iter().enumerate().all(|(i, &x)| x == (i * 3 + i % 3) as f64));
}

#[test]
fn einsum_agrees_with_sums_of_products() {
    let (a, b) = (counting(&[2, 3]), counting(&[3, 4]));
    assert_eq!(einsum("ij,jk", &[&a, &b]).to_vec(), a.matmul(&b).to_vec());
    assert_eq!(einsum("ij,jk->ki", &[&a, &b]).to_vec(), a.matmul(&b).t().to_vec());
    assert_eq!(einsum("ba", &[&a]).shape(), [3, 2]);
    assert_eq!(einsum("ij->", &[&a]).item(), 15.0);
    assert_eq!(einsum("ij,ij->i", &[&a, &a]).to_vec(), [5.0, 50.0]);
    assert_eq!(
        einsum("i,j->ij", &[&a.select(0, 0), &b.select(1, 0)]).to_vec(),
        [0., 0., 0., 0., 4., 8., 0., 8., 16.]
    );
    assert_eq!(einsum("ij,kl->", &[&a, &b]).item(), 15.0 * 66.0);
    assert_eq!(
        einsum("ij,jk->ik", &[&Tensor::<f64>::zeros(&[2, 0]), &Tensor::zeros(&[0, 3])]).to_vec(),
        [0.0; 6]
    );
}

/// Checks the message that `f` panics with.
#[track_caller]
fn panics(f: impl FnOnce() + std::panic::UnwindSafe, expected: &str) {
    let error = std::panic::catch_unwind(f).expect_err(expected);
    let message = error.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(message.contains(expected), "{message:?} lacks {expected:?}");
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let x = || counting(&[5, 3]);
    panics(
        || drop(x().index_select(0, &[1, 7])),
        "index_select: index 7 is outside 0..5 along axis 0 (x [5, 3])",
    );
    panics(
        || drop(x().embedding(&array![5usize])),
        "embedding: index 5 is outside 0..5 along axis 0 (x [5, 3])",
    );
    panics(
        || drop(x().gather(1, &array![[3usize]])),
        "gather: index 3 is outside 0..3 along axis 1 (x [5, 3])",
    );
    panics(|| drop(x().gather(1, &array![0usize])), "gather: index must have as many axes as x");
    panics(
        || drop(x().scatter_add(0, &array![[1usize]], &x())),
        "scatter_add: source must have the shape of index",
    );
    panics(
        || drop(x().index_add(0, &[1], &x())),
        "index_add: source must be [1, 3] (x [5, 3], source [5, 3])",
    );
    panics(|| drop(Tensor::<f32>::one_hot(&array![4usize], 3)), "one_hot: index 4 is outside 0..3");
    panics(|| drop(x().select(1, -4)), "select: index -4 is outside 0..3 along axis 1 (x [5, 3])");
    panics(
        || drop(x().narrow(0, 3, 3)),
        "narrow: 3 places from 3 on are not within 0..5 along axis 0 (x [5, 3])",
    );
    panics(|| drop(x().slice(0, 2..6, 1)), "is not within 0..5 along axis 0 (x [5, 3])");
    panics(|| drop(x().slice(0, .., 0)), "slice: the step must be at least 1");
    panics(
        || drop(x().split(&[2, 2], 0)),
        "split: pieces [2, 2] do not make up length 5 of axis 0 (x [5, 3])",
    );
    panics(
        || drop(x().chunk::<2>(0)),
        "chunk: length 5 of axis 0 does not part into 2 equal pieces (x [5, 3])",
    );
    panics(|| drop(x().flatten(1, 0)), "flatten: the first axis 1 comes after the last, 0 (x [5, 3])");
    panics(|| drop(x().unsqueeze(3)), "unsqueeze: axis 3 is outside −3..3 (x [5, 3])");
    panics(
        || drop(Tensor::concat(&[&x(), &x().t()], 0)),
        "concat: operands must have equal lengths along all axes but 0",
    );
    panics(|| drop(Tensor::<f32>::concat(&[], 0)), "concat: needs at least one operand");
    panics(
        || drop(Tensor::stack(&[&x(), &x().t()], 0)),
        "stack: operands must have one shape (first [5, 3], other [3, 5])",
    );
    panics(|| drop(x().repeat(&[2])), "repeat: [2] has fewer numbers than there are axes (x [5, 3])");
    panics(
        || drop(x().pad(&[(1, 1)], Padding::Reflect)),
        "pad: needs one (before, after) per axis, has 1 (x [5, 3])",
    );
    panics(
        || drop(x().pad(&[(0, 0), (3, 0)], Padding::Reflect)),
        "must be smaller than its length 3 (x [5, 3])",
    );
    panics(|| drop(x().where_(&Tensor::ones(&[2]), &x())), "where_: lengths 3 and 2 do not broadcast");
    panics(
        || drop(x().masked_fill(&Tensor::ones(&[2, 5, 3]), 0.0)),
        "masked_fill: the mask must broadcast to x",
    );
    panics(|| drop(x().select(0, 0).tril(0)), "tril: needs two axes (x [3])");
    panics(|| drop(x().diagonal(0, 0)), "diagonal: axes [0, 0] name an axis twice");
    panics(|| drop(x().dot(&x())), "dot: needs two vectors (a [5, 3], b [5, 3])");
    panics(
        || drop(einsum("ij,jk", &[&x(), &x()])),
        "einsum: \"ij,jk\": axis j has lengths 3 and 5 (x [5, 3], x [5, 3])",
    );
    panics(|| drop(einsum("ij->ik", &[&x()])), "the result's axis k is in no operand");
    panics(|| drop(einsum("ij->ii", &[&x()])), "the result names axis i twice");
    panics(|| drop(einsum("i...->i", &[&x()])), "axes are letters, '.' is none");
    panics(|| drop(einsum("i", &[&x()])), "\"i\" names 1 axes of an operand with 2");
    panics(|| drop(einsum("ij,j", &[&x()])), "names 2 operands, there are 1");
}

#[test]
fn a_panic_is_at_the_callers_line() {
    let place = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = place.clone();
    let quiet = std::panic::take_hook();
    let this_thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == this_thread {
            *seen.lock().unwrap() = info.location().map(|l| (l.file().to_string(), l.line()));
        }
    }));
    let line = line!() + 1;
    let _ = std::panic::catch_unwind(|| counting(&[2, 2]).embedding(&array![9usize]));
    std::panic::set_hook(quiet);
    let (file, at) = place.lock().unwrap().clone().unwrap();
    assert!(file.ends_with("views.rs") && at == line, "{file}:{at}");
}
