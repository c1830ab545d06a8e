//! A linear classifier.

use ndarray::{Array2, ArrayView2};
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Linear, Module, ParamStore, cross_entropy};
use striate_tensor::{Tensor, no_grad};

use super::lasso::Scale;

/// Multinomial logistic regression: its accuracy on samples that it has not learnt from.
pub(super) fn accuracy(
    classes: usize,
    (learnt, labels): (&Array2<f64>, &[usize]),
    (held_out, expected): (&Array2<f64>, &[usize]),
) -> f64 {
    const STEPS: usize = 500;
    let scale = Scale::of(learnt.view());
    let tensor = |x: ArrayView2<f64>| Tensor::from(scale.apply(x));
    let store = ParamStore::<f64>::seeded(0);
    let layer = Linear::new(&store.root(), learnt.ncols(), classes);
    let mut adam = Adam::new(&store, AdamOptions { lr: 0.1, ..Default::default() });
    let x = tensor(learnt.view());
    for _ in 0..STEPS {
        adam.step(&cross_entropy(&layer.forward(&x), labels).backward());
    }
    let predicted = no_grad(|| layer.forward(&tensor(held_out.view()))).argmax_dim(1, false);
    let right = predicted.iter().zip(expected).filter(|(predicted, expected)| predicted == expected).count();
    right as f64 / expected.len() as f64
}
