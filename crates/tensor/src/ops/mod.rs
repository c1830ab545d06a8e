//! The operations, one family per file; most are methods of [`crate::Tensor`].

mod argument;
mod arithmetic;
mod choose;
mod compare;
mod cumulative;
mod diagonal;
mod einsum;
mod exponential;
mod extremum;
mod extremum_along;
mod gated;
mod gather;
mod index;
mod join;
mod matmul;
mod norm;
mod pad;
mod piecewise;
mod pointwise;
mod power;
mod rectifier;
mod saturating;
mod slice;
mod softmax;
mod sum;
mod trigonometric;
mod variance;
mod view;

pub use compare::CloseOptions;
pub use einsum::einsum;
pub use pad::Padding;
pub use pointwise::{Pointwise, Reads, pointwise};
pub use variance::VarOptions;
