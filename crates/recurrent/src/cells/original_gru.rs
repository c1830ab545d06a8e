use striate_nn::Path;
use striate_nn::layers::linear::linear;
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{GRU, Parameters, Sizes, parameters};
use super::shapes::check;

/// One step of a gated recurrent unit, reset before the product, as it was published.
///
/// r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz),
/// n = tanh(W_in x + b_in + W_hn (r ∘ h) + b_hn), h' = (1 − z) ∘ n + z ∘ h for x (N, I) and h (N, H). As in the paper and
/// in [`GruCell`](super::GruCell), z keeps the old state; Chung et al. 2014 exchange z and 1 − z.
///
/// Cho et al. 2014, section 2.3. Keras's `GRU(reset_after=False)`.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, OriginalGruCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = OriginalGruCell::new(&store.root().sub("gru"), 5, 7);
/// assert_eq!(cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3)).shape(), [3, 7]);
/// ```
pub struct OriginalGruCell<E: Real = f32> {
    /// W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H): the gates r, z, n.
    pub parameters: Parameters<E>,
}

impl<E: Real> OriginalGruCell<E> {
    /// A cell that starts as [`GruCell`](super::GruCell) does.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, CellOptions::default())
    }

    /// A cell with options.
    ///
    /// # Panics
    /// When there is a forget bias.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: CellOptions) -> Self {
        let sizes = Sizes { input, hidden, recurrent: hidden };
        OriginalGruCell { parameters: parameters(path, "", GRU, sizes, options) }
    }
}

impl<E: Real> Cell<E> for OriginalGruCell<E> {
    type State = Tensor<E>;

    #[track_caller]
    fn step(&self, x: &Tensor<E>, h: &Tensor<E>) -> Tensor<E> {
        let p = &self.parameters;
        let hidden = p.hidden();
        check("original_gru_cell", x, p.input(), [("h", h, hidden)]);
        let of_hidden = |h: &Tensor<E>, first: usize, count: usize| {
            let rows = |tensor: &Tensor<E>| tensor.narrow(0, first * hidden, count * hidden);
            linear(h, &rows(&p.weight_hh), p.bias_hh.as_ref().map(rows).as_ref())
        };
        let [ir, iz, i_n] = p.of_input(x).chunk(1);
        let [hr, hz] = of_hidden(h, 0, 2).chunk(1);
        let r = (ir + hr).sigmoid();
        let z = (iz + hz).sigmoid();
        let n = (i_n + of_hidden(&(r * h), 2, 1)).tanh();
        (1.0 - &z) * n + z * h
    }

    fn initial(&self, batch: usize) -> Tensor<E> {
        Tensor::zeros(&[batch, self.parameters.hidden()])
    }
}
