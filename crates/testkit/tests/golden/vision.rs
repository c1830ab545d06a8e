//! Networks that classify images against torchvision.

use striate_nn::{ParamStore, Path};
use striate_tensor::{Real, Tensor};
use striate_vision::{
    AlexNet, AlexNetOptions, GoogLeNet, GoogLeNetOptions, ImageNetwork, ResNet, ResNetOptions, Shortcut, Vgg,
    VggOptions, alexnet, fcn_resnet50, fcn_resnet101, googlenet, resnet18, resnet34, resnet50, resnet101,
    resnet152, vgg16,
};
use testkit::fill::{digest, fill, noise};
use testkit::golden::{Golden, assert_close, load, weights, within};

/// Holds logits in evaluation and training, the loss of all heads, and Σ c·d of every gradient d against PyTorch's.
pub(super) fn check<E: Real, N: ImageNetwork<E>>(
    golden: &Golden,
    case: &str,
    shape: &[usize],
    make: impl FnOnce(&Path<E>) -> N,
) {
    let tolerance = within(if E::NAME == "f64" { 1e-10 } else { 1e-3 });
    let close = |part: &str, actual: &Tensor<E>| {
        let name = format!("{case}:{part}");
        assert_close(&name, actual, &golden.f64(&name), tolerance);
    };
    let dot = |y: &Tensor<E>| (y * weights(y.shape())).sum();
    let rows = |y: Tensor<E>| if y.rank() == 4 { (&y * weights(y.shape())).sum_dim(&[-1], false) } else { y };
    let store = ParamStore::<E>::seeded(0);
    let net = make(&store.root());
    fill(&store);
    let x = noise::<E>("x", shape).requires_grad();
    store.eval();
    close("eval", &rows(net.forward(&x)));
    store.train();
    close("train", &rows(net.forward(&x)));
    let loss = net.loss(&x, &dot);
    close("loss", &loss);
    let gradients = loss.backward();
    close("dx", &dot(gradients.get(&x).unwrap()));
    for (name, parameter) in store.parameters().iter() {
        let gradient = gradients.get(parameter).unwrap_or_else(|| panic!("{case}: {name} has no gradient"));
        close(&format!("grad.{name}"), &dot(gradient));
    }
    let learnt = golden.under(&format!("{case}:grad.")).names().count();
    assert_eq!(store.parameters().len(), learnt, "{case}: PyTorch's network has other parameters");
}

const CLASSES: usize = 5;

fn classifier<E: Real, N: ImageNetwork<E>>(
    case: &str,
    shape: &[usize],
    make: impl FnOnce(&Path<E>, usize) -> N,
) {
    check(&load("classify"), case, shape, |path| make(path, CLASSES));
}

#[test]
fn alexnet_is_torchvisions() {
    let options = AlexNetOptions { hidden: 32, dropout: 0.0, ..Default::default() };
    classifier::<f64, _>("alexnet", &[2, 3, 63, 71], |path, n| AlexNet::with(path, n, &options));
    classifier::<f32, _>("alexnet", &[2, 3, 63, 71], |path, n| AlexNet::with(path, n, &options));
}

#[test]
fn vgg_is_torchvisions() {
    let small = VggOptions { width: 8, hidden: 32, dropout: 0.0, ..Default::default() };
    let plain = VggOptions { convolutions: [1, 2, 2, 3, 2], ..small };
    classifier::<f64, _>("vgg", &[2, 3, 32, 65], |path, n| Vgg::with(path, n, &plain));
    let normed = VggOptions { convolutions: [1, 1, 2, 2, 2], batch_norm: true, ..small };
    classifier::<f64, _>("vgg_bn", &[3, 3, 64, 39], |path, n| Vgg::with(path, n, &normed));
}

#[test]
fn googlenet_and_its_heads_are_torchvisions() {
    let options =
        GoogLeNetOptions { dropout: 0.0, aux_dropout: 0.0, transform_input: true, ..Default::default() };
    classifier::<f64, _>("googlenet", &[3, 3, 64, 49], |path, n| GoogLeNet::with(path, n, &options));
}

#[test]
fn resnets_are_torchvisions() {
    classifier::<f64, _>("resnet18", &[3, 3, 64, 49], resnet18);
    classifier::<f32, _>("resnet18", &[3, 3, 64, 49], resnet18);
    let bottleneck = ResNetOptions { stages: vec![1, 2, 1, 1], ..ResNetOptions::imagenet(50) };
    classifier::<f64, _>("bottleneck", &[3, 3, 49, 64], |path, n| ResNet::with(path, n, &bottleneck));
}

#[test]
fn resnets_for_small_images_have_shortcuts_without_parameters_or_none() {
    let residual = ResNetOptions::cifar(14);
    classifier::<f64, _>("resnet14", &[3, 3, 13, 10], |path, n| ResNet::with(path, n, &residual));
    let plain = ResNetOptions { shortcut: Shortcut::None, ..residual };
    classifier::<f64, _>("plain14", &[3, 3, 13, 10], |path, n| ResNet::with(path, n, &plain));
}

/// Holds the number of parameters, and all names and shapes, against torchvision's.
fn same_names<N>(name: &str, make: impl FnOnce(&Path<f32>) -> N) {
    let golden = load("zoo");
    let expected = |part: &str| golden.indices(&format!("{name}:{part}"))[[]];
    let store = ParamStore::<f32>::seeded(0);
    make(&store.root());
    assert_eq!(store.parameters().count(), expected("count"), "{name}: number of parameters");
    assert_eq!(digest(&store), expected("digest") as i64, "{name}: names and shapes");
}

#[test]
fn names_and_shapes_are_torchvisions() {
    same_names("alexnet", |path| alexnet(path, 1000));
    same_names("googlenet", |path| googlenet(path, 1000));
    same_names("resnet18", |path| resnet18(path, 1000));
    same_names("resnet34", |path| resnet34(path, 1000));
    same_names("resnet50", |path| resnet50(path, 1000));
    same_names("resnet101", |path| resnet101(path, 1000));
    same_names("resnet152", |path| resnet152(path, 1000));
    same_names("fcn_resnet50", |path| fcn_resnet50(path, 21));
    same_names("fcn_resnet101", |path| fcn_resnet101(path, 21));
    for layers in [11, 13, 16, 19] {
        for (batch_norm, suffix) in [(false, ""), (true, "_bn")] {
            let options = VggOptions { hidden: 32, batch_norm, ..VggOptions::layers(layers) };
            same_names(&format!("vgg{layers}{suffix}"), |path| Vgg::with(path, CLASSES, &options));
        }
    }
    let store = ParamStore::<f32>::seeded(0);
    vgg16(&store.root(), 1000);
    assert_eq!(store.parameters().count(), 138_357_544);
}
