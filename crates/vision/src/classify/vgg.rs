//! VGG networks.

use striate_conv::{Conv2d, ConvLayerOptions, PoolOptions};
use striate_nn::{BatchNorm2d, Init, LinearOptions, Module, Path};
use striate_tensor::{Real, Tensor};

use super::head::Head;
use crate::network::{ImageInput, ImageNetwork};
use crate::units::{ConvNorm, HE, centred, max_pool, relu};

/// Weight layers, and convolutions of each block. Simonyan and Zisserman 2015, table 1: columns A, B, D and E.
const CONVOLUTIONS: [(usize, [usize; 5]); 4] =
    [(11, [1, 1, 2, 2, 2]), (13, [2, 2, 2, 2, 2]), (16, [2, 2, 3, 3, 3]), (19, [2, 2, 4, 4, 4])];

/// Channels of each block, by the width of the first.
pub(crate) const WIDTHS: [usize; 5] = [1, 2, 4, 8, 8];

/// Options of a [`Vgg`]: those of VGG-16 unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VggOptions {
    /// 3×3 convolutions of each block. Max pooling ends a block.
    pub convolutions: [usize; 5],
    /// Whether batch norm follows each convolution.
    pub batch_norm: bool,
    /// Channels of the first block; the others have 2, 4, 8 and 8 times as many.
    pub width: usize,
    /// Width of the two hidden linear layers.
    pub hidden: usize,
    /// Probability of dropout after the hidden layers.
    pub dropout: f64,
    /// Channels of the images.
    pub channels: usize,
}

impl Default for VggOptions {
    fn default() -> Self {
        Self::layers(16)
    }
}

impl VggOptions {
    /// The network of 11, 13, 16 or 19 weight layers, without batch norm.
    ///
    /// # Panics
    /// For another number.
    #[track_caller]
    pub fn layers(layers: usize) -> Self {
        let Some(&(_, convolutions)) = CONVOLUTIONS.iter().find(|row| row.0 == layers) else {
            panic!("vgg: 11, 13, 16 or 19 layers, not {layers}");
        };
        VggOptions { convolutions, batch_norm: false, width: 64, hidden: 4096, dropout: 0.5, channels: 3 }
    }
}

/// How the linear layers start.
pub(crate) fn linear_options() -> LinearOptions {
    LinearOptions {
        weight_init: Some(Init::Normal { mean: 0.0, std: 0.01 }),
        bias_init: Some(Init::Constant(0.0)),
        ..Default::default()
    }
}

/// The convolutions of a [`Vgg`].
pub(crate) struct VggBody<E: Real> {
    blocks: Vec<VggBlock<E>>,
    pub(crate) channels: usize,
}

struct VggBlock<E: Real> {
    /// Each with the name of the ReLU after it.
    convolutions: Vec<(ConvNorm<E>, String)>,
    pool: String,
}

impl<E: Real> VggBody<E> {
    #[track_caller]
    pub(crate) fn new(path: &Path<E>, options: &VggOptions) -> Self {
        let conv =
            ConvLayerOptions { weight_init: Some(HE), bias_init: Some(Init::Constant(0.0)), ..centred(3) };
        let mut places = 0..;
        let mut next = || path.sub(places.next().expect("there is no end"));
        let mut before = options.channels;
        let mut block = |count: usize, features: usize| {
            let convolutions = (0..count).map(|_| {
                let conv = Conv2d::with(&next(), before, features, [3, 3], conv);
                let norm = options.batch_norm.then(|| BatchNorm2d::new(&next(), features));
                before = features;
                (ConvNorm::new(conv, norm), next().name().to_string())
            });
            VggBlock { convolutions: convolutions.collect(), pool: next().name().to_string() }
        };
        let widths = WIDTHS.map(|times| times * options.width);
        let blocks = options.convolutions.into_iter().zip(widths).map(|(count, width)| block(count, width));
        VggBody { blocks: blocks.collect(), channels: options.channels }
    }

    /// The map of block `index`, which has not been pooled yet.
    #[track_caller]
    pub(crate) fn block(&self, index: usize, x: &Tensor<E>) -> Tensor<E> {
        let convolutions = &self.blocks[index].convolutions;
        convolutions.iter().fold(x.clone(), |x, (unit, name)| relu(name, &unit.forward(&x)))
    }

    /// The maps of all blocks after pooling.
    #[track_caller]
    pub(crate) fn pools(&self, x: &Tensor<E>, windows: PoolOptions<2>) -> Vec<Tensor<E>> {
        let mut x = x.clone();
        let pooled = |(index, block): (usize, &VggBlock<E>)| {
            x = max_pool(&block.pool, &self.block(index, &x), windows);
            x.clone()
        };
        self.blocks.iter().enumerate().map(pooled).collect()
    }

