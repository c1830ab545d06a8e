//! One step of an operation: its forward pass, or that and the gradients of all its inputs; and of training.

use protocol::{Row, data};
use striate_nn::ParamStore;
use striate_nn::optim::{Adam, AdamOptions};
use striate_tensor::{GradOptions, Tensor, no_grad};

/// A copy in Striate's own memory, as an operation before it would have left it.
pub fn input(values: Vec<f32>, shape: &[usize]) -> Tensor {
    Tensor::from_vec(shape, values) + 0.0
}

/// The summaries of some tensors, one after the other.
pub fn summaries<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<f64> {
    tensors.into_iter().flat_map(|x| data::summary(&x.to_vec())).collect()
}

/// y = f(x), without a tape.
pub fn forward(x: Vec<Tensor>, call: impl Fn(&[Tensor]) -> Tensor) -> impl Fn() -> Vec<Tensor> {
    move || vec![no_grad(|| call(&x))]
}

/// y = f(x), and the gradients of all inputs from dy.
pub fn forward_backward(
    x: Vec<Tensor>,
    dy: Tensor,
    call: impl Fn(&[Tensor]) -> Tensor,
) -> impl Fn() -> Vec<Tensor> {
    tracked(x.iter().map(Tensor::requires_grad).collect(), dy, call)
}

/// The same of inputs that are tracked already, such as a layer's parameters.
pub fn tracked(x: Vec<Tensor>, dy: Tensor, call: impl Fn(&[Tensor]) -> Tensor) -> impl Fn() -> Vec<Tensor> {
    move || {
        let y = call(&x);
        let gradients = y.backward_from(&dy, GradOptions::default());
        let dx = x.iter().map(|x| gradients.get(x).expect("x is tracked").clone());
        [y.detach()].into_iter().chain(dx).collect()
    }
}

/// The row of such a step, whose check are the summaries of what it returns.
pub fn row(step: impl Fn() -> Vec<Tensor> + 'static) -> Row {
    Row { check: summaries(&step()), parameters: 0, step: Box::new(move || drop(step())) }
}

/// The row of training steps: a loss, its gradients, Adam. The check are the losses before and after the first step.
pub fn training(store: &ParamStore, mut loss: impl FnMut() -> Tensor + 'static) -> Row {
    let mut adam = Adam::new(store, AdamOptions { lr: 1e-3, ..Default::default() });
    let mut step = move || {
        let loss = loss();
        adam.step(&loss.backward());
        loss.item()
    };
    let check = vec![step(), step()];
    let step = move || {
        step();
    };
    Row { step: Box::new(step), parameters: store.parameters().count(), check }
}
