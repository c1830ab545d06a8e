//! Differentiable operations on packed sequences, through the kernels.

mod recurrence;

pub use recurrence::{LayerOutput, recurrence};
