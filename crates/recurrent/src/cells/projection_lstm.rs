use striate_nn::layers::linear::linear;
use striate_nn::{Init, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{LSTM, Parameters, Sizes, parameters};
use super::shapes::check;

/// One step of a long short-term memory that shows less than it remembers.
///
/// (i, f, g, o) = (σ, σ, tanh, σ)(W_ih x + b_ih + W_hh h + b_hh), c' = f ∘ c + i ∘ g, h' = W_hr (o ∘ tanh c') for
/// x (N, I), h (N, P) and c (N, H).
///
/// Sak, Senior and Beaufays 2014. A step of PyTorch's `nn.LSTM` with `proj_size`.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, ProjectionLstmCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = ProjectionLstmCell::new(&store.root().sub("lstm"), 5, 7, 2);
/// let (h, c) = cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3));
/// assert_eq!((h.shape(), c.shape()), (&[3, 2][..], &[3, 7][..]));
/// ```
pub struct ProjectionLstmCell<E: Real = f32> {
    /// W_ih (4H, I), W_hh (4H, P), b_ih and b_hh (4H): the gates i, f, g, o.
    pub parameters: Parameters<E>,
    /// W_hr (P, H), `weight_hr` in the store.
    pub weight_hr: Tensor<E>,
}

impl<E: Real> ProjectionLstmCell<E> {
    /// A cell with PyTorch's defaults, whose h has `projection` features.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize, projection: usize) -> Self {
        Self::with(path, input, hidden, projection, CellOptions::default())
    }

    /// A cell with options.
    ///
    /// # Panics
    /// When there is a forget bias, but no bias.
    #[track_caller]
    pub fn with(
        path: &Path<E>,
        input: usize,
        hidden: usize,
        projection: usize,
        options: CellOptions,
    ) -> Self {
        let sizes = Sizes { input, hidden, recurrent: projection };
        ProjectionLstmCell {
            parameters: parameters(path, "", LSTM, sizes, options),
            weight_hr: path.parameter("weight_hr", &[projection, hidden], Init::fan_in(hidden)),
        }
    }
}

impl<E: Real> Cell<E> for ProjectionLstmCell<E> {
    type State = (Tensor<E>, Tensor<E>);

    #[track_caller]
    fn step(&self, x: &Tensor<E>, (h, c): &Self::State) -> Self::State {
        let p = &self.parameters;
        let hidden = self.weight_hr.shape()[1];
        check("projection_lstm_cell", x, p.input(), [("h", h, p.hidden()), ("c", c, hidden)]);
        let [i, f, g, o] = (p.of_input(x) + p.of_hidden(h)).chunk(1);
        let c = f.sigmoid() * c + i.sigmoid() * g.tanh();
        (linear(&(o.sigmoid() * c.tanh()), &self.weight_hr, None), c)
    }

    fn initial(&self, batch: usize) -> Self::State {
        let features = |tensor: &Tensor<E>, axis: usize| Tensor::zeros(&[batch, tensor.shape()[axis]]);
        (features(&self.weight_hr, 0), features(&self.weight_hr, 1))
    }
}
