use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3};
use striate_compute::Real;

use super::{Kind, Sequence, Stream, Weights};
use crate::RecurrentError;

/// A layer in one direction with weights of its own, on `ndarray`: an RNN, LSTM or GRU without a tape.
///
/// ```
/// use ndarray::{Array, Array3};
/// use striate_recurrent::kernels::{Kind, Recurrence};
///
/// let w_ih = Array::from_elem((4 * 8, 3), 0.1); // gates i, f, g, o of 8 units, 3 inputs
/// let w_hh = Array::from_elem((4 * 8, 8), 0.1);
/// let lstm = Recurrence::new(Kind::Lstm, w_ih.view(), w_hh.view(), None)?;
/// let mut state = lstm.zero_state(2);
/// let y = lstm.run(Array3::ones((5, 2, 3)).view(), &mut state)?; // 5 steps of 2 sequences
/// assert_eq!(y.shape(), [5, 2, 8]);
/// assert_eq!(y.index_axis(ndarray::Axis(0), 4), state.h);
/// # Ok::<(), striate_recurrent::RecurrentError>(())
/// ```
pub struct Recurrence<E: Real = f32> {
    kind: Kind,
    input: usize,
    hidden: usize,
    ih: Vec<E>,
    hh: Vec<E>,
    bias: Option<[Vec<E>; 2]>,
}

/// What a [`Recurrence`] carries from step to step.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentState<E> {
    /// h (N, H)
    pub h: Array2<E>,
    /// c (N, H) of an LSTM; (N, 0) for the others.
    pub c: Array2<E>,
}

impl<E: Real> Recurrence<E> {
    /// A layer with the weights w_ih (G·H, I), w_hh (G·H, H) and perhaps the biases b_ih and b_hh (G·H), as PyTorch
    /// keeps them.
    ///
    /// # Errors
    /// When the shapes do not fit each other, or there is no unit.
    pub fn new(
        kind: Kind,
        w_ih: ArrayView2<E>,
        w_hh: ArrayView2<E>,
        bias: Option<(ArrayView1<E>, ArrayView1<E>)>,
    ) -> Result<Self, RecurrentError> {
        let (input, hidden) = (w_ih.ncols(), w_hh.ncols());
        let rows = kind.gates() * hidden;
        let check = |what, shape: &[usize], expected: Vec<usize>| {
            if shape == expected {
                return Ok(());
            }
            Err(RecurrentError::Shape { what, expected, shape: shape.to_vec() })
        };
        check("w_hh", w_hh.shape(), vec![rows, hidden])?;
        check("w_ih", w_ih.shape(), vec![rows, input])?;
        if let Some((b_ih, b_hh)) = bias {
            check("b_ih", b_ih.shape(), vec![rows])?;
            check("b_hh", b_hh.shape(), vec![rows])?;
        }
        let bias = bias.map(|(ih, hh)| [ih.to_vec(), hh.to_vec()]);
        let flat = |w: ArrayView2<E>| w.iter().copied().collect();
        let layer = Recurrence { kind, input, hidden, ih: flat(w_ih), hh: flat(w_hh), bias };
        layer.weights().check(kind, input, hidden)?;
        Ok(layer)
    }

    /// The state before the first step of a batch of sequences.
    pub fn zero_state(&self, batch: usize) -> RecurrentState<E> {
        let cells = if self.kind.has_cell() { self.hidden } else { 0 };
        RecurrentState { h: Array2::zeros((batch, self.hidden)), c: Array2::zeros((batch, cells)) }
    }

    /// y (T, N, H) for x (T, N, I), from `state` on, which becomes the final one.
    ///
    /// # Errors
    /// When a shape does not fit, or there is no step.
    pub fn run(&self, x: ArrayView3<E>, state: &mut RecurrentState<E>) -> Result<Array3<E>, RecurrentError> {
        let (steps, batch, features) = x.dim();
        if features != self.input {
            let (expected, shape) = ("(T, N, I)", x.shape().to_vec());
            return Err(RecurrentError::Input { expected, features: self.input, shape });
        }
        if steps * batch == 0 {
            return Err(RecurrentError::Empty { what: "x" });
        }
        let zero = self.zero_state(batch);
        for (what, array, expected) in [("h", &state.h, &zero.h), ("c", &state.c, &zero.c)] {
            if array.dim() != expected.dim() {
                let (expected, shape) = (expected.shape().to_vec(), array.shape().to_vec());
                return Err(RecurrentError::Shape { what, expected, shape });
            }
        }
        let batch_sizes = vec![batch; steps];
        let sequence = Sequence {
            kind: self.kind,
            input: self.input,
            hidden: self.hidden,
            batch_sizes: &batch_sizes,
            reverse: false,
        };
        let x = x.as_standard_layout();
        let mut y = Array3::zeros((steps, batch, self.hidden));
        for part in [&mut state.h, &mut state.c] {
            *part = std::mem::take(part).as_standard_layout().into_owned();
        }
        sequence.forward(
            x.as_slice().expect("in standard layout"),
            &self.weights(),
            state.h.as_slice_mut().expect("in standard layout"),
            state.c.as_slice_mut().expect("in standard layout"),
            y.as_slice_mut().expect("in standard layout"),
            false,
        );
        Ok(y)
    }

    /// The same layer driven one step at a time.
    pub fn stream(&self) -> Stream<E> {
        Stream::new(self.kind, self.input, self.hidden, &self.weights()).expect("the weights were checked")
    }

    fn weights(&self) -> Weights<'_, E> {
        let bias = |i: usize| self.bias.as_ref().map(|bias| &bias[i][..]);
        Weights { ih: &self.ih, hh: &self.hh, bias_ih: bias(0), bias_hh: bias(1) }
    }
}
