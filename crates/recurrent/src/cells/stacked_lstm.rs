use striate_nn::layers::linear::linear;
use striate_nn::{Init, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{Gates, gate_bias};
use super::shapes::check;

/// i, f, o, g
const GATES: Gates = Gates { count: 4, forget: Some(1) };

/// One step of a long short-term memory whose weight is one matrix, for x and h stacked.
///
/// (i, f, o, g) = (σ, σ, σ, tanh)(W (x; h) + b), c' = f ∘ c + i ∘ g, h' = o ∘ tanh c' for x (N, I), which is h of the
/// layer below, h and c (N, H). An [`LstmCell`](super::LstmCell) with W_ih and W_hh side by side, o before g.
///
/// The notes, section 7: "RNN vs. LSTM", where W is [4n × 2n].
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, StackedLstmCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = StackedLstmCell::new(&store.root().sub("lstm"), 6, 6);
/// assert_eq!(cell.weight.shape(), [4 * 6, 2 * 6]);
/// let (h, c) = cell.step(&Tensor::ones(&[3, 6]), &cell.initial(3));
/// assert_eq!((h.shape(), c.shape()), (&[3, 6][..], &[3, 6][..]));
/// ```
pub struct StackedLstmCell<E: Real = f32> {
    /// W (4H, I + H), `weight` in the store: the gates i, f, o, g.
    pub weight: Tensor<E>,
    /// b (4H), `bias` in the store.
    pub bias: Option<Tensor<E>>,
}

impl<E: Real> StackedLstmCell<E> {
    /// The cell of the notes, without bias.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, CellOptions { bias: false, ..Default::default() })
    }

    /// A cell with options.
    ///
    /// # Panics
    /// When there is a forget bias, but no bias.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: CellOptions) -> Self {
        options.check(GATES);
        let CellOptions { bias, forget_bias, recurrent_init } = options;
        let (width, shape) = (input + hidden, [GATES.count * hidden, input + hidden]);
        let weight = path.parameter_with("weight", &shape, |rng| {
            let mut weight = Init::fan_in(hidden).draw(&shape, rng);
            if let Some(init) = recurrent_init {
                for gate in weight.make_mut().chunks_exact_mut((hidden * width).max(1)) {
                    let block = init.draw(&[hidden, hidden], rng).to_vec();
                    let rows = gate.chunks_exact_mut(width).zip(block.chunks_exact(hidden));
                    rows.for_each(|(row, block)| row[input..].copy_from_slice(block));
                }
            }
            weight
        });
        let bias = bias.then(|| gate_bias(path, "bias", GATES, hidden, forget_bias));
        StackedLstmCell { weight, bias }
    }

    fn hidden(&self) -> usize {
        self.weight.shape()[0] / GATES.count
    }
}

impl<E: Real> Cell<E> for StackedLstmCell<E> {
    type State = (Tensor<E>, Tensor<E>);

    #[track_caller]
    fn step(&self, x: &Tensor<E>, (h, c): &Self::State) -> Self::State {
        let hidden = self.hidden();
        let input = self.weight.shape()[1] - hidden;
        check("stacked_lstm_cell", x, input, [("h", h, hidden), ("c", c, hidden)]);
        let stacked = Tensor::concat(&[x, h], 1);
        let [i, f, o, g] = linear(&stacked, &self.weight, self.bias.as_ref()).chunk(1);
        let c = f.sigmoid() * c + i.sigmoid() * g.tanh();
        (o.sigmoid() * c.tanh(), c)
    }

    fn initial(&self, batch: usize) -> Self::State {
        let zeros = Tensor::zeros(&[batch, self.hidden()]);
        (zeros.clone(), zeros)
    }
}
