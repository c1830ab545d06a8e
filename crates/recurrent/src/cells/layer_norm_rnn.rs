use striate_nn::{LayerNorm, LayerNormOptions, Module, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{Parameters, RNN, Sizes, parameters};
use super::rnn::{Nonlinearity, RnnCellOptions};
use super::shapes::check;

/// One step of a plain recurrent network with normalised sums.
///
/// h' = φ(LN(W_ih x + W_hh h)) with LN(a) = γ ∘ (a − mean a) / √(var a + 10⁻⁵) + b over the features, for x (N, I) and
/// h (N, H).
///
/// Ba, Kiros and Hinton 2016, section 3.1. PyTorch has none.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, LayerNormRnnCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = LayerNormRnnCell::new(&store.root().sub("cell"), 5, 7);
/// assert_eq!(cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3)).shape(), [3, 7]);
/// ```
pub struct LayerNormRnnCell<E: Real = f32> {
    /// W_ih (H, I) and W_hh (H, H), without biases: `norm` has the one that counts.
    pub parameters: Parameters<E>,
    /// γ and b (H), `norm.weight` and `norm.bias` in the store.
    pub norm: LayerNorm<E>,
    nonlinearity: Nonlinearity,
}

impl<E: Real> LayerNormRnnCell<E> {
    /// A cell with tanh and a bias.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, RnnCellOptions::default())
    }

    /// A cell with options; the bias is b, which starts at 0.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: RnnCellOptions) -> Self {
        let RnnCellOptions { nonlinearity, bias, recurrent_init } = options;
        let sizes = Sizes { input, hidden, recurrent: hidden };
        let unbiased = CellOptions { bias: false, recurrent_init, ..Default::default() };
        let norm = LayerNormOptions { bias, ..Default::default() };
        LayerNormRnnCell {
            parameters: parameters(path, "", RNN, sizes, unbiased),
            norm: LayerNorm::with(&path.sub("norm"), &[hidden], norm),
            nonlinearity,
        }
    }
}

impl<E: Real> Cell<E> for LayerNormRnnCell<E> {
    type State = Tensor<E>;

    #[track_caller]
    fn step(&self, x: &Tensor<E>, h: &Tensor<E>) -> Tensor<E> {
        let p = &self.parameters;
        check("layer_norm_rnn_cell", x, p.input(), [("h", h, p.hidden())]);
        self.nonlinearity.apply(&self.norm.forward(&(p.of_input(x) + p.of_hidden(h))))
    }

    fn initial(&self, batch: usize) -> Tensor<E> {
        Tensor::zeros(&[batch, self.parameters.hidden()])
    }
}
