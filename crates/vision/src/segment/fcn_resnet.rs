//! Fully convolutional networks on ResNet.

use striate_conv::{Conv2d, Resize, upsample_bilinear2d};
use striate_nn::{Dropout, Mode, Module, Path};
use striate_tensor::{Real, Tensor};

use crate::classify::{ResNetBody, ResNetOptions};
use crate::network::{ImageInput, ImageNetwork, image_size};
use crate::units::{ConvNorm, centred, conv_norm, frozen_conv};

/// α, the weight of the auxiliary head's loss.
const HEAD_WEIGHT: f64 = 0.5;

/// Options of an [`FcnResNet`]: those of `fcn_resnet50` unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct FcnResNetOptions {
    /// The classifier it is made from.
    pub resnet: ResNetOptions,
    /// Whether there is an auxiliary head on the last stage but one.
    pub aux_head: bool,
    /// Probability of dropout in the heads.
    pub dropout: f64,
}

impl Default for FcnResNetOptions {
    fn default() -> Self {
        Self::layers(50)
    }
}

impl FcnResNetOptions {
    /// On the ResNet of 18, 34, 50, 101 or 152 weight layers, the last two stages dilated.
    ///
    /// # Panics
    /// For another number.
    #[track_caller]
    pub fn layers(layers: usize) -> Self {
        let resnet = ResNetOptions { dilated_stages: 2, ..ResNetOptions::imagenet(layers) };
        FcnResNetOptions { resnet, aux_head: true, dropout: 0.1 }
    }
}

/// A fully convolutional network: a ResNet whose last stages are dilated, so that maps stay at an eighth of the image, a
/// small head, bilinear interpolation to the image.
///
/// x (N, C, H, W) → logits (N, classes, H, W), for any H and W. [`ImageNetwork::loss`] is ℓ(y) + ½ ℓ(yₕ) in training,
/// with the logits of the auxiliary head; in evaluation it is not computed.
///
/// Paths: `backbone.conv1`, …, `classifier.0`, `classifier.1`, `classifier.4`, `aux_classifier.0`, ….
/// Long, Shelhamer and Darrell 2015; notes, section 6; torchvision's `FCN`.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{FcnResNet, FcnResNetOptions, ResNetOptions};
///
/// let resnet = ResNetOptions { width: 8, dilated_stages: 2, ..ResNetOptions::imagenet(18) };
/// let options = FcnResNetOptions { resnet, ..Default::default() };
/// let net = FcnResNet::with(&ParamStore::<f32>::seeded(0).root(), 2, &options);
/// assert_eq!(net.forward(&Tensor::ones(&[2, 3, 45, 60])).shape(), [2, 2, 45, 60]);
/// ```
pub struct FcnResNet<E: Real = f32> {
    backbone: ResNetBody<E>,
    classifier: FcnHead<E>,
    aux_classifier: Option<FcnHead<E>>,
    mode: Mode,
}

impl<E: Real> FcnResNet<E> {
    /// A network with options.
    ///
    /// # Panics
    /// When there are fewer than two stages, or one without a block.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &FcnResNetOptions) -> Self {
        let FcnResNetOptions { resnet, aux_head, dropout } = options;
        let backbone = ResNetBody::new(&path.sub("backbone"), resnet);
        let last = resnet.stages.len() - 1;
        let head =
            |name: &str, stage| FcnHead::new(&path.sub(name), resnet.features(stage), classes, *dropout);
        FcnResNet {
            backbone,
            classifier: head("classifier", last),
            aux_classifier: aux_head.then(|| head("aux_classifier", last - 1)),
            mode: path.mode(),
        }
    }

    /// The logits, and in training those of the auxiliary head.
    #[track_caller]
    pub fn forward_with_head(&self, x: &Tensor<E>) -> (Tensor<E>, Option<Tensor<E>>) {
        let image = Resize::Size(image_size(self.input(), x));
        let stages = self.backbone.stages(x);
        let logits = |head: &FcnHead<E>, map| upsample_bilinear2d(&head.forward(map), image, false);
        let head = self.aux_classifier.as_ref().filter(|_| self.mode.is_training());
        let last = stages.len() - 1;
        (logits(&self.classifier, &stages[last]), head.map(|head| logits(head, &stages[last - 1])))
    }
}

impl<E: Real> Module<E> for FcnResNet<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.forward_with_head(x).0
    }
}

impl<E: Real> ImageNetwork<E> for FcnResNet<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "FCN-ResNet", channels: self.backbone.channels, smallest: 1 }
    }

    fn loss(&self, x: &Tensor<E>, loss: &dyn Fn(&Tensor<E>) -> Tensor<E>) -> Tensor<E> {
        let (logits, head) = self.forward_with_head(x);
        head.iter().fold(loss(&logits), |sum, logits| sum + HEAD_WEIGHT * loss(logits))
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(FcnResNet {
            backbone: self.backbone.fuse(),
            classifier: self.classifier.fuse(),
            aux_classifier: None,
            mode: self.mode.clone(),
        })
    }
}

/// 3×3 convolution to a quarter of the channels, batch norm, ReLU, dropout, 1×1 convolution to the classes.
struct FcnHead<E: Real> {
    hidden: ConvNorm<E>,
    dropout: Option<Dropout>,
    score: Conv2d<E>,
}

impl<E: Real> FcnHead<E> {
    #[track_caller]
    fn new(path: &Path<E>, channels: usize, classes: usize, dropout: f64) -> Self {
        let inner = channels / 4;
        FcnHead {
            hidden: conv_norm([&path.sub(0), &path.sub(1)], [channels, inner], 3, centred(3)),
            dropout: Some(Dropout::new(&path.sub(3), dropout)),
            score: Conv2d::new(&path.sub(4), inner, classes, [1, 1]),
        }
    }

    fn fuse(&self) -> Self {
        FcnHead { hidden: self.hidden.fuse(), dropout: None, score: frozen_conv(&self.score) }
    }
}

impl<E: Real> Module<E> for FcnHead<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let y = self.hidden.forward(x).relu();
        let y = self.dropout.as_ref().map_or_else(|| y.clone(), |dropout| dropout.forward(&y));
        self.score.forward(&y)
    }
}

/// FCN on ResNet-50: 35,322,218 parameters with 21 classes, 2,360,341 of them in the auxiliary head. See [`FcnResNet`].
/// torchvision's `fcn_resnet50(aux_loss=True)`.
#[track_caller]
pub fn fcn_resnet50<E: Real>(path: &Path<E>, classes: usize) -> FcnResNet<E> {
    FcnResNet::with(path, classes, &FcnResNetOptions::layers(50))
}

/// FCN on ResNet-101: 54,314,346 parameters with 21 classes. See [`FcnResNet`]. torchvision's
/// `fcn_resnet101(aux_loss=True)`.
#[track_caller]
pub fn fcn_resnet101<E: Real>(path: &Path<E>, classes: usize) -> FcnResNet<E> {
    FcnResNet::with(path, classes, &FcnResNetOptions::layers(101))
}
