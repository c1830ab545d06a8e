//! Pixel shuffle and its inverse.

use striate_tensor::{Real, Tensor};

use crate::kernels::upsample::{self, ShuffleGeometry};
use crate::ops::expect::expect;
use crate::ops::linear_map::{LinearMap, linear_map, transposed_map};

/// y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w]; dx is dy put back
#[derive(Clone)]
struct PixelShuffle(ShuffleGeometry);

impl<E: Real> LinearMap<E> for PixelShuffle {
    const NAME: &'static str = "pixel_shuffle";

    fn map(&self, x: &[E], y: &mut [E]) {
        upsample::pixel_shuffle(&self.0, x, y);
    }

    fn transpose(&self, dy: &[E], beta: E, dx: &mut [E]) {
        upsample::pixel_unshuffle(&self.0, dy, beta, dx);
    }
}

/// Larger images from many channels: r² channels of small images make one of images r times as large.
///
/// `y[n, c, h·r + i, w·r + j] = x[n, c·r² + i·r + j, h, w]`; dx is dy put back.
/// x (N, C·r², H, W) → (N, C, H·r, W·r). Shi et al. 2016; PyTorch's `F.pixel_shuffle`.
///
/// # Panics
/// When x has not four axes, the factor r is 0, or r² does not divide the channels.
///
/// ```
/// use striate_conv::pixel_shuffle;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 8).reshape(&[1, 4, 1, 2]);
/// assert_eq!(pixel_shuffle(&x, 2).to_vec(), [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
/// ```
#[track_caller]
pub fn pixel_shuffle<E: Real>(x: &Tensor<E>, factor: usize) -> Tensor<E> {
    let sizes = expect("pixel_shuffle", ShuffleGeometry::of_small(x.shape(), factor));
    let ([height, width], r) = (sizes.small, factor);
    linear_map(PixelShuffle(sizes), x, &[x.shape()[0], x.shape()[1] / (r * r), height * r, width * r])
}

/// Many channels from larger images, the inverse of [`pixel_shuffle`].
///
/// `y[n, c·r² + i·r + j, h, w] = x[n, c, h·r + i, w·r + j]`; dx is dy put back.
/// x (N, C, H·r, W·r) → (N, C·r², H, W). PyTorch's `F.pixel_unshuffle`.
///
/// # Panics
/// When x has not four axes, the factor r is 0 or does not divide height and width.
///
/// ```
/// use striate_conv::{pixel_shuffle, pixel_unshuffle};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 8).reshape(&[1, 4, 1, 2]);
/// assert_eq!(pixel_unshuffle(&pixel_shuffle(&x, 2), 2).to_vec(), x.to_vec());
/// ```
#[track_caller]
pub fn pixel_unshuffle<E: Real>(x: &Tensor<E>, factor: usize) -> Tensor<E> {
    let sizes = expect("pixel_unshuffle", ShuffleGeometry::of_large(x.shape(), factor));
    let ([height, width], r) = (sizes.small, factor);
    transposed_map(PixelShuffle(sizes), x, &[x.shape()[0], x.shape()[1] * r * r, height, width])
}
