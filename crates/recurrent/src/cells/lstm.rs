use striate_nn::Path;
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{LSTM, Parameters, Sizes, parameters};
use super::shapes::check;

/// One step of a long short-term memory.
///
/// (i, f, g, o) = (σ, σ, tanh, σ)(W_ih x + b_ih + W_hh h + b_hh), c' = f ∘ c + i ∘ g, h' = o ∘ tanh c' for x (N, I),
/// h and c (N, H). Along c alone the gradient is dc = f ∘ dc': it passes a step without a matrix.
///
/// The notes, section 7. Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000.
/// PyTorch's `nn.LSTMCell`.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, CellOptions, LstmCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let remembering = CellOptions { forget_bias: Some(1.0), ..Default::default() };
/// let cell = LstmCell::with(&store.root().sub("lstm"), 5, 7, remembering);
/// let (h, c) = cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3));
/// assert_eq!((h.shape(), c.shape()), (&[3, 7][..], &[3, 7][..]));
/// ```
pub struct LstmCell<E: Real = f32> {
    /// W_ih (4H, I), W_hh (4H, H), b_ih and b_hh (4H): the gates i, f, g, o.
    pub parameters: Parameters<E>,
}

impl<E: Real> LstmCell<E> {
    /// A cell with PyTorch's defaults.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, CellOptions::default())
    }

    /// A cell with options.
    ///
    /// # Panics
    /// When there is a forget bias, but no bias.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: CellOptions) -> Self {
        let sizes = Sizes { input, hidden, recurrent: hidden };
        LstmCell { parameters: parameters(path, "", LSTM, sizes, options) }
    }
}

impl<E: Real> Cell<E> for LstmCell<E> {
    type State = (Tensor<E>, Tensor<E>);

    #[track_caller]
    fn step(&self, x: &Tensor<E>, (h, c): &Self::State) -> Self::State {
        let p = &self.parameters;
        check("lstm_cell", x, p.input(), [("h", h, p.hidden()), ("c", c, p.hidden())]);
        let [i, f, g, o] = (p.of_input(x) + p.of_hidden(h)).chunk(1);
        let c = f.sigmoid() * c + i.sigmoid() * g.tanh();
        (o.sigmoid() * c.tanh(), c)
    }

    fn initial(&self, batch: usize) -> Self::State {
        let zeros = Tensor::zeros(&[batch, self.parameters.hidden()]);
        (zeros.clone(), zeros)
    }
}
