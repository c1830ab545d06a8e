use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};
use striate_tensor::{GradOptions, Tensor, grad};

use super::spectrum::spectral_norm;
use crate::cells::{Cell, Nonlinearity, RnnCell};
use crate::unroll::steps;

/// A run of a plain RNN over one sequence, and what the equations say of its gradients.
///
/// h_t = φ(a_t), a_t = W_ih x_t + b_ih + W_hh h_(t−1) + b_hh, so that ∂h_t/∂h_(t−1) = diag φ'(a_t) W_hh, whose norm is at
/// most ‖W_hh‖ max |φ'(a_t)|.
///
/// The notes, section 7, figure 23, print W_hhᵀ diag φ'(h_(t−1)) after Pascanu, Mikolov and Bengio 2013, where the state is
/// the sum, a_t = W φ(a_(t−1)) + …, and ∂a_t/∂a_(t−1) = W diag φ'(a_(t−1)). For the RNN of the notes it is not the
/// Jacobian; the bound of the norm is the same.
///
/// States count from 0, the one before the first step, to T.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::diagnostics::{Jacobians, RnnTrace, spectral_radius};
/// use striate_recurrent::{Cell, RnnCell};
/// use striate_tensor::Tensor;
///
/// let cell = RnnCell::new(&ParamStore::seeded(0).root(), 3, 5);
/// let x = Tensor::ones(&[20, 1, 3]);
/// let trace = RnnTrace::new(&cell, &x, &cell.initial(1));
/// assert!(spectral_radius(&trace.jacobian(20))? < 1.0);
///
/// let norms = Jacobians::new(&cell, &x, &cell.initial(1)).norms();
/// assert!(norms[[20, 0]] <= trace.bound(20));
/// # Ok::<(), striate_recurrent::diagnostics::EigenError>(())
/// ```
pub struct RnnTrace {
    /// h_0, …, h_T (T + 1, H)
    pub states: Array2<f64>,
    /// φ'(a_1), …, φ'(a_T) (T, H)
    pub slopes: Array2<f64>,
    /// W_hh (H, H)
    pub weight_hh: Array2<f64>,
}

impl RnnTrace {
    /// Runs the cell over x (T, 1, I) from h_0 (1, H).
    ///
    /// # Panics
    /// When x is not (T, 1, I), or the cell does not take it or the state.
    #[track_caller]
    pub fn new(cell: &RnnCell<f64>, x: &Tensor<f64>, state: &Tensor<f64>) -> Self {
        let hidden = state.len();
        let mut h = state.detach();
        let (mut states, mut slopes) = (h.to_vec(), Vec::new());
        for x in steps(x) {
            assert_eq!(x.shape()[0], 1, "rnn_trace: one sequence at a time, x is a step {:?}", x.shape());
            h = cell.step(&x, &h).detach();
            states.extend(h.to_vec());
            slopes.extend(h.to_vec().into_iter().map(|h| slope(cell.nonlinearity, h)));
        }
        let rows = |values: Vec<f64>| {
            Array2::from_shape_vec((values.len() / hidden, hidden), values).expect("a row for every state")
        };
        let weight_hh = rows(cell.parameters.weight_hh.to_vec());
        RnnTrace { states: rows(states), slopes: rows(slopes), weight_hh }
    }

    /// ∂h_t/∂h_(t−1) = diag φ'(a_t) W_hh (H, H).
    ///
    /// # Panics
    /// When t is 0 or more than T.
    #[track_caller]
    pub fn jacobian(&self, t: usize) -> Array2<f64> {
        self.check(t);
        let slopes = self.slopes.row(t - 1).insert_axis(Axis(1));
        &slopes * &self.weight_hh
    }

    /// η = ‖W_hh‖ max_t ‖diag φ'(a_t)‖, which ‖∂h_t/∂h_(t−1)‖ is nowhere above.
    pub fn eta(&self) -> f64 {
        spectral_norm(&self.weight_hh) * self.slopes.iter().fold(0.0, |max: f64, slope| max.max(slope.abs()))
    }

    /// ‖∂h_t/∂h_k‖ ≤ η^(t − k), for t − k = `lag`.
    pub fn bound(&self, lag: usize) -> f64 {
        self.eta().powf(lag as f64)
    }

    /// What step k = 1, …, t adds to ∂L_t/∂W_hh: ∂L_t/∂h_t · ∂h_t/∂h_k · ∂⁺h_k/∂W_hh at [k − 1] (t, H, H).
    ///
    /// With v = ∂L_t/∂h_t · ∂h_t/∂h_k the term is (v ∘ φ'(a_k)) h_(k−1)ᵀ. Their sum over k is ∂L_t/∂W_hh; `loss` is L_t of
    /// the hidden state (1, H).
    ///
    /// # Panics
    /// When t is 0 or more than T, or the loss is not one number.
    #[track_caller]
    pub fn terms(&self, t: usize, loss: impl FnOnce(&Tensor<f64>) -> Tensor<f64>) -> Array3<f64> {
        self.check(t);
        let mut terms = Array3::zeros((t, self.weight_hh.nrows(), self.weight_hh.nrows()));
        let mut v = loss_gradient(self.states.row(t), loss);
        for k in (1..=t).rev() {
            let da = &v * &self.slopes.row(k - 1);
            let h = self.states.row(k - 1);
            terms.index_axis_mut(Axis(0), k - 1).assign(&(&da.view().insert_axis(Axis(1)) * &h));
            v = da.dot(&self.weight_hh);
        }
        terms
    }

    #[track_caller]
    fn check(&self, t: usize) {
        let last = self.slopes.nrows();
        assert!((1..=last).contains(&t), "rnn_trace: there are steps 1 to {last}, not {t}");
    }
}

/// φ'(a) for h = φ(a)
fn slope(nonlinearity: Nonlinearity, h: f64) -> f64 {
    match nonlinearity {
        Nonlinearity::Tanh => 1.0 - h * h,
        Nonlinearity::Relu => f64::from(h > 0.0),
    }
}

/// ∂L/∂h (H)
#[track_caller]
fn loss_gradient(h: ArrayView1<f64>, loss: impl FnOnce(&Tensor<f64>) -> Tensor<f64>) -> Array1<f64> {
    let h = Tensor::from(h.insert_axis(Axis(0))).requires_grad();
    grad(&loss(&h), &[&h], GradOptions::default())[0].to_vec().into()
}
