//! The operations, one family per file; most are methods of [`crate::Tensor`].

mod arithmetic;
mod matmul;
mod pointwise;
mod sum;
mod view;

pub use pointwise::{Pointwise, Reads, pointwise};
