//! Networks by the names that users type.

use striate_nn::Path;
use striate_tensor::Real;

use super::alexnet::alexnet;
use super::googlenet::googlenet;
use super::residual::Shortcut;
use super::resnet::{ResNet, ResNetOptions};
use super::vgg::{Vgg, VggOptions};
use crate::error::VisionError;
use crate::network::ImageNetwork;

/// A kind of network, and its weight layers.
#[derive(Clone, Copy)]
enum Kind {
    AlexNet,
    Vgg(usize),
    VggWithNorm(usize),
    GoogLeNet,
    ResNet(usize),
    PlainNet(usize),
    CifarResNet(usize),
    CifarPlainNet(usize),
}

const CLASSIFIERS: [(&str, Kind); 30] = [
    ("alexnet", Kind::AlexNet),
    ("vgg11", Kind::Vgg(11)),
    ("vgg13", Kind::Vgg(13)),
    ("vgg16", Kind::Vgg(16)),
    ("vgg19", Kind::Vgg(19)),
    ("vgg11_bn", Kind::VggWithNorm(11)),
    ("vgg13_bn", Kind::VggWithNorm(13)),
    ("vgg16_bn", Kind::VggWithNorm(16)),
    ("vgg19_bn", Kind::VggWithNorm(19)),
    ("googlenet", Kind::GoogLeNet),
    ("resnet18", Kind::ResNet(18)),
    ("resnet34", Kind::ResNet(34)),
    ("resnet50", Kind::ResNet(50)),
    ("resnet101", Kind::ResNet(101)),
    ("resnet152", Kind::ResNet(152)),
    ("resnet20", Kind::CifarResNet(20)),
    ("resnet32", Kind::CifarResNet(32)),
    ("resnet44", Kind::CifarResNet(44)),
    ("resnet56", Kind::CifarResNet(56)),
    ("resnet110", Kind::CifarResNet(110)),
    ("plain18", Kind::PlainNet(18)),
    ("plain34", Kind::PlainNet(34)),
    ("plain50", Kind::PlainNet(50)),
    ("plain101", Kind::PlainNet(101)),
    ("plain152", Kind::PlainNet(152)),
    ("plain20", Kind::CifarPlainNet(20)),
    ("plain32", Kind::CifarPlainNet(32)),
    ("plain44", Kind::CifarPlainNet(44)),
    ("plain56", Kind::CifarPlainNet(56)),
    ("plain110", Kind::CifarPlainNet(110)),
];

/// The names that [`classifier`] knows: torchvision's, ResNets for images of 32×32, and plain networks of the same depths.
pub fn classifier_names() -> impl Iterator<Item = &'static str> {
    CLASSIFIERS.iter().map(|&(name, _)| name)
}

/// The network of that name, with default options: for names that come from outside.
///
/// # Errors
/// When there is none: see [`classifier_names`].
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::classifier;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let net = classifier("plain20", &store.root(), 10)?;
/// assert_eq!(net.forward(&Tensor::ones(&[2, 3, 32, 32])).shape(), [2, 10]);
/// # Ok::<(), striate_vision::VisionError>(())
/// ```
#[track_caller]
pub fn classifier<E: Real>(
    name: &str,
    path: &Path<E>,
    classes: usize,
) -> Result<Box<dyn ImageNetwork<E>>, VisionError> {
    let plain = |options| ResNetOptions { shortcut: Shortcut::None, ..options };
    let resnet = |options| Box::new(ResNet::with(path, classes, &options));
    let vgg = |options| Box::new(Vgg::with(path, classes, &options));
    Ok(match kind(name)? {
        Kind::AlexNet => Box::new(alexnet(path, classes)),
        Kind::Vgg(layers) => vgg(VggOptions::layers(layers)),
        Kind::VggWithNorm(layers) => vgg(VggOptions { batch_norm: true, ..VggOptions::layers(layers) }),
        Kind::GoogLeNet => Box::new(googlenet(path, classes)),
        Kind::ResNet(layers) => resnet(ResNetOptions::imagenet(layers)),
        Kind::PlainNet(layers) => resnet(plain(ResNetOptions::imagenet(layers))),
        Kind::CifarResNet(layers) => resnet(ResNetOptions::cifar(layers)),
        Kind::CifarPlainNet(layers) => resnet(plain(ResNetOptions::cifar(layers))),
    })
}

/// The prefixes of the parameters whose shapes depend on the number of classes: what
/// [`load_except`](striate_nn::ParamStore::load_except) may leave as it starts when weights were trained on other classes.
/// For GoogLeNet these are its auxiliary heads as a whole.
///
/// # Errors
/// When there is no network of that name: see [`classifier_names`].
///
/// ```
/// use striate_vision::classifier_head;
///
/// assert_eq!(classifier_head("resnet18")?, ["fc."]);
/// # Ok::<(), striate_vision::VisionError>(())
/// ```
pub fn classifier_head(name: &str) -> Result<&'static [&'static str], VisionError> {
    Ok(match kind(name)? {
        Kind::AlexNet | Kind::Vgg(_) | Kind::VggWithNorm(_) => &["classifier.6."],
        Kind::GoogLeNet => &["fc.", "aux1.", "aux2."],
        Kind::ResNet(_) | Kind::PlainNet(_) | Kind::CifarResNet(_) | Kind::CifarPlainNet(_) => &["fc."],
    })
}

fn kind(name: &str) -> Result<Kind, VisionError> {
    let known = CLASSIFIERS.iter().find(|(known, _)| *known == name);
    known
        .map(|&(_, kind)| kind)
        .ok_or_else(|| VisionError::Unknown { name: name.into(), known: classifier_names().collect() })
}
