use std::marker::PhantomData;

use striate_nn::{Dropout, Module, Path, observe};
use striate_tensor::{Real, Tensor};

use super::architecture::{
    Architecture, GruArchitecture, LayerState, LstmArchitecture, ReluArchitecture, TanhArchitecture,
};
use super::packed::{PackedSequence, check_lengths};
use crate::cells::parameters::{GRU, Gates, LSTM, RNN, Sizes, parameters};
use crate::cells::{CellOptions, Parameters, State};
use crate::error::RecurrentError;
use crate::expect::expect;
use crate::kernels::{Kind, Stream, Weights};
use crate::ops::recurrence;

/// Options of a [`SequenceLayer`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SequenceOptions {
    /// L: layers one above the other; 1 unless said otherwise. PyTorch's `num_layers`.
    pub layers: usize,
    /// Whether a second run reads each sequence from its end; y has the features of both.
    pub bidirectional: bool,
    /// Probability of dropping a feature between two layers, in training.
    pub dropout: f64,
    /// Whether x and y are (N, T, ·) instead of (T, N, ·). States are (L·D, N, H) in any case.
    pub batch_first: bool,
    /// How each layer starts, and whether it has biases.
    pub cell: CellOptions,
}

impl Default for SequenceOptions {
    fn default() -> Self {
        let cell = CellOptions::default();
        SequenceOptions { layers: 1, bidirectional: false, dropout: 0.0, batch_first: false, cell }
    }
}

/// Recurrent layers that run whole sequences: [`Rnn`], [`ReluRnn`], [`Lstm`] or [`Gru`].
///
/// s_t = f(s_(t−1), x_t; θ) in each of L layers and D directions, each above the one before; y has the h of the last
/// layer at each step. The products with x of all steps are one GEMM, gates and activations one pass, and the gradient
/// is back-propagation through time.
///
/// Shapes: x (T, N, I) → y (T, N, D·H), states (L·D, N, H) with forward and backward alternating, as in PyTorch.
/// Parameters have PyTorch's names (`weight_ih_l0`, `weight_hh_l0_reverse`, …), so that a `state_dict` loads as it is.
/// For gradients of gradients, [`unroll`](crate::unroll) the cell instead.
pub struct SequenceLayer<A: Architecture, E: Real = f32> {
    /// Of each layer the directions: one, or forward and backward.
    parameters: Vec<Vec<Parameters<E>>>,
    dropout: Vec<Dropout>,
    input: usize,
    hidden: usize,
    batch_first: bool,
    name: String,
    architecture: PhantomData<A>,
}

/// h_t = tanh(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh). Elman 1990; the notes, section 7; PyTorch's `nn.RNN`.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_recurrent::Rnn;
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let rnn = Rnn::new(&store.root().sub("rnn"), 3, 8);
/// assert_eq!(rnn.forward(&Tensor::ones(&[5, 2, 3])).shape(), [5, 2, 8]);
/// ```
pub type Rnn<E = f32> = SequenceLayer<TanhArchitecture, E>;

/// h_t = max(0, W_ih x_t + b_ih + W_hh h_(t−1) + b_hh). PyTorch's `nn.RNN` with `nonlinearity='relu'`.
pub type ReluRnn<E = f32> = SequenceLayer<ReluArchitecture, E>;

/// (i, f, g, o) = (σ, σ, tanh, σ)(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh), c_t = f∘c_(t−1) + i∘g, h_t = o∘tanh c_t.
/// Hochreiter and Schmidhuber 1997; the notes, section 7; PyTorch's `nn.LSTM`.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Lstm, SequenceOptions};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let options = SequenceOptions { layers: 2, bidirectional: true, ..Default::default() };
/// let lstm = Lstm::with(&store.root().sub("lstm"), 3, 8, options);
/// let (y, (h, c)) = lstm.run(&Tensor::ones(&[5, 2, 3]), &lstm.zero_state(2));
/// assert_eq!((y.shape(), h.shape(), c.shape()), (&[5, 2, 16][..], &[4, 2, 8][..], &[4, 2, 8][..]));
/// ```
pub type Lstm<E = f32> = SequenceLayer<LstmArchitecture, E>;

