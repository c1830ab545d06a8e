//! A cell over a sequence.

use striate_tensor::shape::{ShapeError, expect};
use striate_tensor::{Real, Tensor};

use crate::cells::{Cell, State};

/// The steps x_1, …, x_T (N, I) of a sequence (T, N, I).
///
/// # Panics
/// When x is not (T, N, I).
///
/// ```
/// use striate_recurrent::steps;
/// use striate_tensor::Tensor;
///
/// assert!(steps(&Tensor::<f32>::zeros(&[4, 2, 3])).all(|x| x.shape() == [2, 3]));
/// ```
#[track_caller]
pub fn steps<E: Real>(x: &Tensor<E>) -> impl ExactSizeIterator<Item = Tensor<E>> {
    let &[length, _, _] = x.shape() else {
        return expect(Err(ShapeError::new("steps", "a sequence must be (T, N, I)", &[("x", x.shape())])));
    };
    (0..length).map(|t| x.select(0, t as isize))
}

/// Runs a cell over a sequence.
///
/// s_t = f(s_(t−1), x_t; θ) for x (T, N, I) and the state s_0: the hidden states h_1, …, h_T (T, N, H) and s_T. The tape
/// holds every step, so that a backward pass is back-propagation through time:
/// dL/dθ = Σ_t (∂s_t/∂s_(t−1) … )ᵀ dL/ds.
///
/// # Panics
/// When x is not (T, N, I) with at least one step, or the cell does not take it.
///
/// The notes, section 7: figure 21. PyTorch's `nn.RNNCell` and its siblings in a loop.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, LstmCell, unroll};
/// use striate_tensor::Tensor;
///
/// let cell = LstmCell::new(&ParamStore::<f32>::seeded(0).root(), 3, 5);
/// let (h, (_, c)) = unroll(&cell, &Tensor::ones(&[4, 2, 3]), &cell.initial(2));
/// assert_eq!((h.shape(), c.shape()), (&[4, 2, 5][..], &[2, 5][..]));
/// ```
#[track_caller]
pub fn unroll<E: Real, C: Cell<E>>(cell: &C, x: &Tensor<E>, state: &C::State) -> (Tensor<E>, C::State) {
    let mut state = state.clone();
    let mut hidden = Vec::new();
    for x in steps(x) {
        state = cell.step(&x, &state);
        hidden.push(state.hidden().clone());
    }
    (sequence("unroll", &hidden), state)
}

/// Runs a cell that reads what it is fed: `first` at step 0, then `feed(t, h_(t−1))` at the steps t = 1, …, steps − 1.
///
/// `feed` is [`teacher_forcing`](crate::teacher_forcing), [`scheduled_sampling`](crate::scheduled_sampling) or a
/// closure that makes the next input (N, I) of the hidden state (N, H) before it. Gives the hidden states (T, N, H) and
/// the last state.
///
/// # Panics
/// When there is no step, or the cell does not take an input.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, GruCell, decode};
/// use striate_tensor::Tensor;
///
/// // A network whose input is its own state.
/// let cell = GruCell::new(&ParamStore::<f32>::seeded(0).root(), 5, 5);
/// let (h, last) = decode(&cell, &Tensor::ones(&[2, 5]), &cell.initial(2), 4, |_, h| h.clone());
/// assert_eq!(h.select(0, -1).to_vec(), last.to_vec());
/// ```
#[track_caller]
pub fn decode<E: Real, C: Cell<E>>(
    cell: &C,
    first: &Tensor<E>,
    state: &C::State,
    steps: usize,
    mut feed: impl FnMut(usize, &Tensor<E>) -> Tensor<E>,
) -> (Tensor<E>, C::State) {
    let mut state = state.clone();
    let mut hidden = Vec::with_capacity(steps);
    for t in 0..steps {
        let x = if t == 0 { first.clone() } else { feed(t, state.hidden()) };
        state = cell.step(&x, &state);
        hidden.push(state.hidden().clone());
    }
    (sequence("decode", &hidden), state)
}

/// h_1, …, h_T (N, H) as one sequence (T, N, H).
#[track_caller]
fn sequence<E: Real>(op: &'static str, hidden: &[Tensor<E>]) -> Tensor<E> {
    if hidden.is_empty() {
        return expect(Err(ShapeError::new(op, "there must be at least one step", &[])));
    }
    Tensor::stack(&hidden.iter().collect::<Vec<_>>(), 0)
}
