//! Upsampling: repeated, interpolated, spread out or shuffled values.

mod interpolate;
mod nails;
mod shuffle;

pub use interpolate::{
    Interpolation, interpolate, upsample_bilinear2d, upsample_linear1d, upsample_nearest1d,
    upsample_nearest2d, upsample_nearest3d, upsample_trilinear3d,
};
pub use nails::{bed_of_nails1d, bed_of_nails2d, bed_of_nails3d};
pub use shuffle::{pixel_shuffle, pixel_unshuffle};

use striate_tensor::shape::Dims;

use crate::kernels::upsample::UpsampleGeometry;

/// The shape of y for x (N, C, *).
fn output_shape<const D: usize>(x: &[usize], sizes: &UpsampleGeometry) -> Dims {
    x[..2].iter().chain(&sizes.output[3 - D..]).copied().collect()
}
