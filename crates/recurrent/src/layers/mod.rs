//! Sequence layers with PyTorch's parameter names.

mod architecture;
mod packed;
mod sequence;

pub use architecture::{
    Architecture, GruArchitecture, LayerState, LstmArchitecture, ReluArchitecture, TanhArchitecture,
};
pub use packed::PackedSequence;
pub use sequence::{Gru, Lstm, ReluRnn, Rnn, SequenceLayer, SequenceOptions};
