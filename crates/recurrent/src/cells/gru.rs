use striate_nn::Path;
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{GRU, Parameters, Sizes, parameters};
use super::shapes::check;

/// One step of a gated recurrent unit, reset after the product.
///
/// r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz),
/// n = tanh(W_in x + b_in + r ∘ (W_hn h + b_hn)), h' = (1 − z) ∘ n + z ∘ h for x (N, I) and h (N, H): z keeps the old
/// state. One product with h does for all gates; [`OriginalGruCell`](super::OriginalGruCell) needs two.
///
/// Cho et al. 2014, in the form of PyTorch's `nn.GRUCell`.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, GruCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = GruCell::new(&store.root().sub("gru"), 5, 7);
/// assert_eq!(cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3)).shape(), [3, 7]);
/// ```
pub struct GruCell<E: Real = f32> {
    /// W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H): the gates r, z, n.
    pub parameters: Parameters<E>,
}

impl<E: Real> GruCell<E> {
    /// A cell with PyTorch's defaults.
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
        GruCell { parameters: parameters(path, "", GRU, sizes, options) }
    }
}

impl<E: Real> Cell<E> for GruCell<E> {
    type State = Tensor<E>;

    #[track_caller]
    fn step(&self, x: &Tensor<E>, h: &Tensor<E>) -> Tensor<E> {
        let p = &self.parameters;
        check("gru_cell", x, p.input(), [("h", h, p.hidden())]);
        let [ir, iz, i_n] = p.of_input(x).chunk(1);
        let [hr, hz, hn] = p.of_hidden(h).chunk(1);
        let r = (ir + hr).sigmoid();
        let z = (iz + hz).sigmoid();
        let n = (i_n + r * hn).tanh();
        (1.0 - &z) * n + z * h
    }

    fn initial(&self, batch: usize) -> Tensor<E> {
        Tensor::zeros(&[batch, self.parameters.hidden()])
    }
}
