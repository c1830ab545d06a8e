use striate_nn::{Init, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{Parameters, RNN, Sizes, parameters};
use super::shapes::check;

/// What bounds, or rectifies, the state of a plain recurrent network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nonlinearity {
    /// tanh a
    #[default]
    Tanh,
    /// max(0, a)
    Relu,
}

impl Nonlinearity {
    /// φ(a)
    pub(super) fn apply<E: Real>(self, a: &Tensor<E>) -> Tensor<E> {
        match self {
            Nonlinearity::Tanh => a.tanh(),
            Nonlinearity::Relu => a.relu(),
        }
    }
}

/// Options of an [`RnnCell`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RnnCellOptions {
    /// φ, tanh unless said otherwise.
    pub nonlinearity: Nonlinearity,
    /// Whether b_ih and b_hh are there.
    pub bias: bool,
    /// How W_hh (H, H) starts, such as orthogonal: U(±1/√H) when `None`, as in PyTorch.
    pub recurrent_init: Option<Init>,
}

impl Default for RnnCellOptions {
    fn default() -> Self {
        RnnCellOptions { nonlinearity: Nonlinearity::Tanh, bias: true, recurrent_init: None }
    }
}

/// One step of a plain recurrent network.
///
/// h' = φ(W_ih x + b_ih + W_hh h + b_hh) for x (N, I) and h (N, H). With a for the sum inside φ, dh = (φ'(a) ∘ dh') W_hh:
/// the gradient of an early state is a product of one such factor per step.
///
/// The notes, section 7: "Vanilla RNN", whose read-out ŷ = W_hy h is a [`Linear`](striate_nn::Linear). Elman 1990.
/// PyTorch's `nn.RNNCell`.
///
/// ```
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_recurrent::{Cell, RnnCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = RnnCell::new(&store.root().sub("cell"), 5, 7);
/// let read_out = Linear::new(&store.root().sub("read_out"), 7, 2);
///
/// let mut h = cell.initial(3);
/// for x in [Tensor::ones(&[3, 5]), Tensor::zeros(&[3, 5])] {
///     h = cell.step(&x, &h);
///     assert_eq!(read_out.forward(&h).shape(), [3, 2]);
/// }
/// ```
pub struct RnnCell<E: Real = f32> {
    /// W_ih (H, I), W_hh (H, H), b_ih and b_hh (H).
    pub parameters: Parameters<E>,
    /// φ
    pub nonlinearity: Nonlinearity,
}

impl<E: Real> RnnCell<E> {
    /// A cell with PyTorch's defaults: tanh, with biases.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, RnnCellOptions::default())
    }

    /// A cell with options.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: RnnCellOptions) -> Self {
        let RnnCellOptions { nonlinearity, bias, recurrent_init } = options;
        let options = CellOptions { bias, recurrent_init, ..Default::default() };
        let sizes = Sizes { input, hidden, recurrent: hidden };
        RnnCell { parameters: parameters(path, "", RNN, sizes, options), nonlinearity }
    }
}

impl<E: Real> Cell<E> for RnnCell<E> {
    type State = Tensor<E>;

    #[track_caller]
    fn step(&self, x: &Tensor<E>, h: &Tensor<E>) -> Tensor<E> {
        let p = &self.parameters;
        check("rnn_cell", x, p.input(), [("h", h, p.hidden())]);
        self.nonlinearity.apply(&(p.of_input(x) + p.of_hidden(h)))
    }

    fn initial(&self, batch: usize) -> Tensor<E> {
        Tensor::zeros(&[batch, self.parameters.hidden()])
    }
}
