//! Whole sequences and streams on slices and `ndarray` views, without a tape.
//!
//! [`Recurrence`] is a layer in one direction with weights of its own: it runs batches of sequences, and
//! [`Stream`] drives it one step at a time without allocating. [`Sequence`] is what both and the differentiable layers
//! stand on: forward and gradients of packed sequences on slices.

mod gates;
mod recurrence;
mod sequence;
mod stream;
#[cfg(test)]
mod tests;
mod weights;

pub use recurrence::{Recurrence, RecurrentState};
#[cfg(feature = "autograd")]
pub(crate) use sequence::check_batch_sizes;
pub use sequence::{Gradients, Sequence, Trace};
pub use stream::Stream;
pub use weights::Weights;

/// Which recurrence a kernel computes. All gates of a weight stand below each other, in the order of PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
    Tanh,
    /// h' = max(0, W_ih x + b_ih + W_hh h + b_hh)
    Relu,
    /// c' = f∘c + i∘g, h' = o∘tanh c' with the gates i, f, g, o. Hochreiter and Schmidhuber 1997.
    Lstm,
    /// h' = (1 − z)∘n + z∘h, n = tanh(W_in x + b_in + r∘(W_hn h + b_hn)) with the gates r, z, n. Cho et al. 2014.
    Gru,
}

impl Kind {
    /// How many blocks of H rows a weight has.
    pub const fn gates(self) -> usize {
        match self {
            Kind::Tanh | Kind::Relu => 1,
            Kind::Lstm => 4,
            Kind::Gru => 3,
        }
    }

    /// Whether a state has a cell c beside h.
    pub const fn has_cell(self) -> bool {
        matches!(self, Kind::Lstm)
    }

    /// How many gates add up what comes from x and from h; the others keep both apart until their activation.
    const fn joint_gates(self) -> usize {
        match self {
            Kind::Gru => 2,
            kind => kind.gates(),
        }
    }
}
