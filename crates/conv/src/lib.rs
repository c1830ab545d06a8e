//! Convolution, pooling and upsampling.
//!
//! Three layers, each usable alone: [`kernels`] are pure functions on slices and `ndarray` views, without a tape;
//! `ops` are differentiable operations on tensors, `layers` hold their parameters. The last two come with the feature
//! `autograd`, which is on by default.

mod geometry;
pub mod kernels;

pub use geometry::{
    ConvOptions, Geometry, GeometryError, Padding, Window, output_size, transposed_output_size,
};
