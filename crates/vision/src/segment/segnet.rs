//! SegNet.

use striate_conv::{Boundary, Conv2d, ConvLayerOptions, pad};
use striate_nn::{BatchNorm2d, Module, Path};
use striate_tensor::{Real, Tensor};

use super::upsampling::{Doubling, Pooled, Upsampling};
use crate::classify::vgg::{VggBody, VggOptions, WIDTHS};
use crate::network::{ImageInput, ImageNetwork, image_size};
use crate::units::{ConvNorm, HE, centred, crop, frozen_conv};

/// Height and width are padded to a multiple of this: five poolings.
const MULTIPLE: usize = 32;

/// Options of a [`SegNet`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegNetOptions {
    /// How maps become larger.
    pub upsampling: Upsampling,
    /// The encoder; its linear layers are not used.
    pub vgg: VggOptions,
}

impl Default for SegNetOptions {
    fn default() -> Self {
        let vgg = VggOptions { batch_norm: true, ..Default::default() };
        SegNetOptions { upsampling: Upsampling::MaxUnpooling, vgg }
    }
}

/// SegNet: the convolutions of VGG, and the same again in reverse order with unpooling for pooling.
///
/// x (N, C, H, W) → logits (N, classes, H, W), for any H and W: images are mirrored at their end up to a multiple of 32,
/// and logits cropped. What comes across from the encoder is only where each maximum stood.
///
/// Paths: `features.0`, … are a [`Vgg`](crate::Vgg)'s, whose file loads with
/// `load_except(file, &["classifier.", "decoder.", "score."])`; `decoder.4.0.conv`, `decoder.4.0.norm`, …,
/// `score`. Badrinarayanan, Kendall and Cipolla 2017; notes, section 6.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{SegNet, SegNetOptions, VggOptions};
///
/// let vgg = VggOptions { width: 4, batch_norm: true, ..VggOptions::layers(11) };
/// let options = SegNetOptions { vgg, ..Default::default() };
/// let net = SegNet::with(&ParamStore::<f32>::seeded(0).root(), 2, &options);
/// assert_eq!(net.forward(&Tensor::ones(&[1, 3, 45, 60])).shape(), [1, 2, 45, 60]);
/// ```
pub struct SegNet<E: Real = f32> {
    encoder: VggBody<E>,
    /// From the last block to the first.
    decoder: Vec<Decoding<E>>,
    score: Conv2d<E>,
}

/// One block of the decoder.
struct Decoding<E: Real> {
    doubling: Doubling<E>,
    convolutions: Vec<ConvNorm<E>>,
}

impl<E: Real> SegNet<E> {
    /// A network with options.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &SegNetOptions) -> Self {
        let SegNetOptions { upsampling, vgg } = options;
        let decoding = |block: usize| {
            let (width, count) = (WIDTHS[block] * vgg.width, vgg.convolutions[block]);
            let last = WIDTHS[block.saturating_sub(1)] * vgg.width;
            let path = path.sub("decoder").sub(block);
            let convolution = |index: usize| {
                let path = path.sub(index);
                let options = ConvLayerOptions { weight_init: Some(HE), bias: !vgg.batch_norm, ..centred(3) };
                let features = if index + 1 == count { last } else { width };
                let conv = Conv2d::with(&path.sub("conv"), width, features, [3, 3], options);
                ConvNorm::new(conv, vgg.batch_norm.then(|| BatchNorm2d::new(&path.sub("norm"), features)))
            };
            let doubling = Doubling::new(*upsampling, &path.sub("up"), [width; 2]);
            Decoding { doubling, convolutions: (0..count).map(convolution).collect() }
        };
        SegNet {
            encoder: VggBody::new(&path.sub("features"), vgg),
            decoder: (0..WIDTHS.len()).rev().map(decoding).collect(),
            score: Conv2d::with(&path.sub("score"), vgg.width, classes, [3, 3], centred(3)),
        }
    }
}

impl<E: Real> Module<E> for SegNet<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let image = image_size(self.input(), x);
        let sides = image.map(|n| (0, n.next_multiple_of(MULTIPLE) - n));
        let mut x = pad(x, sides, Boundary::Reflect);
        let mut pools = Vec::new();
        for block in 0..WIDTHS.len() {
            let (y, pooled) = Pooled::pool(&self.encoder.block(block, &x));
            x = y;
            pools.push(pooled);
        }
        for (Decoding { doubling, convolutions }, pooled) in self.decoder.iter().zip(pools.iter().rev()) {
            x = doubling.forward(&x, pooled);
            x = convolutions.iter().fold(x, |x, unit| unit.forward(&x).relu());
        }
        crop(&self.score.forward(&x), 0, image)
    }
}

impl<E: Real> ImageNetwork<E> for SegNet<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "SegNet", channels: self.encoder.channels, smallest: 1 }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        let decoding = |Decoding { doubling, convolutions }: &Decoding<E>| Decoding {
            doubling: doubling.fuse(),
            convolutions: convolutions.iter().map(ConvNorm::fuse).collect(),
        };
        Box::new(SegNet {
            encoder: self.encoder.fuse(),
            decoder: self.decoder.iter().map(decoding).collect(),
            score: frozen_conv(&self.score),
        })
    }
}
