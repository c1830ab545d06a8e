//! Single steps of recurrent networks, composed of differentiable operations as the equations read.
//!
//! They are what the kernels are held against, and what to use where a step differs from the built-in layers.

mod cell;
mod dynamical_system;
mod gru;
mod layer_norm_gru;
mod layer_norm_lstm;
mod layer_norm_rnn;
mod lstm;
mod naive_lstm;
mod options;
mod original_gru;
pub(crate) mod parameters;
mod peephole_lstm;
mod projection_lstm;
mod rnn;
mod shapes;
mod stacked_lstm;

pub use cell::{Cell, State};
pub use dynamical_system::DynamicalSystem;
pub use gru::GruCell;
pub use layer_norm_gru::LayerNormGruCell;
pub use layer_norm_lstm::LayerNormLstmCell;
pub use layer_norm_rnn::LayerNormRnnCell;
pub use lstm::LstmCell;
pub use naive_lstm::NaiveLstmCell;
pub use options::CellOptions;
pub use original_gru::OriginalGruCell;
pub use parameters::Parameters;
pub use peephole_lstm::PeepholeLstmCell;
pub use projection_lstm::ProjectionLstmCell;
pub use rnn::{Nonlinearity, RnnCell, RnnCellOptions};
pub use stacked_lstm::StackedLstmCell;
