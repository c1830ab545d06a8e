//! The operations, one family per file; most are methods of [`crate::Tensor`].

mod arithmetic;
mod compare;
mod exponential;
mod extremum;
mod gated;
mod matmul;
mod piecewise;
mod pointwise;
mod power;
mod rectifier;
mod saturating;
mod sum;
mod trigonometric;
mod view;

pub use compare::CloseOptions;
pub use pointwise::{Pointwise, Reads, pointwise};
