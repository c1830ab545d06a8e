//! Recurrent networks: cells, sequences, back-propagation through time, and what goes wrong in it.
//!
//! h_t = f(h_(t−1), x_t; θ)
//!
//! Three layers, each usable alone: [`kernels`] run whole sequences and streams on slices and `ndarray` views, without a
//! tape; `cells` are single steps in differentiable operations, as the equations read; `layers` run sequences through
//! the kernels, with parameters under PyTorch's names. The last two come with the feature `autograd`, which is on by
//! default. The feature `diagnostics` adds what shows gradients vanish and explode.
//!
//! Over a cell stand `unroll`, the shapes of a network that reads and says in `patterns`, [`sample`] to generate, and
//! `bptt`, full or truncated. Gradients that explode are clipped with `striate_nn::clip`, by their global norm or by
//! value, between the backward pass and the optimiser's step.

#[cfg(feature = "autograd")]
pub mod cells;
#[cfg(feature = "diagnostics")]
pub mod diagnostics;
mod error;
#[cfg(feature = "autograd")]
mod expect;
pub mod kernels;
#[cfg(feature = "autograd")]
pub mod layers;
#[cfg(feature = "autograd")]
pub mod ops;
#[cfg(feature = "autograd")]
pub mod patterns;
mod sampling;
#[cfg(feature = "autograd")]
mod truncated;
#[cfg(feature = "autograd")]
mod unroll;

#[cfg(feature = "autograd")]
pub use cells::{
    Cell, CellOptions, DynamicalSystem, GruCell, LayerNormGruCell, LayerNormLstmCell, LayerNormRnnCell,
    LstmCell, NaiveLstmCell, Nonlinearity, OriginalGruCell, PeepholeLstmCell, ProjectionLstmCell, RnnCell,
    RnnCellOptions, StackedLstmCell, State,
};
pub use error::RecurrentError;
#[cfg(feature = "autograd")]
pub use layers::{Gru, Lstm, PackedSequence, ReluRnn, Rnn, SequenceLayer, SequenceOptions};
#[cfg(feature = "autograd")]
pub use patterns::{
    encoder_decoder, generate, many_to_many, many_to_one, one_to_many, one_to_one, scheduled_sampling,
    teacher_forcing,
};
pub use sampling::{SampleError, SampleOptions, sample};
#[cfg(feature = "autograd")]
pub use truncated::{Truncation, bptt};
#[cfg(feature = "autograd")]
pub use unroll::{decode, steps, unroll};

/// The first steps are tested.
#[cfg(all(doctest, feature = "autograd"))]
#[doc = include_str!("../README.md")]
struct FirstSteps;
