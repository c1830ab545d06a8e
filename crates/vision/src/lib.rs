//! Networks for images: what stands in a picture, and what every pixel belongs to.
//!
//! Models are tables of layers and short builders over `striate-conv` and `striate-nn`; this crate holds no kernels.

pub mod classify;
mod error;
mod network;
pub mod segment;
mod units;

pub use classify::*;
pub use error::VisionError;
pub use network::{ImageInput, ImageNetwork};
pub use segment::*;
pub use units::Norm;

/// The first steps are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FirstSteps;
