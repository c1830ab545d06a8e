//! Differentiable operations on packed sequences, through the kernels.

mod recurrence;

pub(crate) use recurrence::{Directions, recurrence};
