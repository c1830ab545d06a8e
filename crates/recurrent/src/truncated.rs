//! Back-propagation through time, all the way or some steps back.

use std::collections::VecDeque;

use striate_tensor::{GradOptions, Gradients, Real, Tensor};

use crate::cells::{Cell, State};

/// How often [`bptt`] updates, and how far back its gradients go: all the way, once, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// k₁: steps from one update to the next.
    pub every: usize,
    /// k₂: steps that a gradient goes back.
    pub back: usize,
}

impl Default for Truncation {
    fn default() -> Self {
        Truncation { every: usize::MAX, back: usize::MAX }
    }
}

/// Back-propagation through time over a sequence, truncated or full.
///
/// After each k₁ steps, and after the last, `update` gets the gradients of the losses since the update before:
/// dΣL/dθ with s_t = f(s_(t−1), x_t; θ) differentiated for the latest k₂ steps, and the state before them a constant. The
/// state goes on over updates, and is given back without its history, for the next part of a stream. Steps that
/// several updates go back over are not computed again: their gradient is that at the parameters they ran with.
///
/// `sequence` gives x_1, x_2, … (N, I), such as [`steps`](crate::steps) of a tensor, and may be a stream without end;
/// `loss(t, h_t)` is L_t of the hidden state (N, H) of step t = 0, 1, …, or `Tensor::scalar(0.0)` where there is none.
/// With k₂ < k₁ the losses of the k₁ − k₂ oldest steps between two updates take no part. Memory is that of k₂ steps.
///
/// An input with a history is walked back over by itself at each step: embed a sequence step by step.
///
/// # Panics
/// When k₁ or k₂ is 0, the cell does not take an input, or a loss is not one number.
///
/// The notes, section 7: ∂L/∂W = Σ_t ∂L_t/∂W. Werbos 1990; truncated: Williams and Peng 1990, whose h′ and h are k₁ and
/// k₂; Sutskever 2013, section 2.8.6.
///
/// ```
/// use striate_nn::optim::{Adam, AdamOptions};
/// use striate_nn::{Linear, Module, ParamStore, clip};
/// use striate_recurrent::{Cell, GruCell, Truncation, bptt, steps};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = GruCell::new(&store.root().sub("cell"), 3, 8);
/// let read_out = Linear::new(&store.root().sub("read_out"), 8, 3);
/// let mut opt = Adam::new(&store, AdamOptions::default());
///
/// let (x, y) = (Tensor::ones(&[100, 2, 3]), Tensor::zeros(&[100, 2, 3]));
/// let truncation = Truncation { every: 5, back: 20 };
/// let loss = |t, h: &Tensor| (read_out.forward(h) - y.select(0, t as isize)).square().mean();
/// let state = bptt(&cell, steps(&x), &cell.initial(2), truncation, loss, |mut gradients| {
///     clip::global_norm(&mut gradients, &store, 1.0).expect("finite gradients");
///     opt.step(&gradients);
/// });
/// assert_eq!(state.shape(), [2, 8]);
/// ```
#[track_caller]
pub fn bptt<E: Real, C: Cell<E>>(
    cell: &C,
    sequence: impl IntoIterator<Item = Tensor<E>>,
    state: &C::State,
    truncation: Truncation,
    mut loss: impl FnMut(usize, &Tensor<E>) -> Tensor<E>,
    mut update: impl FnMut(Gradients<E>),
) -> C::State {
    let Truncation { every, back } = truncation;
    assert!(every > 0 && back > 0, "bptt: k₁ and k₂ must be positive, {truncation:?}");
    let mut state = state.detach();
    let mut window = VecDeque::new();
    let mut fresh = 0;
    for (t, x) in sequence.into_iter().enumerate() {
        if window.len() == back {
            window.pop_front();
        }
        let before = state.map(Tensor::requires_grad);
        let after = cell.step(&x, &before);
        let loss = loss(t, after.hidden());
        state = after.detach();
        window.push_back(Step { before, after, loss });
        fresh += 1;
        if fresh == every {
            update(gradients(&window, fresh));
            fresh = 0;
        }
    }
    if fresh > 0 {
        update(gradients(&window, fresh));
    }
    state
}

/// A step on a tape of its own, from the state `before` as a leaf.
struct Step<E: Real, S> {
    before: S,
    after: S,
    loss: Tensor<E>,
}

/// Gradients of the losses of the `fresh` latest steps, back through all steps of the window.
#[track_caller]
fn gradients<E: Real, S: State<E>>(window: &VecDeque<Step<E, S>>, fresh: usize) -> Gradients<E> {
    let options = GradOptions { retain_graph: true, ..Default::default() };
    let mut sum = Gradients::default();
    let mut later: Option<&Step<E, S>> = None;
    for (age, step) in window.iter().rev().enumerate() {
        // Σ L + ds · s, whose gradient is that of the losses from here on, by the chain rule.
        let mut total = if age < fresh { step.loss.clone() } else { Tensor::scalar(0.0) };
        if let Some(later) = later {
            let mut ds = tensors(&later.before).into_iter().map(|s| sum.get(&s).cloned());
            step.after.map(|s| {
                if let Some(ds) = ds.next().expect("states of one kind") {
                    total = &total + (s * ds).sum();
                }
                s.clone()
            });
        }
        if total.is_tracked() {
            sum.accumulate(total.backward_with(options));
        }
        later = Some(step);
    }
    sum
}

/// The tensors of a state.
pub(crate) fn tensors<E: Real>(state: &impl State<E>) -> Vec<Tensor<E>> {
    let mut tensors = Vec::new();
    state.map(|s| {
        tensors.push(s.clone());
        s.clone()
    });
    tensors
}
