use striate_nn::{Init, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{LSTM, Parameters, Sizes, parameters};
use super::shapes::check;

/// One step of a long short-term memory whose gates see the memory itself.
///
/// With (a_i, a_f, a_g, a_o) = W_ih x + b_ih + W_hh h + b_hh: i = σ(a_i + w_ci ∘ c), f = σ(a_f + w_cf ∘ c),
/// c' = f ∘ c + i ∘ tanh a_g, o = σ(a_o + w_co ∘ c'), h' = o ∘ tanh c' for x (N, I), h and c (N, H). The output gate
/// looks at the new memory, the others at the old one.
///
/// Gers and Schmidhuber 2000, whose peepholes join a gate to its own memory alone. PyTorch has none.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, PeepholeLstmCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = PeepholeLstmCell::new(&store.root().sub("lstm"), 5, 7);
/// let (h, c) = cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3));
/// assert_eq!((h.shape(), c.shape()), (&[3, 7][..], &[3, 7][..]));
/// ```
pub struct PeepholeLstmCell<E: Real = f32> {
    /// W_ih (4H, I), W_hh (4H, H), b_ih and b_hh (4H): the gates i, f, g, o.
    pub parameters: Parameters<E>,
    /// w_ci (H), `weight_ci` in the store.
    pub weight_ci: Tensor<E>,
    /// w_cf (H), `weight_cf` in the store.
    pub weight_cf: Tensor<E>,
    /// w_co (H), `weight_co` in the store.
    pub weight_co: Tensor<E>,
}

impl<E: Real> PeepholeLstmCell<E> {
    /// A cell that starts as [`LstmCell`](super::LstmCell) does, peepholes included.
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
        let peephole = |name| path.parameter(name, &[hidden], Init::fan_in(hidden));
        PeepholeLstmCell {
            parameters: parameters(path, "", LSTM, sizes, options),
            weight_ci: peephole("weight_ci"),
            weight_cf: peephole("weight_cf"),
            weight_co: peephole("weight_co"),
        }
    }
}

impl<E: Real> Cell<E> for PeepholeLstmCell<E> {
    type State = (Tensor<E>, Tensor<E>);

    #[track_caller]
    fn step(&self, x: &Tensor<E>, (h, c): &Self::State) -> Self::State {
        let p = &self.parameters;
        check("peephole_lstm_cell", x, p.input(), [("h", h, p.hidden()), ("c", c, p.hidden())]);
        let [i, f, g, o] = (p.of_input(x) + p.of_hidden(h)).chunk(1);
        let i = (i + &self.weight_ci * c).sigmoid();
        let f = (f + &self.weight_cf * c).sigmoid();
        let c = f * c + i * g.tanh();
        let o = (o + &self.weight_co * &c).sigmoid();
        (o * c.tanh(), c)
    }

    fn initial(&self, batch: usize) -> Self::State {
        let zeros = Tensor::zeros(&[batch, self.parameters.hidden()]);
        (zeros.clone(), zeros)
    }
}
