//! Differentiable operations, one family per folder.

pub mod conv;
pub(crate) mod expect;
pub(crate) mod linear_map;
pub mod pool;
pub mod upsample;
