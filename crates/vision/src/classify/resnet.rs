//! Residual networks, and plain ones of the same depths.

use striate_conv::{ConvLayerOptions, PoolOptions, global_avg_pool};
use striate_nn::{Linear, Module, Path};
use striate_tensor::{Real, Tensor};

use super::residual::{Block, BlockOptions, ResidualBlock, Shortcut};
use crate::network::{ImageInput, ImageNetwork};
use crate::units::{ConvNorm, HE, centred, conv_norm, frozen, max_pool};

/// Weight layers, block and blocks of each stage of the networks for ImageNet. He et al. 2016, table 1.
const IMAGENET: [(usize, ResidualBlock, [usize; 4]); 5] = [
    (18, ResidualBlock::Basic, [2, 2, 2, 2]),
    (34, ResidualBlock::Basic, [3, 4, 6, 3]),
    (50, ResidualBlock::Bottleneck, [3, 4, 6, 3]),
    (101, ResidualBlock::Bottleneck, [3, 4, 23, 3]),
    (152, ResidualBlock::Bottleneck, [3, 8, 36, 3]),
];

/// What comes before the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stem {
    /// 7×7 with stride 2, and max pooling 3×3 with stride 2: a quarter of the height and width.
    Large,
    /// 3×3: all of it.
    Small,
}

/// Options of a [`ResNet`]: those of ResNet-18 unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResNetOptions {
    /// Blocks of each stage. Every stage after the first halves height and width and doubles the channels.
    pub stages: Vec<usize>,
    /// What a block is.
    pub block: ResidualBlock,
    /// What is added to a block's weight layers.
    pub shortcut: Shortcut,
    /// Width of the first stage, and channels of the stem.
    pub width: usize,
    /// What comes before the stages.
    pub stem: Stem,
    /// How many of the last stages keep the size of the map, with dilated kernels instead of a stride:
    /// torchvision's `replace_stride_with_dilation`.
    pub dilated_stages: usize,
    /// Whether the last batch norm of each block starts at γ = 0, so that the block starts as its shortcut.
    pub zero_init_residual: bool,
    /// Channels of the images.
    pub channels: usize,
}

impl Default for ResNetOptions {
    fn default() -> Self {
        Self::imagenet(18)
    }
}

impl ResNetOptions {
    /// The network of 18, 34, 50, 101 or 152 weight layers for ImageNet.
    ///
    /// # Panics
    /// For another number.
    #[track_caller]
    pub fn imagenet(layers: usize) -> Self {
        let Some(&(_, block, stages)) = IMAGENET.iter().find(|row| row.0 == layers) else {
            panic!("resnet: 18, 34, 50, 101 or 152 layers, not {layers}");
        };
        ResNetOptions {
            stages: stages.to_vec(),
            block,
            shortcut: Shortcut::Projected,
            width: 64,
            stem: Stem::Large,
            dilated_stages: 0,
            zero_init_residual: false,
            channels: 3,
        }
    }

    /// The network of 6n + 2 weight layers for images of 32×32: three stages of n basic blocks, 16, 32 and 64 wide,
    /// with shortcuts that have no parameters. He et al. 2016, section 4.2.
    ///
    /// # Panics
    /// For another number than 8, 14, 20, …
    #[track_caller]
    pub fn cifar(layers: usize) -> Self {
        assert!(layers >= 8 && layers % 6 == 2, "resnet: 6n + 2 layers, not {layers}");
        ResNetOptions {
            stages: vec![(layers - 2) / 6; 3],
            shortcut: Shortcut::Padded,
            width: 16,
            stem: Stem::Small,
            ..Self::imagenet(18)
        }
    }

    /// Channels that come out of each stage.
    pub(crate) fn features(&self, stage: usize) -> usize {
        (self.width << stage) * self.block.expansion()
    }
}

/// All of a [`ResNet`] but its head.
pub(crate) struct ResNetBody<E: Real> {
    stem: ConvNorm<E>,
    pooled: bool,
    stages: Vec<Vec<Block<E>>>,
    pub(crate) channels: usize,
}

impl<E: Real> ResNetBody<E> {
    #[track_caller]
    pub(crate) fn new(path: &Path<E>, options: &ResNetOptions) -> Self {
        let &ResNetOptions { block, shortcut, width, dilated_stages, zero_init_residual, channels, .. } =
            options;
        let stages = &options.stages;
        assert!(
            !stages.is_empty() && !stages.contains(&0),
            "resnet: no stage may be empty, they are {stages:?}"
        );
        let (kernel, stride) = match options.stem {
            Stem::Large => (7, 2),
            Stem::Small => (3, 1),
        };
        let stem = ConvLayerOptions { stride: [stride; 2], weight_init: Some(HE), ..centred(kernel) };
        let stem = conv_norm([&path.sub("conv1"), &path.sub("bn1")], [channels, width], kernel, stem);
        let (mut before, mut dilation) = (width, 1);
        let stages = options.stages.iter().enumerate().map(|(stage, &blocks)| {
            let (path, first_dilation) = (path.sub(format!("layer{}", stage + 1)), dilation);
            let mut stride = if stage == 0 { 1 } else { 2 };
            if stage + dilated_stages >= options.stages.len() {
                dilation *= std::mem::replace(&mut stride, 1);
            }
            let blocks = (0..blocks).map(|number| {
                let first = number == 0;
                let options = BlockOptions {
                    block,
                    channels: std::mem::replace(&mut before, options.features(stage)),
                    width: width << stage,
                    stride: if first { stride } else { 1 },
                    dilation: if first { first_dilation } else { dilation },
                    shortcut,
                    zero_init: zero_init_residual,
                };
                Block::new(&path.sub(number), &options)
            });
            blocks.collect()
        });
        let stages = stages.collect();
        ResNetBody { stem, pooled: options.stem == Stem::Large, stages, channels }
    }

