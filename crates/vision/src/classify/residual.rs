//! Blocks of a residual network.

use striate_conv::ConvLayerOptions;
use striate_nn::{Init, Module, Path, observe};
use striate_tensor::ops::Padding;
use striate_tensor::{Real, Tensor};

use crate::units::{ConvNorm, HE, conv_norm};

/// The weight layers that a shortcut spans, with w the width of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResidualBlock {
    /// 3×3 w, 3×3 w.
    Basic,
    /// 1×1 w, 3×3 w, 1×1 4w: fewer multiplications, since the 3×3 has a quarter of the channels.
    Bottleneck,
}

impl ResidualBlock {
    /// Kernel and output channels of each convolution.
    fn convolutions(self, width: usize) -> Vec<(usize, usize)> {
        match self {
            ResidualBlock::Basic => vec![(3, width), (3, width)],
            ResidualBlock::Bottleneck => vec![(1, width), (3, width), (1, 4 * width)],
        }
    }

    /// Channels that a block gives out, by the width of its stage.
    pub(crate) fn expansion(self) -> usize {
        self.convolutions(1).last().map_or(1, |&(_, features)| features)
    }

    fn name(self) -> &'static str {
        match self {
            ResidualBlock::Basic => "BasicBlock",
            ResidualBlock::Bottleneck => "Bottleneck",
        }
    }
}

/// What is added to a block's weight layers: y = relu(F(x) + shortcut(x)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shortcut {
    /// Nothing: a plain network, y = relu(F(x)).
    None,
    /// x; where the size changes, every second pixel, with zeros as further channels. Option A of He et al. 2016.
    Padded,
    /// x; where the size changes, a 1×1 convolution of it. Option B of He et al. 2016, and torchvision's.
    #[default]
    Projected,
}

/// One block's place in its network.
pub(super) struct BlockOptions {
    pub(super) block: ResidualBlock,
    pub(super) channels: usize,
    pub(super) width: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) shortcut: Shortcut,
    pub(super) zero_init: bool,
}

/// y = relu(F(x) + shortcut(x)), F convolutions with batch norm and ReLU between them.
pub(super) struct Block<E: Real> {
    units: Vec<ConvNorm<E>>,
    shortcut: Skip<E>,
    kind: &'static str,
    name: String,
}

enum Skip<E: Real> {
    None,
    Identity,
    Padded { stride: usize, features: usize },
    Projected(Box<ConvNorm<E>>),
}

impl<E: Real> Block<E> {
    #[track_caller]
    pub(super) fn new(path: &Path<E>, options: &BlockOptions) -> Self {
        let &BlockOptions { block, channels, width, stride, dilation, shortcut, zero_init } = options;
        let convolutions = block.convolutions(width);
        let first_wide = convolutions.iter().position(|&(kernel, _)| kernel > 1);
        let (mut before, mut units) = (channels, Vec::new());
        for (i, &(kernel, features)) in convolutions.iter().enumerate() {
            let [conv, norm] = ["conv", "bn"].map(|name| path.sub(format!("{name}{}", i + 1)));
            let norm = if zero_init && i + 1 == convolutions.len() {
                starting_at_zero(&norm, features)
            } else {
                norm
            };
            let stride = if Some(i) == first_wide { stride } else { 1 };
            let options = ConvLayerOptions {
                stride: [stride; 2],
                padding: (kernel / 2 * dilation).into(),
                dilation: [dilation; 2],
                weight_init: Some(HE),
                ..Default::default()
            };
            units.push(conv_norm([&conv, &norm], [before, features], kernel, options));
            before = features;
        }
        let features = before;
        let same = stride == 1 && channels == features;
        let shortcut = match shortcut {
            Shortcut::None => Skip::None,
            _ if same => Skip::Identity,
            Shortcut::Padded => Skip::Padded { stride, features },
            Shortcut::Projected => {
                let path = path.sub("downsample");
                let options =
                    ConvLayerOptions { stride: [stride; 2], weight_init: Some(HE), ..Default::default() };
                let unit = conv_norm([&path.sub(0), &path.sub(1)], [channels, features], 1, options);
                Skip::Projected(Box::new(unit))
            }
        };
        Block { units, shortcut, kind: block.name(), name: path.name().to_string() }
    }

    pub(super) fn fuse(&self) -> Self {
        let shortcut = match &self.shortcut {
            Skip::None => Skip::None,
            Skip::Identity => Skip::Identity,
            &Skip::Padded { stride, features } => Skip::Padded { stride, features },
            Skip::Projected(unit) => Skip::Projected(Box::new(unit.fuse())),
        };
        let units = self.units.iter().map(ConvNorm::fuse).collect();
        Block { units, shortcut, kind: self.kind, name: self.name.clone() }
    }
}

/// The path of a batch norm with γ = 0.
#[track_caller]
fn starting_at_zero<E: Real>(path: &Path<E>, channels: usize) -> Path<E> {
    path.parameter("weight", &[channels], Init::Constant(0.0));
    path.tied()
}

impl<E: Real> Module<E> for Block<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let (first, rest) = self.units.split_first().expect("a block has weight layers");
        let f = rest.iter().fold(first.forward(x), |y, unit| unit.forward(&y.relu()));
        let y = match &self.shortcut {
            Skip::None => f,
            Skip::Identity => f + x,
            Skip::Padded { stride, features } => f + padded(x, *stride, *features),
            Skip::Projected(unit) => f + unit.forward(x),
        };
        observe::layer(&self.name, self.kind, y.relu())
    }
}

/// Every `stride`-th pixel of x, and zeros as channels after its own, up to `features`.
fn padded<E: Real>(x: &Tensor<E>, stride: usize, features: usize) -> Tensor<E> {
    let more = features - x.shape()[1];
    let x = x.slice(2, .., stride).slice(3, .., stride);
    x.pad(&[(0, 0), (0, more), (0, 0), (0, 0)], Padding::Constant(0.0))
}
