//! Pure functions on slices: no tape, no allocation beyond the pool.

pub mod conv;
pub(crate) mod planes;
pub mod pool;
pub(crate) mod strided;
pub mod upsample;
mod views;
pub(crate) mod winograd;

pub use views::{convolve, convolve_transposed, input_gradient, weight_gradient};