    /// What each stage gives out.
    #[track_caller]
    pub(crate) fn stages(&self, x: &Tensor<E>) -> Vec<Tensor<E>> {
        let mut x = self.stem.forward(x).relu();
        if self.pooled {
            let windows = PoolOptions { stride: Some([2, 2]), padding: [1, 1], ..3.into() };
            x = max_pool("maxpool", &x, windows);
        }
        let stage = |blocks: &Vec<Block<E>>| {
            x = blocks.iter().fold(x.clone(), |x, block| block.forward(&x));
            x.clone()
        };
        self.stages.iter().map(stage).collect()
    }

    pub(crate) fn fuse(&self) -> Self {
        let stages = self.stages.iter().map(|blocks| blocks.iter().map(Block::fuse).collect()).collect();
        ResNetBody { stem: self.stem.fuse(), stages, ..*self }
    }
}

/// A residual network: a stem, stages of blocks y = relu(F(x) + x), the mean of each plane, a linear layer.
///
/// x (N, C, H, W) → logits (N, classes), for any H and W. What F cannot improve it can leave alone, so depth alone does
/// not make a network worse; [`Shortcut::None`] gives the plain network, which it does.
///
/// Paths: `conv1`, `bn1`, `layer1.0.conv1`, …, `layer1.0.downsample.0`, …, `fc`; a stage `layer2` and a block `layer2.0`
/// can be watched with [`outputs`](striate_nn::observe::outputs).
/// He et al. 2016; notes, section 5.4; torchvision's `ResNet`.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{ResNet, ResNetOptions, Shortcut};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let plain = ResNetOptions { shortcut: Shortcut::None, ..ResNetOptions::cifar(20) };
/// let net = ResNet::with(&store.root(), 10, &plain);
/// assert_eq!(net.forward(&Tensor::ones(&[2, 3, 32, 32])).shape(), [2, 10]);
/// ```
pub struct ResNet<E: Real = f32> {
    body: ResNetBody<E>,
    /// The head, which maps the means of the last stage's planes to logits.
    pub fc: Linear<E>,
}

impl<E: Real> ResNet<E> {
    /// A network with options.
    ///
    /// # Panics
    /// When there is no stage, or one without a block.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &ResNetOptions) -> Self {
        let body = ResNetBody::new(path, options);
        let features = options.features(options.stages.len() - 1);
        ResNet { body, fc: Linear::new(&path.sub("fc"), features, classes) }
    }
}

impl<E: Real> Module<E> for ResNet<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let stages = self.body.stages(x);
        self.fc.forward(&global_avg_pool(&stages[stages.len() - 1]))
    }
}

impl<E: Real> ImageNetwork<E> for ResNet<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "ResNet", channels: self.body.channels, smallest: 1 }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(ResNet { body: self.body.fuse(), fc: frozen(&self.fc) })
    }
}

/// ResNet-18 for ImageNet: 11,689,512 parameters with 1000 classes. See [`ResNet`]. torchvision's `resnet18`.
#[track_caller]
pub fn resnet18<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::imagenet(18))
}

/// ResNet-34 for ImageNet: 21,797,672 parameters with 1000 classes. See [`ResNet`]. torchvision's `resnet34`.
#[track_caller]
pub fn resnet34<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::imagenet(34))
}

/// ResNet-50 for ImageNet: 25,557,032 parameters with 1000 classes. See [`ResNet`]. torchvision's `resnet50`.
#[track_caller]
pub fn resnet50<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::imagenet(50))
}

/// ResNet-101 for ImageNet: 44,549,160 parameters with 1000 classes. See [`ResNet`]. torchvision's `resnet101`.
#[track_caller]
pub fn resnet101<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::imagenet(101))
}

/// ResNet-152 for ImageNet: 60,192,808 parameters with 1000 classes. See [`ResNet`]. torchvision's `resnet152`.
#[track_caller]
pub fn resnet152<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::imagenet(152))
}

/// ResNet-20 for images of 32×32. See [`ResNetOptions::cifar`].
#[track_caller]
pub fn resnet20<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::cifar(20))
}

/// ResNet-32 for images of 32×32. See [`ResNetOptions::cifar`].
#[track_caller]
pub fn resnet32<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::cifar(32))
}

/// ResNet-44 for images of 32×32. See [`ResNetOptions::cifar`].
#[track_caller]
pub fn resnet44<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::cifar(44))
}

/// ResNet-56 for images of 32×32. See [`ResNetOptions::cifar`].
#[track_caller]
pub fn resnet56<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::cifar(56))
}

/// ResNet-110 for images of 32×32. See [`ResNetOptions::cifar`].
#[track_caller]
pub fn resnet110<E: Real>(path: &Path<E>, classes: usize) -> ResNet<E> {
    ResNet::with(path, classes, &ResNetOptions::cifar(110))
}
