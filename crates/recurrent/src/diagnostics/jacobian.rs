use std::ops::Range;

use ndarray::{Array2, s};
use striate_tensor::{GradOptions, Tensor, grad};

use super::spectrum::spectral_norm;
use crate::cells::{Cell, State};
use crate::truncated::tensors;
use crate::unroll::steps;

/// The Jacobians ∂s_t/∂s_(t−1) of a cell along a sequence, and their products.
///
/// The state s is all that a cell carries: h, or (h, c). ∂s_t/∂s_k = ∏_(i = t, …, k+1) ∂s_i/∂s_(i−1), the last step
/// leftmost, and ∂h_t/∂h_k is its block that belongs to h: what a change of h_k alone does to h_t, over every path
/// through the cell, also those through c.
///
/// Rows belong to what is differentiated, columns to what it is differentiated by. State 0 is the one before the first
/// step, and state t that after t steps.
///
/// The notes, section 7, figure 23. PyTorch's `torch.func.jacrev` of a cell's step.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::diagnostics::Jacobians;
/// use striate_recurrent::{Cell, LstmCell};
/// use striate_tensor::Tensor;
///
/// let cell = LstmCell::new(&ParamStore::seeded(0).root(), 3, 5);
/// let jacobians = Jacobians::new(&cell, &Tensor::ones(&[20, 1, 3]), &cell.initial(1));
/// assert_eq!(jacobians.step(1).shape(), [10, 10]);
/// assert_eq!(jacobians.between(20, 0).shape(), [5, 5]);
/// let norms = jacobians.norms();
/// assert!(norms[[20, 0]] < norms[[20, 15]], "the gradient vanishes");
/// ```
pub struct Jacobians {
    /// ∂s_1/∂s_0, ∂s_2/∂s_1, …
    steps: Vec<Array2<f64>>,
    /// Where h is in s.
    hidden: Range<usize>,
}

impl Jacobians {
    /// Runs the cell over x (T, 1, I) from a state of one sequence, and differentiates each step.
    ///
    /// # Panics
    /// When x is not (T, 1, I), or the cell does not take it or the state.
    #[track_caller]
    pub fn new<C: Cell<f64>>(cell: &C, x: &Tensor<f64>, state: &C::State) -> Self {
        let mut state = state.detach();
        let hidden = hidden_range(&state);
        let mut jacobians = Vec::new();
        for x in steps(x) {
            assert_eq!(x.shape()[0], 1, "jacobians: one sequence at a time, x is a step {:?}", x.shape());
            let before = state.map(Tensor::requires_grad);
            let after = cell.step(&x, &before);
            jacobians.push(jacobian(&tensors(&after), &tensors(&before)));
            state = after.detach();
        }
        Jacobians { steps: jacobians, hidden }
    }

    /// ∂s_t/∂s_(t−1) (S, S) of the whole state.
    ///
    /// # Panics
    /// When t is 0 or more than T.
    #[track_caller]
    pub fn step(&self, t: usize) -> &Array2<f64> {
        assert!((1..=self.steps.len()).contains(&t), "jacobians: there are steps 1 to {}", self.steps.len());
        &self.steps[t - 1]
    }

    /// ∂h_t/∂h_k (H, H); zeros when t < k, the identity when t = k.
    ///
    /// # Panics
    /// When t or k is more than T.
    #[track_caller]
    pub fn between(&self, t: usize, k: usize) -> Array2<f64> {
        let last = self.steps.len();
        assert!(t.max(k) <= last, "jacobians: there are states 0 to {last}, not {t} and {k}");
        match t.checked_sub(k) {
            Some(lag) => self.since(k).nth(lag).expect("a state for every step"),
            None => Array2::zeros((self.hidden.len(), self.hidden.len())),
        }
    }

    /// ‖∂h_t/∂h_k‖ at [t, k] (T + 1, T + 1), the [spectral norm](spectral_norm); 0 when t < k.
    pub fn norms(&self) -> Array2<f64> {
        let states = self.steps.len() + 1;
        let mut norms = Array2::zeros((states, states));
        for k in 0..states {
            for (t, jacobian) in (k..).zip(self.since(k)) {
                norms[[t, k]] = spectral_norm(&jacobian);
            }
        }
        norms
    }

    /// ∂h_k/∂h_k, ∂h_(k+1)/∂h_k, …, ∂h_T/∂h_k.
    fn since(&self, k: usize) -> impl Iterator<Item = Array2<f64>> {
        let hidden = self.hidden.clone();
        let size = self.steps.first().map_or(hidden.end, Array2::nrows);
        let start = Array2::eye(size).slice_move(s![.., hidden.clone()]);
        let products = self.steps[k..].iter().scan(start.clone(), |product, step| {
            *product = step.dot(product);
            Some(product.clone())
        });
        std::iter::once(start).chain(products).map(move |product| product.slice_move(s![hidden.clone(), ..]))
    }
}

/// ∂y/∂x with all elements of the tensors y, and of the tensors x, one after another.
fn jacobian(y: &[Tensor<f64>], x: &[Tensor<f64>]) -> Array2<f64> {
    let options = GradOptions { retain_graph: true, ..Default::default() };
    let x: Vec<&Tensor<f64>> = x.iter().collect();
    let size = |tensors: &mut dyn Iterator<Item = usize>| tensors.sum();
    let shape: (usize, usize) = (size(&mut y.iter().map(Tensor::len)), size(&mut x.iter().map(|x| x.len())));
    let elements = y.iter().flat_map(|y| {
        let y = y.flatten(0, -1);
        (0..y.len() as isize).map(move |i| y.select(0, i))
    });
    let rows = elements.flat_map(|y| grad(&y, &x, options)).flat_map(|dx| dx.to_vec());
    Array2::from_shape_vec(shape, rows.collect()).expect("a row for every element of y")
}

/// The elements of h among those of all tensors of a state.
fn hidden_range(state: &impl State<f64>) -> Range<usize> {
    let (mut end, mut range) = (0, None);
    state.map(|s| {
        let start = end;
        end += s.len();
        if std::ptr::eq(s, state.hidden()) {
            range = Some(start..end);
        }
        s.clone()
    });
    range.expect("State::map goes over State::hidden")
}
