use striate_compute::gemm::{Mat, MatMut, gemm_serial};
use striate_compute::{Real, par};

use super::gates::{self, Step};
use super::weights::Bias;
use super::{Kind, Weights};
use crate::RecurrentError;

/// Layers driven one step at a time: for a stream that never ends, in memory that does not grow.
///
/// s_t = f(s_(t−1), x_t), y_t = h_t of the last layer
///
/// A step allocates nothing and reads every weight once. Large layers use several threads when the stream runs inside
/// [`striate_compute::par::install`]. PyTorch: `nn.LSTMCell` and its siblings, stacked.
///
/// ```
/// use striate_recurrent::kernels::{Kind, Stream, Weights};
///
/// let (ih, hh) = ([0.5, -0.5, 0.25, 1.0], [0.0; 4]); // two units, two inputs
/// let weights = Weights { ih: &ih, hh: &hh, bias_ih: None, bias_hh: None };
/// let mut stream = Stream::new(Kind::Relu, 2, 2, &weights)?;
/// assert_eq!(stream.step(&[2.0, 4.0])?, [0.0, 4.5]);
/// # Ok::<(), striate_recurrent::RecurrentError>(())
/// ```
pub struct Stream<E: Real = f32> {
    layers: Vec<Layer<E>>,
}

/// One layer with its state.
struct Layer<E: Real> {
    kind: Kind,
    input: usize,
    hidden: usize,
    /// [W_ih W_hh] of the joint gates: one product with x and h.
    joint: Vec<E>,
    /// W_ih and W_hh of the other gates.
    apart: [Vec<E>; 2],
    bias: Bias<E>,
    /// x and h, one after the other.
    x_h: Vec<E>,
    h: Vec<E>,
    c: Vec<E>,
    gates: Vec<E>,
    separate: Vec<E>,
}

/// Multiply-adds that are worth more than one thread.
const PARALLEL: usize = 1 << 18;
/// Multiply-adds of a thread's piece.
const PIECE: usize = 1 << 16;

impl<E: Real> Stream<E> {
    /// A stream through one layer, from a state of zeros.
    ///
    /// # Errors
    /// When a weight has another length than its shape.
    pub fn new(
        kind: Kind,
        input: usize,
        hidden: usize,
        weights: &Weights<E>,
    ) -> Result<Self, RecurrentError> {
        Ok(Stream { layers: vec![Layer::new(kind, input, hidden, weights)?] })
    }

    /// The same stream through one more layer, which takes this one's output.
    ///
    /// # Errors
    /// As [`Stream::new`].
    pub fn then(mut self, kind: Kind, hidden: usize, weights: &Weights<E>) -> Result<Self, RecurrentError> {
        let input = self.output_len();
        self.layers.push(Layer::new(kind, input, hidden, weights)?);
        Ok(self)
    }

    /// Numbers of a step's input.
    pub fn input_len(&self) -> usize {
        self.layers[0].input
    }

    /// Numbers of a step's output.
    pub fn output_len(&self) -> usize {
        self.layers[self.layers.len() - 1].hidden
    }

    /// Takes one step and lends its output (H).
    ///
    /// # Errors
    /// When `x` has another length than the first layer's input.
    pub fn step(&mut self, x: &[E]) -> Result<&[E], RecurrentError> {
        let input = self.input_len();
        if x.len() != input {
            return Err(RecurrentError::Shape { what: "x", expected: vec![input], shape: vec![x.len()] });
        }
        self.layers[0].step(x);
        for i in 1..self.layers.len() {
            let (before, after) = self.layers.split_at_mut(i);
            after[0].step(&before[i - 1].h);
        }
        Ok(&self.layers[self.layers.len() - 1].h)
    }

    /// Back to a state of zeros.
    pub fn reset(&mut self) {
        for layer in &mut self.layers {
            layer.h.fill(E::zero());
            layer.c.fill(E::zero());
        }
    }

    /// h and, for an LSTM, c of each layer: save them, and [`Stream::set_state`] goes on from there.
    pub fn state(&self) -> Vec<(&[E], &[E])> {
        self.layers.iter().map(|layer| (&layer.h[..], &layer.c[..])).collect()
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// When it has another number of layers or of units.
    pub fn set_state(&mut self, state: &[(&[E], &[E])]) -> Result<(), RecurrentError> {
        let sizes = |state: &[(&[E], &[E])]| -> Vec<usize> {
            state.iter().flat_map(|(h, c)| [h.len(), c.len()]).collect()
        };
        let (expected, shape) = (sizes(&self.state()), sizes(state));
        if expected != shape {
            return Err(RecurrentError::Shape { what: "state (h and c of each layer)", expected, shape });
        }
        for (layer, (h, c)) in self.layers.iter_mut().zip(state) {
            layer.h.copy_from_slice(h);
            layer.c.copy_from_slice(c);
        }
        Ok(())
    }
}

impl<E: Real> Layer<E> {
    fn new(kind: Kind, input: usize, hidden: usize, weights: &Weights<E>) -> Result<Self, RecurrentError> {
        weights.check(kind, input, hidden)?;
        let (rows, joint_rows) = (kind.gates() * hidden, kind.joint_gates() * hidden);
        let row = |weight: &[E], width: usize, i: usize| weight[i * width..][..width].to_vec();
        let joint = (0..joint_rows)
            .flat_map(|i| [row(weights.ih, input, i), row(weights.hh, hidden, i)].concat())
            .collect();
        let apart = [&weights.ih[joint_rows * input..], &weights.hh[joint_rows * hidden..]];
        Ok(Layer {
            kind,
            input,
            hidden,
            joint,
            apart: apart.map(<[E]>::to_vec),
            bias: weights.bias(kind, hidden),
            x_h: vec![E::zero(); input + hidden],
            h: vec![E::zero(); hidden],
            c: vec![E::zero(); if kind.has_cell() { hidden } else { 0 }],
            gates: vec![E::zero(); rows],
            separate: vec![E::zero(); rows - joint_rows],
        })
    }

    fn step(&mut self, x: &[E]) {
        let (x_part, h_part) = self.x_h.split_at_mut(self.input);
        x_part.copy_from_slice(x);
        h_part.copy_from_slice(&self.h);
        let (joint, apart) = self.gates.split_at_mut(self.kind.joint_gates() * self.hidden);
        product(&self.joint, &self.x_h, joint);
        product(&self.apart[0], x, apart);
        product(&self.apart[1], &self.h, &mut self.separate);
        let Layer { kind, hidden, bias, h, c, gates, separate, .. } = self;
        let y = &mut self.x_h[self.input..];
        gates::forward(*kind, *hidden, bias, Step { gates, separate, h, c, y });
    }
}

/// y = W x for W (y.len(), x.len()), on several threads where those are at hand.
fn product<E: Real>(w: &[E], x: &[E], y: &mut [E]) {
    let (rows, columns) = (y.len(), x.len());
    let part = |first: usize, y: &mut [E]| {
        let rows = y.len();
        let w = Mat::new(&w[first * columns..][..rows * columns], rows, columns);
        gemm_serial(Mat::new(x, 1, columns), w.t(), E::zero(), MatMut::new(y, 1, rows));
    };
    if rows * columns >= PARALLEL && par::inside() {
        let piece = (PIECE / columns).max(1);
        par::pieces_mut(y, piece, |i, y| part(i * piece, y));
    } else {
        part(0, y);
    }
}
