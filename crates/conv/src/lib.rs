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
#[cfg(feature = "autograd")]
pub mod layers;
pub mod matrix;
#[cfg(feature = "autograd")]
pub mod ops;
mod receptive_field;

pub use boundary::Boundary;
pub use geometry::{
    ConvOptions, Geometry, GeometryError, Padding, Window, output_size, transposed_output_size,
};
pub use kernels::conv::ConvAlgorithm;
pub use kernels::pool::{
    AvgPoolOptions, Divisor, LpPoolOptions, PoolGeometry, PoolOptions, pool_output_size,
};
pub use kernels::upsample::{Resize, UpsampleGeometry};
#[cfg(feature = "autograd")]
pub use layers::conv::{
    Conv, Conv1d, Conv2d, Conv3d, ConvLayerOptions, ConvTranspose, ConvTranspose1d, ConvTranspose2d,
    ConvTranspose3d, ConvTransposeOptions,
};
#[cfg(feature = "autograd")]
pub use layers::pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool1d, AdaptiveMaxPool2d,
    AdaptiveMaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d, GlobalAvgPool, LpPool1d, LpPool2d, LpPool3d,
    MaxPool1d, MaxPool2d, MaxPool3d, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d,
};
#[cfg(feature = "autograd")]
pub use layers::upsample::{PixelShuffle, PixelUnshuffle, Upsample};
#[cfg(feature = "autograd")]
pub use ops::conv::{
    conv_transpose1d, conv_transpose2d, conv_transpose3d, conv_weight, conv1d, conv2d, conv3d, pad,
};
#[cfg(feature = "autograd")]
pub use ops::{pool::*, upsample::*};
#[cfg(feature = "autograd")]
pub use receptive_field::effective_receptive_field;
pub use receptive_field::{ReceptiveField, receptive_fields};

/// The examples of that page are tested.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/convolution.md")]
struct ConvolutionPage;

/// The first steps are tested.
#[cfg(all(doctest, feature = "autograd"))]
#[doc = include_str!("../README.md")]
struct FirstSteps;
