use ndarray::{ArrayD, Axis};
use striate_tensor::{GradOptions, Tensor, grad};

use crate::cells::{Cell, State};
use crate::unroll::steps;

/// ∂L_t/∂W for every step t: what each step's loss adds to ∂L/∂W.
///
/// ∂L/∂W = Σ_t ∂L_t/∂W for a `parameter` W of any shape: x (T, N, I) gives (T, *W), whose sum along axis 0 is ∂L/∂W.
/// `loss(t, h_t)` is L_t of the hidden state (N, H) after step t = 0, …, T − 1. Each L_t is differentiated by itself,
/// which takes of the order of T² steps.
///
/// # Panics
/// When x is not (T, N, I) with at least one step, the cell does not take it, or a loss is not one number.
///
/// The notes, section 7: "Backprop".
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::diagnostics::gradients_by_step;
/// use striate_recurrent::{Cell, RnnCell};
/// use striate_tensor::Tensor;
///
/// let cell = RnnCell::new(&ParamStore::seeded(0).root(), 3, 5);
/// let w = &cell.parameters.weight_hh;
/// let by_step = gradients_by_step(&cell, &Tensor::ones(&[8, 1, 3]), &cell.initial(1), w, |_, h| h.square().sum());
/// assert_eq!(by_step.shape(), [8, 5, 5]);
/// ```
#[track_caller]
pub fn gradients_by_step<C: Cell<f64>>(
    cell: &C,
    x: &Tensor<f64>,
    state: &C::State,
    parameter: &Tensor<f64>,
    mut loss: impl FnMut(usize, &Tensor<f64>) -> Tensor<f64>,
) -> ArrayD<f64> {
    let options = GradOptions { retain_graph: true, ..Default::default() };
    let mut state = state.clone();
    let mut gradients = Vec::new();
    for (t, x) in steps(x).enumerate() {
        state = cell.step(&x, &state);
        let [gradient] = grad(&loss(t, state.hidden()), &[parameter], options)
            .try_into()
            .expect("one gradient for one parameter");
        gradients.push(gradient.to_ndarray());
    }
    let views: Vec<_> = gradients.iter().map(|gradient| gradient.view()).collect();
    ndarray::stack(Axis(0), &views).expect("at least one step")
}
