//! What all networks of this crate have in common.

use striate_nn::Module;
use striate_tensor::{Real, Tensor};

use crate::error::VisionError;

/// The images that a network takes: (N, `channels`, H, W) with N ≥ 1 and H, W ≥ `smallest`.
///
/// ```
/// use striate_vision::ImageInput;
///
/// let input = ImageInput { network: "VGG", channels: 3, smallest: 32 };
/// assert!(input.check(&[8, 3, 224, 224]).is_ok());
/// let error = input.check(&[8, 3, 31, 224]).unwrap_err();
/// assert!(error.to_string().starts_with("VGG takes images of at least 32 × 32 pixels, not 31 × 224"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageInput {
    /// The network, for messages.
    pub network: &'static str,
    /// C
    pub channels: usize,
    /// The least height and width that leave something of every map in the network.
    pub smallest: usize,
}

impl ImageInput {
    /// Whether images of this shape go through the network.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self, shape: &[usize]) -> Result<(), VisionError> {
        let &ImageInput { network, channels: expected, smallest } = self;
        let &[n, found, height, width] = shape else {
            return Err(VisionError::Axes { network, shape: shape.to_vec() });
        };
        let shape = shape.to_vec();
        if n == 0 {
            Err(VisionError::Empty { network, shape })
        } else if found != expected {
            Err(VisionError::Channels { network, expected, found, shape })
        } else if height.min(width) < smallest {
            Err(VisionError::TooSmall { network, smallest, height, width, shape })
        } else {
            Ok(())
        }
    }
}

/// Height and width of images.
///
/// # Panics
/// When they do not go through the network.
#[track_caller]
pub(crate) fn image_size<E: Real>(input: ImageInput, x: &Tensor<E>) -> [usize; 2] {
    if let Err(error) = input.check(x.shape()) {
        panic!("{error}");
    }
    [x.shape()[2], x.shape()[3]]
}

/// A network that takes images.
pub trait ImageNetwork<E: Real = f32>: Module<E> {
    /// The images that it takes.
    fn input(&self) -> ImageInput;

    /// Whether images of this shape go through the network: to be asked before [`Module::forward`] about images from
    /// outside, which panics where they do not fit.
    ///
    /// # Errors
    /// When they have another number of axes or channels, are none, or are too small.
    fn check_input(&self, shape: &[usize]) -> Result<(), VisionError> {
        self.input().check(shape)
    }

    /// A loss of the network's logits; in training with those of its auxiliary heads, where it has any: ℓ(y) + Σ α ℓ(yₕ).
    ///
    /// ```
    /// use striate_nn::{ParamStore, cross_entropy};
    /// use striate_tensor::Tensor;
    /// use striate_vision::{ImageNetwork, resnet20};
    ///
    /// let net = resnet20(&ParamStore::<f32>::seeded(0).root(), 10);
    /// let loss = net.loss(&Tensor::ones(&[2, 3, 8, 8]), &|logits| cross_entropy(logits, &[3, 7]));
    /// assert!(loss.item() > 0.0);
    /// ```
    #[track_caller]
    fn loss(&self, x: &Tensor<E>, loss: &dyn Fn(&Tensor<E>) -> Tensor<E>) -> Tensor<E> {
        loss(&self.forward(x))
    }

    /// The same network for evaluation alone, faster: every batch norm is folded into the convolution before it,
    /// w ← a w, b ← a b + β − μ a with a = γ / √(σ² + ε), and what only training needs is left out.
    ///
    /// Its values are those of now, as constants: training this network on does not change it.
    fn fuse(&self) -> Box<dyn ImageNetwork<E>>;
}
