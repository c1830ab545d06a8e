//! Single steps of recurrent networks, composed of differentiable operations as the equations read.
//!
//! They are what the kernels are held against, and what to use where a step differs from the built-in layers.

mod cell;
mod gru;
mod lstm;
mod options;
mod parameters;
mod rnn;
mod shapes;

pub use cell::{Cell, State};
pub use gru::GruCell;
pub use lstm::LstmCell;
pub use options::CellOptions;
pub use parameters::Parameters;
pub use rnn::{Nonlinearity, RnnCell, RnnCellOptions};
