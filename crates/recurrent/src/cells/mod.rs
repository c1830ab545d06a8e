//! Single steps of recurrent networks, composed of differentiable operations as the equations read.
//!
//! They are what the kernels are held against, and what to use where a step differs from the built-in layers.

mod cell;

pub use cell::{Cell, State};
