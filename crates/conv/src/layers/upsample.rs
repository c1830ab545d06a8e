//! Upsampling layers. They have no parameters.

use striate_nn::{Module, observe};
use striate_tensor::{Real, Tensor};

use crate::kernels::upsample::Resize;
use crate::ops::upsample::{Interpolation, interpolate, pixel_shuffle, pixel_unshuffle};

/// Another size over D spatial axes; see [`interpolate`]. PyTorch's `nn.Upsample`.
///
/// ```
/// use striate_conv::{Interpolation, Upsample};
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// let double = Upsample::<2>::new(2, Interpolation::Linear { align_corners: false });
/// assert_eq!(double.forward(&Tensor::<f32>::ones(&[8, 3, 7, 5])).shape(), [8, 3, 14, 10]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Upsample<const D: usize> {
    /// How large the result is.
    pub to: Resize<D>,
    /// How values between elements come about.
    pub mode: Interpolation,
}

impl<const D: usize> Upsample<D> {
    /// A layer that gives this size, or the input's times a factor.
    pub fn new(to: impl Into<Resize<D>>, mode: Interpolation) -> Self {
        Upsample { to: to.into(), mode }
    }
}

impl<E: Real, const D: usize> Module<E> for Upsample<D> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", "Upsample", interpolate(x, self.to, self.mode))
    }
}

/// Larger images from many channels; see [`pixel_shuffle`]. PyTorch's `nn.PixelShuffle`.
///
/// ```
/// use striate_conv::PixelShuffle;
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// assert_eq!(PixelShuffle { factor: 2 }.forward(&Tensor::<f32>::ones(&[8, 12, 7, 5])).shape(), [8, 3, 14, 10]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PixelShuffle {
    /// How many times as large the result is along height and width.
    pub factor: usize,
}

impl<E: Real> Module<E> for PixelShuffle {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", "PixelShuffle", pixel_shuffle(x, self.factor))
    }
}

/// Many channels from larger images; see [`pixel_unshuffle`]. PyTorch's `nn.PixelUnshuffle`.
///
/// ```
/// use striate_conv::PixelUnshuffle;
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// assert_eq!(PixelUnshuffle { factor: 2 }.forward(&Tensor::<f32>::ones(&[8, 3, 14, 10])).shape(), [8, 12, 7, 5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PixelUnshuffle {
    /// How many times as small the result is along height and width.
    pub factor: usize,
}

impl<E: Real> Module<E> for PixelUnshuffle {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", "PixelUnshuffle", pixel_unshuffle(x, self.factor))
    }
}
