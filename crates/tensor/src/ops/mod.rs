//! The operations, one family per file; most are methods of [`crate::Tensor`].

mod arithmetic;
mod choose;
mod compare;
mod diagonal;
mod einsum;
mod exponential;
mod extremum;
mod gated;
mod gather;
mod index;
mod join;
mod matmul;
mod pad;
mod piecewise;
mod pointwise;
mod power;
mod rectifier;
mod saturating;
mod slice;
mod sum;
mod trigonometric;
mod view;

pub use compare::CloseOptions;
pub use einsum::einsum;
pub use pad::Padding;
pub use pointwise::{Pointwise, Reads, pointwise};
