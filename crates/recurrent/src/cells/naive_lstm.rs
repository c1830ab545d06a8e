use striate_nn::Path;
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{Parameters, RNN, Sizes, parameters};
use super::shapes::check;

/// One step of a memory without gates.
///
/// c' = W c + W_g g, h' = tanh c' for the input g (N, I) and c (N, H); dc = (dc' + (1 − h'²) ∘ dh') W. The memory is
/// linear, so that its gradient passes no tanh, but it still grows or shrinks with the eigenvalues of W.
///
/// The notes, section 7: "Naive LSTM".
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, NaiveLstmCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = NaiveLstmCell::new(&store.root().sub("memory"), 5, 7);
/// let (h, c) = cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3));
/// assert_eq!(h.to_vec(), c.tanh().to_vec());
/// ```
pub struct NaiveLstmCell<E: Real = f32> {
    /// W_g (H, I) as W_ih and W (H, H) as W_hh, b_ih and b_hh (H).
    pub parameters: Parameters<E>,
}

impl<E: Real> NaiveLstmCell<E> {
    /// The cell of the notes, without bias.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, CellOptions { bias: false, ..Default::default() })
    }

    /// A cell with options; a bias is added to c'.
    ///
    /// # Panics
    /// When there is a forget bias.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: CellOptions) -> Self {
        let sizes = Sizes { input, hidden, recurrent: hidden };
        NaiveLstmCell { parameters: parameters(path, "", RNN, sizes, options) }
    }
}

impl<E: Real> Cell<E> for NaiveLstmCell<E> {
    type State = (Tensor<E>, Tensor<E>);

    #[track_caller]
    fn step(&self, g: &Tensor<E>, (_, c): &Self::State) -> Self::State {
        let p = &self.parameters;
        check("naive_lstm_cell", g, p.input(), [("c", c, p.hidden())]);
        let c = p.of_hidden(c) + p.of_input(g);
        (c.tanh(), c)
    }

    fn initial(&self, batch: usize) -> Self::State {
        let zeros = Tensor::zeros(&[batch, self.parameters.hidden()]);
        (zeros.clone(), zeros)
    }
}
