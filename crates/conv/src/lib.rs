//! Convolution, pooling and upsampling.
//!
//! Three layers, each usable alone: [`kernels`] are pure functions on slices and `ndarray` views, without a tape;
//! `ops` are differentiable operations on tensors, `layers` hold their parameters. The last two come with the feature
//! `autograd`, which is on by default.
//!
//! Beside them, to see what a convolution is: [`filter`] images, write a convolution as a [`matrix`], and ask what an
//! output sees ([`receptive_fields`]).

mod boundary;
pub mod filter;
mod geometry;
pub mod kernels;
pub mod matrix;
mod receptive_field;

pub use boundary::Boundary;
pub use geometry::{
    ConvOptions, Geometry, GeometryError, Padding, Window, output_size, transposed_output_size,
};
pub use kernels::pool::{AvgPoolOptions, Divisor, PoolGeometry, PoolOptions, pool_output_size};
pub use kernels::upsample::{Resize, UpsampleGeometry};
#[cfg(feature = "autograd")]
pub use receptive_field::effective_receptive_field;
pub use receptive_field::{ReceptiveField, receptive_fields};

/// The examples of that page are tested.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/convolution.md")]
struct ConvolutionPage;
