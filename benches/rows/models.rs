//! Whole models: training steps of classifiers, a U-Net and auto-encoders, and networks that look at one picture.

use ndarray::Array3;
use protocol::models::{self, Classifier};
use protocol::{Prepare, Row, data};
use striate_conv::{Conv2d, ConvLayerOptions, MaxPool2d};
use striate_generative::{Network, Objective, Vae, VaeOptions};
use striate_nn::losses::cross_entropy;
use striate_nn::{Linear, Module, ParamStore, Path, Sequential};
use striate_tensor::Tensor;
use striate_vision::{
    GoogLeNet, GoogLeNetOptions, ImageNetwork, ResNet, ResNetOptions, Stem, UNet, UNetOptions, resnet18,
    vgg16,
};

use crate::step::{self, input};

/// All rows.
pub fn rows() -> Vec<(String, Prepare)> {
    let convolutional = Network::convolutional;
    let mut rows: Vec<(&str, Prepare)> = vec![
        (models::RESNET18_CIFAR.name, Box::new(|| train(&models::RESNET18_CIFAR, resnet18_cifar))),
        (models::UNET.name, Box::new(segment)),
        (models::VAE.name, Box::new(|| auto_encode(&models::VAE, Network::default()))),
        (models::CONV_VAE.name, Box::new(move || auto_encode(&models::CONV_VAE, convolutional()))),
        (models::RESNET18.name, Box::new(|| look(&models::RESNET18, resnet18))),
        (models::VGG16.name, Box::new(|| look(&models::VGG16, vgg16))),
        (models::GOOGLENET.name, Box::new(|| look(&models::GOOGLENET, googlenet))),
    ];
    rows.extend(models::LENET.each_ref().map(|row| (row.name, Box::new(|| train(row, lenet)) as Prepare)));
    rows.into_iter().map(|(name, prepare)| (name.to_owned(), prepare)).collect()
}

/// Gives all parameters the values that every peer starts with.
fn start(store: &ParamStore) {
    let parameters = store.parameters();
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (place, (name, parameter)) in sorted.into_iter().enumerate() {
        if let Some(values) = data::parameter(place, name, parameter.shape()) {
            parameter.update(|array| array.make_mut().copy_from_slice(&values));
        }
    }
}

fn x(row: &Classifier) -> Tensor {
    input(row.x(), &row.shape)
}

/// A training step with one label for each picture.
fn train<M: Module + 'static>(row: &Classifier, new: impl Fn(&Path, usize) -> M) -> Row {
    let store = ParamStore::seeded(0);
    let net = new(&store.root(), row.classes);
    start(&store);
    let (x, labels) = (x(row), row.labels());
    lowered(step::training(&store, move || cross_entropy(&net.forward(&x), &labels)))
}

/// A training step of the U-Net, with one label for each pixel.
fn segment() -> Row {
    let row = models::UNET;
    let store = ParamStore::seeded(0);
    let [n, channels, height, width] = row.shape;
    let options =
        UNetOptions { depth: models::UNET_DEPTH, width: models::UNET_WIDTH, channels, ..Default::default() };
    let net = UNet::with(&store.root(), row.classes, &options);
    start(&store);
    let labels = data::labels(n * height * width, row.classes);
    let labels = Array3::from_shape_vec((n, height, width), labels).expect("a label for each pixel");
    let x = x(&row);
    lowered(step::training(&store, move || cross_entropy(&net.forward(&x), &labels)))
}

/// The same row, whose check are the loss before the first step and by how much that lowers it.
fn lowered(row: Row) -> Row {
    let check = vec![row.check[0], row.check[0] - row.check[1]];
    Row { check, ..row }
}

/// A training step of an auto-encoder. Its noise is given in the first two steps, then drawn.
fn auto_encode(row: &models::Vae, network: Network) -> Row {
    let store = ParamStore::seeded(0);
    let options = VaeOptions { network, latent: row.latent, ..Default::default() };
    let vae = Vae::new(&store.root(), &row.shape[1..], &options).expect("sizes that fit");
    start(&store);
    let objective = Objective { beta: row.beta, ..Default::default() };
    let shape = [row.shape[0], row.latent];
    let mut given = row.noise().map(|noise| Tensor::from_vec(&shape, noise)).into_iter();
    let x = input(row.x(), row.shape);
    step::training(&store, move || {
        let elbo = match given.next() {
            Some(noise) => vae.elbo_at(&x, &noise),
            None => vae.elbo(&x),
        };
        elbo.loss(&objective)
    })
}

/// The logits of one picture, by a fused network.
fn look<N: ImageNetwork>(row: &Classifier, new: impl Fn(&Path, usize) -> N) -> Row {
    let store = ParamStore::seeded(0);
    let net = new(&store.root(), row.classes);
    start(&store);
    store.eval();
    let (x, net) = (x(row), net.fuse());
    let forward = step::forward(vec![x], move |x| net.forward(&x[0]));
    Row { parameters: store.parameters().count(), ..step::row(forward) }
}

fn resnet18_cifar(path: &Path, classes: usize) -> ResNet {
    ResNet::with(path, classes, &ResNetOptions { stem: Stem::Small, ..Default::default() })
}

fn googlenet(path: &Path, classes: usize) -> GoogLeNet {
    GoogLeNet::with(path, classes, &GoogLeNetOptions { aux_heads: false, ..Default::default() })
}

fn lenet(path: &Path, classes: usize) -> Sequential {
    let options = ConvLayerOptions { padding: 2.into(), ..Default::default() };
    Sequential::new()
        .then(Conv2d::with(&path.sub("conv1"), 1, 16, [5, 5], options))
        .then(Tensor::relu)
        .then(MaxPool2d::new(2))
        .then(Conv2d::with(&path.sub("conv2"), 16, 32, [5, 5], options))
        .then(Tensor::relu)
        .then(MaxPool2d::new(2))
        .then(|x: &Tensor| x.flatten(1, -1))
        .then(Linear::new(&path.sub("fc1"), 32 * 7 * 7, 128))
        .then(Tensor::relu)
        .then(Linear::new(&path.sub("fc2"), 128, classes))
}
