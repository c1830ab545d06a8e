//! Sizes of nothing, very wide rows, targets in the middle, and tapes beside parallel jobs.

use rayon::prelude::*;
use striate_tensor::{GradOptions, Tensor, grad, no_grad};

#[test]
fn rows_wider_than_a_piece_are_summed() {
    let x = Tensor::<f32>::ones(&[3, 40_001]).requires_grad();
    let y = x.sum_dim(&[0], false);
    assert!(y.shape() == [40_001] && y.to_vec().iter().all(|&y| y == 3.0));
    assert_eq!(
        Tensor::<f32>::arange(0.0, 80_000).reshape(&[2, -1]).amax(&[0], false).to_vec()[39_999],
        79_999.0
    );
}

#[test]
fn reductions_to_nothing_are_nothing() {
    assert_eq!(Tensor::<f32>::zeros(&[3, 0]).sum_dim(&[0], false).shape(), [0]);
    assert_eq!(Tensor::<f32>::zeros(&[2, 3, 0]).sum_dim(&[1], true).shape(), [2, 1, 0]);
    let (a, b) = (Tensor::<f32>::zeros(&[3, 0]).requires_grad(), Tensor::zeros(&[0]).requires_grad());
    let gradients = (&a + &b).sum().backward();
    assert_eq!(gradients.get(&b).unwrap().shape(), [0]);
}

#[test]
fn products_over_nothing_are_zero_in_warm_memory_too() {
    drop(Tensor::<f32>::ones(&[64, 32, 64]) + 1.0);
    let a = Tensor::<f32>::zeros(&[64, 32, 0]).requires_grad();
    let b = Tensor::zeros(&[0, 64]).requires_grad();
    let y = a.matmul(&b);
    assert!(y.to_vec().iter().all(|&y| y == 0.0));
    let gradients = y.sum().backward();
    assert_eq!(gradients.get(&a).unwrap().shape(), [64, 32, 0]);
    assert_eq!(gradients.get(&b).unwrap().shape(), [0, 64]);
}

#[test]
#[should_panic(expected = "depends on nothing")]
fn a_loss_without_a_tape_is_an_error() {
    Tensor::<f32>::ones(&[2]).sum().backward();
}

#[test]
fn grad_stops_at_its_targets() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    let h = &x * &x;
    let dh = grad(&(&h * 2.0).sum(), &[&h], GradOptions::default());
    let gradients = h.backward_from(&dh[0], GradOptions::default());
    assert_eq!(gradients.get(&x).unwrap().to_vec(), [12.0]);
}

#[test]
fn a_hook_may_add_hooks() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    let y = &x * 2.0;
    let outer = y.clone();
    y.on_gradient(move |_| outer.on_gradient(|_| ()));
    assert_eq!(y.sum().backward().get(&x).unwrap().to_vec(), [2.0]);
}

/// A worker that waits inside a kernel runs another model's step: its tape must not be off.
#[test]
fn many_models_train_side_by_side() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(|| {
        (0..200).into_par_iter().for_each(|i| {
            let w = Tensor::variable(ndarray::Array2::<f32>::from_elem((128, 128), 0.01 * i as f32));
            let x = Tensor::ones(&[128, 128]);
            let gradients = x.matmul(&w).relu().matmul(&w).sum().backward();
            assert!(gradients.get(&w).is_some(), "model {i} recorded no tape");
            assert!(no_grad(|| !x.matmul(&w).is_tracked()));
        });
    });
}

#[test]
fn no_grad_reaches_into_the_pool() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    assert!(!no_grad(|| striate_compute::par::install(|| (&x * 2.0).is_tracked())));
    assert!(striate_compute::par::install(|| (&x * 2.0).is_tracked()));
}

#[test]
fn division_is_exact_and_negation_keeps_zeros_sign() {
    assert_eq!(Tensor::<f32>::ones(&[41]).mean().item(), 1.0);
    assert_eq!((Tensor::<f32>::from_slice(&[1e-40]) / 1e-40).item(), 1.0);
    assert!((-Tensor::<f32>::scalar(0.0)).item().is_sign_negative());
}
