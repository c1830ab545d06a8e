//! AlexNet.

use striate_conv::{Conv2d, ConvLayerOptions, PoolOptions};
use striate_nn::{LinearOptions, Module, Path};
use striate_tensor::{Real, Tensor};

use super::head::Head;
use crate::network::{ImageInput, ImageNetwork};
use crate::units::{frozen_conv, max_pool, relu};

/// Place in `features`, output channels, kernel, stride and padding of each convolution, and whether max pooling follows.
const CONVOLUTIONS: [(usize, usize, usize, usize, usize, bool); 5] = [
    (0, 64, 11, 4, 2, true),
    (3, 192, 5, 1, 2, true),
    (6, 384, 3, 1, 1, false),
    (8, 256, 3, 1, 1, false),
    (10, 256, 3, 1, 1, true),
];

/// Options of an [`AlexNet`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlexNetOptions {
    /// Width of the two hidden linear layers.
    pub hidden: usize,
    /// Probability of dropout before the first two linear layers.
    pub dropout: f64,
    /// Channels of the images.
    pub channels: usize,
}

impl Default for AlexNetOptions {
    fn default() -> Self {
        AlexNetOptions { hidden: 4096, dropout: 0.5, channels: 3 }
    }
}

/// AlexNet: five convolutions with large kernels first, three linear layers.
///
/// x (N, C, H, W) → logits (N, classes), for H and W from 63 on; meant for 224. Paths: `features.0`, …, `classifier.6`.
/// Krizhevsky 2014, the variant on one processor; notes, section 5.2; torchvision's `AlexNet`.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{AlexNet, AlexNetOptions};
///
/// let small = AlexNetOptions { hidden: 128, ..Default::default() };
/// let net = AlexNet::with(&ParamStore::<f32>::seeded(0).root(), 10, &small);
/// assert_eq!(net.forward(&Tensor::ones(&[1, 3, 63, 63])).shape(), [1, 10]);
/// ```
pub struct AlexNet<E: Real = f32> {
    features: Vec<AlexNetLayer<E>>,
    head: Head<E>,
    channels: usize,
}

struct AlexNetLayer<E: Real> {
    conv: Conv2d<E>,
    relu: String,
    pool: Option<String>,
}

impl<E: Real> AlexNet<E> {
    /// A network with options.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &AlexNetOptions) -> Self {
        let &AlexNetOptions { hidden, dropout, channels } = options;
        let name = |index: usize| path.sub("features").sub(index);
        let mut before = channels;
        let mut features = Vec::new();
        for (index, channels, kernel, stride, padding, pooled) in CONVOLUTIONS {
            let options =
                ConvLayerOptions { stride: [stride; 2], padding: padding.into(), ..Default::default() };
            features.push(AlexNetLayer {
                conv: Conv2d::with(&name(index), before, channels, [kernel; 2], options),
                relu: name(index + 1).name().to_string(),
                pool: pooled.then(|| name(index + 2).name().to_string()),
            });
            before = channels;
        }
        let (widths, names) = ([before, hidden, hidden, classes], [(Some(0), 1), (Some(3), 4), (None, 6)]);
        let head = Head::new(&path.sub("classifier"), 6, &widths, &names, dropout, LinearOptions::default());
        AlexNet { features, head, channels }
    }

    /// The last map before the linear layers, (N, 256, H', W').
    #[track_caller]
    pub fn features(&self, x: &Tensor<E>) -> Tensor<E> {
        let windows = PoolOptions { stride: Some([2, 2]), ..3.into() };
        self.features.iter().fold(x.clone(), |x, layer| {
            let x = relu(&layer.relu, &layer.conv.forward(&x));
            layer.pool.as_ref().map_or_else(|| x.clone(), |name| max_pool(name, &x, windows))
        })
    }

    /// Logits for every window of the image that is as large as the training images, (N, classes, H', W'): the linear
    /// layers become convolutions. One for images of 224×224, where it is [`Module::forward`]'s.
    ///
    /// # Panics
    /// When the image is smaller than 224×224, or nearly so.
    #[track_caller]
    pub fn score_map(&self, x: &Tensor<E>) -> Tensor<E> {
        self.head.score_map(&self.features(x))
    }
}

impl<E: Real> Module<E> for AlexNet<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.head.forward(&self.features(x))
    }
}

impl<E: Real> ImageNetwork<E> for AlexNet<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "AlexNet", channels: self.channels, smallest: 63 }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        let layer = |AlexNetLayer { conv, relu, pool }: &AlexNetLayer<E>| AlexNetLayer {
            conv: frozen_conv(conv),
            relu: relu.clone(),
            pool: pool.clone(),
        };
        let features = self.features.iter().map(layer).collect();
        Box::new(AlexNet { features, head: self.head.fuse(), channels: self.channels })
    }
}

/// AlexNet for ImageNet: 61,100,840 parameters with 1000 classes. See [`AlexNet`]. torchvision's `alexnet`.
#[track_caller]
pub fn alexnet<E: Real>(path: &Path<E>, classes: usize) -> AlexNet<E> {
    AlexNet::with(path, classes, &AlexNetOptions::default())
}
