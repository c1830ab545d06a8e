//! What the networks are put together from.

use striate_conv::{Conv2d, ConvLayerOptions, PoolOptions, max_pool2d};
use striate_nn::{BatchNorm2d, Fan, GroupNorm, Init, Linear, Module, Path, observe};
use striate_tensor::{Real, Tensor};

/// N(0, 2 / fan_out), which keeps the variance of gradients through ReLU. He et al. 2015.
pub(crate) const HE: Init = Init::HeNormal { fan: Fan::Out, gain: std::f64::consts::SQRT_2 };

/// What normalises the maps of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Norm {
    /// Nothing.
    None,
    /// [`BatchNorm2d`]: each channel over the batch.
    #[default]
    Batch,
    /// [`GroupNorm`]: this many groups of channels, each image by itself.
    Group(usize),
    /// [`GroupNorm`] with groups of one channel. Ulyanov, Vedaldi and Lempitsky 2016.
    Instance,
}

/// A convolution and the norm after it, where there is one: y = norm(x ⋆ w + b).
pub(crate) struct ConvNorm<E: Real> {
    conv: Conv2d<E>,
    norm: Normalization<E>,
}

enum Normalization<E: Real> {
    None,
    Batch(Box<BatchNorm2d<E>>),
    Group(Box<GroupNorm<E>>),
}

impl<E: Real> ConvNorm<E> {
    /// `conv` and, where there is one, the batch norm of its outputs.
    pub(crate) fn new(conv: Conv2d<E>, norm: Option<BatchNorm2d<E>>) -> Self {
        ConvNorm { conv, norm: norm.map_or(Normalization::None, |norm| Normalization::Batch(Box::new(norm))) }
    }

    /// `conv` and a norm at `path`.
    #[track_caller]
    pub(crate) fn with_norm(conv: Conv2d<E>, norm: Norm, path: &Path<E>) -> Self {
        let features = conv.weight.shape()[0];
        let norm = match norm {
            Norm::None => Normalization::None,
            Norm::Batch => Normalization::Batch(Box::new(BatchNorm2d::new(path, features))),
            Norm::Group(groups) => Normalization::Group(Box::new(GroupNorm::new(path, groups, features))),
            Norm::Instance => Normalization::Group(Box::new(GroupNorm::new(path, features, features))),
        };
        ConvNorm { conv, norm }
    }

    /// The values of now as constants, with batch norm in the convolution: w ← a w, b ← a b + β − μ a.
    pub(crate) fn fuse(&self) -> Self {
        let mut conv = frozen_conv(&self.conv);
        let norm = match &self.norm {
            Normalization::None => Normalization::None,
            Normalization::Batch(norm) => {
                let [a, shift] = norm.scale_and_shift().expect("batch norm here keeps running statistics");
                conv.weight = conv.weight * a.reshape(&[-1, 1, 1, 1]);
                conv.bias = Some(conv.bias.map_or(shift.clone(), |b| b * a + shift));
                Normalization::None
            }
            Normalization::Group(norm) => {
                let mut norm = norm.clone();
                norm.affine = norm.affine.map(|affine| affine.map(|parameter| parameter.detach()));
                Normalization::Group(norm)
            }
        };
        ConvNorm { conv, norm }
    }
}

impl<E: Real> Module<E> for ConvNorm<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let y = self.conv.forward(x);
        match &self.norm {
            Normalization::None => y,
            Normalization::Batch(norm) => norm.forward(&y),
            Normalization::Group(norm) => norm.forward(&y),
        }
    }
}

/// Options of a square kernel of an odd size that leaves the size of the map, up to its stride.
pub(crate) fn centred(kernel: usize) -> ConvLayerOptions<2> {
    ConvLayerOptions { padding: (kernel / 2).into(), ..Default::default() }
}

/// y = max(x, 0), under a name.
pub(crate) fn relu<E: Real>(name: &str, x: &Tensor<E>) -> Tensor<E> {
    observe::layer(name, "ReLU", x.relu())
}

/// Max pooling under a name.
#[track_caller]
pub(crate) fn max_pool<E: Real>(name: &str, x: &Tensor<E>, options: PoolOptions<2>) -> Tensor<E> {
    observe::layer(name, "MaxPool2d", max_pool2d(x, options))
}

/// The layer with the values of now as constants.
pub(crate) fn frozen_conv<E: Real>(conv: &Conv2d<E>) -> Conv2d<E> {
    let mut frozen = conv.clone();
    frozen.weight = conv.weight.detach();
    frozen.bias = conv.bias.as_ref().map(Tensor::detach);
    frozen
}

/// The layer with the values of now as constants.
pub(crate) fn frozen<E: Real>(linear: &Linear<E>) -> Linear<E> {
    let mut frozen = linear.clone();
    frozen.weight = linear.weight.detach();
    frozen.bias = linear.bias.as_ref().map(Tensor::detach);
    frozen
}

/// A convolution without bias and the batch norm that follows, at two paths.
#[track_caller]
pub(crate) fn conv_norm<E: Real>(
    [conv, norm]: [&Path<E>; 2],
    [channels, features]: [usize; 2],
    kernel: usize,
    options: ConvLayerOptions<2>,
) -> ConvNorm<E> {
    let options = ConvLayerOptions { bias: false, ..options };
    let conv = Conv2d::with(conv, channels, features, [kernel; 2], options);
    ConvNorm::new(conv, Some(BatchNorm2d::new(norm, features)))
}

/// `size` rows and columns of x from `(at, at)` on.
#[track_caller]
pub(crate) fn crop<E: Real>(x: &Tensor<E>, at: usize, [height, width]: [usize; 2]) -> Tensor<E> {
    if x.shape()[2..] == [height, width] {
        return x.clone();
    }
    x.narrow(2, at, height).narrow(3, at, width)
}

/// Height and width of x (N, C, H, W).
pub(crate) fn size<E: Real>(x: &Tensor<E>) -> [usize; 2] {
    [x.shape()[2], x.shape()[3]]
}