/// r and z = σ(W_i x_t + b_i + W_h h_(t−1) + b_h), n = tanh(W_in x_t + b_in + r∘(W_hn h_(t−1) + b_hn)),
/// h_t = (1 − z)∘n + z∘h_(t−1). Cho et al. 2014; PyTorch's `nn.GRU`.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::Gru;
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let gru = Gru::new(&store.root().sub("gru"), 3, 8);
/// // Two sequences of 5 and 2 steps, padded to 5: h is that after the last step of each.
/// let (y, h) = gru.run_padded(&Tensor::ones(&[5, 2, 3]), &[5, 2], &gru.zero_state(2));
/// assert_eq!(y.select(0, 1).select(0, 1).to_vec(), h.select(0, 0).select(0, 1).to_vec());
/// ```
pub type Gru<E = f32> = SequenceLayer<GruArchitecture, E>;

impl<A: Architecture, E: Real> SequenceLayer<A, E> {
    /// One layer in one direction, with PyTorch's defaults.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, SequenceOptions::default())
    }

    /// Layers with options.
    ///
    /// # Panics
    /// When there is no layer or no unit, the dropout is no probability, or a forget bias is asked for without a forget
    /// gate or without biases.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: SequenceOptions) -> Self {
        let SequenceOptions { layers, bidirectional, dropout, batch_first, cell } = options;
        assert!(layers > 0 && hidden > 0, "{}: there must be at least one layer and one unit", A::LAYER);
        let suffixes: &[&str] = if bidirectional { &["", "_reverse"] } else { &[""] };
        let gates = gates(A::KIND);
        let layer = |l: usize| {
            let input = if l == 0 { input } else { suffixes.len() * hidden };
            let sizes = Sizes { input, hidden, recurrent: hidden };
            let direction = |suffix| parameters(path, &format!("_l{l}{suffix}"), gates, sizes, cell);
            suffixes.iter().map(direction).collect()
        };
        SequenceLayer {
            parameters: (0..layers).map(layer).collect(),
            dropout: (1..layers).map(|_| Dropout::new(path, dropout)).collect(),
            input,
            hidden,
            batch_first,
            name: path.name().to_string(),
            architecture: PhantomData,
        }
    }

    /// The state before the first step of N sequences: zeros.
    pub fn zero_state(&self, batch: usize) -> A::State<E> {
        let zeros = || Tensor::zeros(&self.state_shape(batch));
        A::State::join(zeros(), A::KIND.has_cell().then(zeros))
    }

    /// y and the last state for x, from `state` on.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn run(&self, x: &Tensor<E>, state: &A::State<E>) -> (Tensor<E>, A::State<E>) {
        let [steps, batch] = expect(A::LAYER, self.steps_and_batch(x.shape()));
        self.run_padded(x, &vec![steps; batch], state)
    }

    /// [`SequenceLayer::run`] over sequences of which only the first `lengths` steps count: y is 0 after them, and the
    /// state is that after the last step of each. A backward direction starts at the end of each sequence.
    ///
    /// # Panics
    /// When the shapes do not fit, or a length is not in 1..=T: [`SequenceLayer::check_input`] tells before.
    #[track_caller]
    pub fn run_padded(
        &self,
        x: &Tensor<E>,
        lengths: &[usize],
        state: &A::State<E>,
    ) -> (Tensor<E>, A::State<E>) {
        let [steps, _] = expect(A::LAYER, self.steps_and_batch(x.shape()));
        let time_first = |x: &Tensor<E>| if self.batch_first { x.transpose(0, 1) } else { x.clone() };
        let packed = expect(A::LAYER, PackedSequence::pack(&time_first(x), lengths));
        let (y, state) = self.run_packed(&packed, state);
        let y = time_first(&y.pad_to(steps));
        (observe::layer(&self.name, A::LAYER, y), state)
    }

    /// [`SequenceLayer::run`] over packed sequences; states are in the order in which the sequences came.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn run_packed(&self, x: &PackedSequence<E>, state: &A::State<E>) -> (PackedSequence<E>, A::State<E>) {
        let features = x.data().shape()[1];
        if features != self.input {
            let (expected, shape) = ("packed rows", x.data().shape().to_vec());
            return expect(A::LAYER, Err(RecurrentError::Input { expected, features: self.input, shape }));
        }
        let (h, c) = (state.hidden(), state.cell());
        let expected = self.state_shape(x.batch());
        for (what, tensor) in [("h", Some(h)), ("c", c)] {
            if let Some(tensor) = tensor.filter(|tensor| tensor.shape() != expected) {
                let (expected, shape) = (expected.to_vec(), tensor.shape().to_vec());
                return expect(A::LAYER, Err(RecurrentError::Shape { what, expected, shape }));
            }
        }
        let mut y = x.clone();
        let (mut last_h, mut last_c) = (Vec::new(), Vec::new());
        for (l, directions) in self.parameters.iter().enumerate() {
            if l > 0 {
                y = y.with_data(self.dropout[l - 1].forward(y.data()));
            }
            let of_layer = |state: &Tensor<E>| state.narrow(0, l * directions.len(), directions.len());
            let layer = recurrence(A::KIND, &y, &of_layer(h), c.map(of_layer).as_ref(), directions);
            y = layer.y;
            last_h.push(layer.h);
            last_c.extend(layer.c);
        }
        let join = |states: &[Tensor<E>]| Tensor::concat(&states.iter().collect::<Vec<_>>(), 0);
        (y, A::State::join(join(&last_h), A::KIND.has_cell().then(|| join(&last_c))))
    }

    /// Whether [`SequenceLayer::run_padded`] takes an x of this shape with these lengths: for what comes from outside.
    ///
    /// # Errors
    /// Names what does not fit.
    pub fn check_input(&self, shape: &[usize], lengths: &[usize]) -> Result<(), RecurrentError> {
        let [steps, batch] = self.steps_and_batch(shape)?;
        check_lengths(lengths, steps, batch)
    }

    /// The layers driven one step at a time, without a tape, with the parameters as they are now.
    ///
    /// # Errors
    /// When they read sequences in both directions, which a stream has not.
    ///
    /// ```
    /// use striate_nn::ParamStore;
    /// use striate_recurrent::Lstm;
    ///
    /// let store = ParamStore::<f32>::seeded(0);
    /// let lstm = Lstm::new(&store.root().sub("lstm"), 3, 8);
    /// let mut stream = lstm.stream()?;
    /// for x in [[0.0, 1.0, 0.5], [1.0, 0.0, 0.5]] {
    ///     assert_eq!(stream.step(&x)?.len(), 8);
    /// }
    /// # Ok::<(), striate_recurrent::RecurrentError>(())
    /// ```
    pub fn stream(&self) -> Result<Stream<E>, RecurrentError> {
        let mut stream: Option<Stream<E>> = None;
        for directions in &self.parameters {
            let [p] = &directions[..] else { return Err(RecurrentError::Bidirectional) };
            let [ih, hh] = [&p.weight_ih, &p.weight_hh].map(Tensor::to_vec);
            let [bias_ih, bias_hh] = [&p.bias_ih, &p.bias_hh].map(|bias| bias.as_ref().map(Tensor::to_vec));
            let weights =
                Weights { ih: &ih, hh: &hh, bias_ih: bias_ih.as_deref(), bias_hh: bias_hh.as_deref() };
            stream = Some(match stream {
                None => Stream::new(A::KIND, self.input, self.hidden, &weights)?,
                Some(below) => below.then(A::KIND, self.hidden, &weights)?,
            });
        }
        Ok(stream.expect("there is a layer"))
    }

    fn state_shape(&self, batch: usize) -> [usize; 3] {
        [self.parameters.len() * self.parameters[0].len(), batch, self.hidden]
    }

    /// T and N of an x that fits.
    fn steps_and_batch(&self, shape: &[usize]) -> Result<[usize; 2], RecurrentError> {
        match *shape {
            [a, b, features] if features == self.input => {
                if a * b == 0 {
                    return Err(RecurrentError::Empty { what: "x" });
                }
                Ok(if self.batch_first { [b, a] } else { [a, b] })
            }
            _ => {
                let expected = if self.batch_first { "(N, T, I)" } else { "(T, N, I)" };
                Err(RecurrentError::Input { expected, features: self.input, shape: shape.to_vec() })
            }
        }
    }
}

fn gates(kind: Kind) -> Gates {
    match kind {
        Kind::Tanh | Kind::Relu => RNN,
        Kind::Lstm => LSTM,
        Kind::Gru => GRU,
    }
}

impl<A: Architecture, E: Real> Module<E> for SequenceLayer<A, E> {
    /// y from a state of zeros.
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let [_, batch] = expect(A::LAYER, self.steps_and_batch(x.shape()));
        self.run(x, &self.zero_state(batch)).0
    }
}
