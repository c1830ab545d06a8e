use striate_nn::layers::linear::linear;
use striate_nn::{LayerNorm, LayerNormOptions, Module, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{LSTM, Parameters, Sizes, parameters, shift};
use super::shapes::check;

/// One step of a long short-term memory with normalised products and a normalised memory.
///
/// (i, f, g, o) = (σ, σ, tanh, σ)(LN(W_ih x) + b_ih + LN(W_hh h) + b_hh), c' = f ∘ c + i ∘ g, h' = o ∘ tanh(LN(c')) for
/// x (N, I), h and c (N, H). LN(a) = γ ∘ (a − mean a) / √(var a + 10⁻⁵) over all features: those of the products run
/// over the 4H of the four gates, and their shifts are b_ih and b_hh. What is carried is c', not LN(c').
///
/// Ba, Kiros and Hinton 2016, supplementary material. PyTorch has none.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, LayerNormLstmCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = LayerNormLstmCell::new(&store.root().sub("lstm"), 5, 7);
/// let (h, c) = cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3));
/// assert_eq!((h.shape(), c.shape()), (&[3, 7][..], &[3, 7][..]));
/// ```
pub struct LayerNormLstmCell<E: Real = f32> {
    /// W_ih (4H, I), W_hh (4H, H), b_ih and b_hh (4H): the gates i, f, g, o.
    pub parameters: Parameters<E>,
    /// γ (4H) of W_ih x, `norm_ih.weight` in the store.
    pub norm_ih: LayerNorm<E>,
    /// γ (4H) of W_hh h, `norm_hh.weight` in the store.
    pub norm_hh: LayerNorm<E>,
    /// γ and β (H) of c', `norm_c.weight` and `norm_c.bias` in the store.
    pub norm_c: LayerNorm<E>,
}

impl<E: Real> LayerNormLstmCell<E> {
    /// A cell that starts as [`LstmCell`](super::LstmCell) does, with γ = 1 and β = 0.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, CellOptions::default())
    }

    /// A cell with options; without a bias, there is no β either.
    ///
    /// # Panics
    /// When there is a forget bias, but no bias.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: CellOptions) -> Self {
        let sizes = Sizes { input, hidden, recurrent: hidden };
        let norm = |name, width: usize, bias| {
            LayerNorm::with(&path.sub(name), &[width], LayerNormOptions { bias, ..Default::default() })
        };
        LayerNormLstmCell {
            parameters: parameters(path, "", LSTM, sizes, options),
            norm_ih: norm("norm_ih", LSTM.count * hidden, false),
            norm_hh: norm("norm_hh", LSTM.count * hidden, false),
            norm_c: norm("norm_c", hidden, options.bias),
        }
    }
}

impl<E: Real> Cell<E> for LayerNormLstmCell<E> {
    type State = (Tensor<E>, Tensor<E>);

    #[track_caller]
    fn step(&self, x: &Tensor<E>, (h, c): &Self::State) -> Self::State {
        let p = &self.parameters;
        check("layer_norm_lstm_cell", x, p.input(), [("h", h, p.hidden()), ("c", c, p.hidden())]);
        let of_input = shift(self.norm_ih.forward(&linear(x, &p.weight_ih, None)), p.bias_ih.as_ref());
        let of_hidden = shift(self.norm_hh.forward(&linear(h, &p.weight_hh, None)), p.bias_hh.as_ref());
        let [i, f, g, o] = (of_input + of_hidden).chunk(1);
        let c = f.sigmoid() * c + i.sigmoid() * g.tanh();
        (o.sigmoid() * self.norm_c.forward(&c).tanh(), c)
    }

    fn initial(&self, batch: usize) -> Self::State {
        let zeros = Tensor::zeros(&[batch, self.parameters.hidden()]);
        (zeros.clone(), zeros)
    }
}
