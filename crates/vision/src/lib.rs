//! Networks for images: what stands in a picture, what every pixel belongs to, and how simple and complex cells see.
//!
//! Models are tables of layers and short builders over `striate-conv` and `striate-nn`; this crate holds no kernels.

pub mod classify;
mod error;
pub mod hmax;
mod network;
pub mod segment;
mod units;

pub use classify::*;
pub use error::VisionError;
pub use hmax::*;
pub use network::{ImageInput, ImageNetwork};
pub use segment::*;
pub use units::Norm;

/// The examples of that page are tested.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/vision.md")]
struct VisionPage;

/// The first steps are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FirstSteps;