    pub(crate) fn fuse(&self) -> Self {
        let fused = |block: &VggBlock<E>| {
            let convolutions = block.convolutions.iter().map(|(unit, name)| (unit.fuse(), name.clone()));
            VggBlock { convolutions: convolutions.collect(), pool: block.pool.clone() }
        };
        VggBody { blocks: self.blocks.iter().map(fused).collect(), channels: self.channels }
    }
}

/// A VGG network: five blocks of 3×3 convolutions with max pooling, three linear layers.
///
/// x (N, C, H, W) → logits (N, classes), for H and W from 32 on; meant for 224. Five 3×3 kernels in a row see as much as
/// one of 11×11, with fewer parameters. Paths: `features.0`, …, `classifier.6`.
/// Simonyan and Zisserman 2015; notes, section 5.2; torchvision's `VGG`.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{Vgg, VggOptions};
///
/// let small = VggOptions { width: 8, hidden: 64, batch_norm: true, ..VggOptions::layers(11) };
/// let net = Vgg::with(&ParamStore::<f32>::seeded(0).root(), 10, &small);
/// assert_eq!(net.forward(&Tensor::ones(&[2, 3, 64, 64])).shape(), [2, 10]);
/// ```
pub struct Vgg<E: Real = f32> {
    body: VggBody<E>,
    head: Head<E>,
}

impl<E: Real> Vgg<E> {
    /// A network with options.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &VggOptions) -> Self {
        let body = VggBody::new(&path.sub("features"), options);
        let linear = linear_options();
        let widths = [WIDTHS[4] * options.width, options.hidden, options.hidden, classes];
        let names = [(None, 0), (Some(2), 3), (Some(5), 6)];
        let head = Head::new(&path.sub("classifier"), 7, &widths, &names, options.dropout, linear);
        Vgg { body, head }
    }

    /// The last map before the linear layers, (N, 512, H/32, W/32).
    #[track_caller]
    pub fn features(&self, x: &Tensor<E>) -> Tensor<E> {
        self.body.pools(x, 2.into()).pop().expect("there are blocks")
    }

    /// Logits for every window of 224×224 at steps of 32 pixels, (N, classes, H/32 − 6, W/32 − 6): the linear layers
    /// become convolutions. One for images of 224×224, where it is [`Module::forward`]'s.
    ///
    /// # Panics
    /// When the image is smaller than 224×224.
    #[track_caller]
    pub fn score_map(&self, x: &Tensor<E>) -> Tensor<E> {
        self.head.score_map(&self.features(x))
    }
}

impl<E: Real> Module<E> for Vgg<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.head.forward(&self.features(x))
    }
}

impl<E: Real> ImageNetwork<E> for Vgg<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "VGG", channels: self.body.channels, smallest: 32 }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(Vgg { body: self.body.fuse(), head: self.head.fuse() })
    }
}

/// VGG-11 for ImageNet: 132,863,336 parameters with 1000 classes. See [`Vgg`]. torchvision's `vgg11`.
#[track_caller]
pub fn vgg11<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions::layers(11))
}

/// VGG-11 with batch norm. See [`Vgg`]. torchvision's `vgg11_bn`.
#[track_caller]
pub fn vgg11_bn<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions { batch_norm: true, ..VggOptions::layers(11) })
}

/// VGG-13 for ImageNet: 133,047,848 parameters with 1000 classes. See [`Vgg`]. torchvision's `vgg13`.
#[track_caller]
pub fn vgg13<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions::layers(13))
}

/// VGG-13 with batch norm. See [`Vgg`]. torchvision's `vgg13_bn`.
#[track_caller]
pub fn vgg13_bn<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions { batch_norm: true, ..VggOptions::layers(13) })
}

/// VGG-16 for ImageNet: 138,357,544 parameters with 1000 classes. See [`Vgg`]. torchvision's `vgg16`.
#[track_caller]
pub fn vgg16<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions::layers(16))
}

/// VGG-16 with batch norm. See [`Vgg`]. torchvision's `vgg16_bn`.
#[track_caller]
pub fn vgg16_bn<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions { batch_norm: true, ..VggOptions::layers(16) })
}

/// VGG-19 for ImageNet: 143,667,240 parameters with 1000 classes. See [`Vgg`]. torchvision's `vgg19`.
#[track_caller]
pub fn vgg19<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions::layers(19))
}

/// VGG-19 with batch norm. See [`Vgg`]. torchvision's `vgg19_bn`.
#[track_caller]
pub fn vgg19_bn<E: Real>(path: &Path<E>, classes: usize) -> Vgg<E> {
    Vgg::with(path, classes, &VggOptions { batch_norm: true, ..VggOptions::layers(19) })
}
