//! Batch norm folded into the convolutions before it.

use striate_nn::observe::layer_calls;
use striate_nn::{ParamStore, Path};
use striate_tensor::Tensor;
use striate_vision::{
    AlexNet, AlexNetOptions, Fcn, FcnOptions, FcnResNet, FcnResNetOptions, GoogLeNet, GoogLeNetOptions,
    ImageNetwork, Norm, ResNet, ResNetOptions, ResidualBlock, SegNet, SegNetOptions, Shortcut, Stem, UNet,
    UNetOptions, Upsampling, Vgg, VggOptions,
};

/// A number in [−1, 1) for every i, without a pattern.
fn noise(i: usize) -> f64 {
    2.0 * ((i as f64 + 0.5).sin() * 43_758.545).fract().abs() - 1.0
}

/// Other numbers for all parameters and running statistics: weights that keep the size of signals, others near what they
/// are.
fn shake(store: &ParamStore<f64>) {
    for (number, name) in store.to_arrays().names().enumerate() {
        let Some(tensor) = store.get(name) else { continue };
        let fan_in: usize = tensor.shape()[1..].iter().product();
        let weights = tensor.rank() > 1;
        tensor.update(|values| {
            for (i, value) in values.make_mut().iter_mut().enumerate() {
                let noise = noise(1009 * number + i);
                *value = if weights { noise * (6.0 / fan_in as f64).sqrt() } else { *value + 0.25 * noise };
            }
        });
    }
}

fn image(shape: &[usize]) -> Tensor<f64> {
    Tensor::from_vec(shape, (0..shape.iter().product()).map(noise).collect())
}

/// Holds the fused network against its own in evaluation.
fn check<N: ImageNetwork<f64>>(shape: &[usize], make: impl FnOnce(&Path<f64>) -> N) {
    let store = ParamStore::seeded(0);
    let net = make(&store.root());
    shake(&store);
    store.eval();
    let x = image(shape).requires_grad();
    let expected = net.forward(&x);
    let seen = expected.sum().backward().get(&x).unwrap().abs().max().item();
    assert!(seen > 1e-2 * expected.abs().max().item(), "outputs {expected} hardly see the image: {seen}");

    let fused = net.fuse();
    assert_eq!(fused.input(), net.input());
    store.train();
    shake(&store);
    let x = x.detach();
    let (y, calls) = layer_calls(|| fused.forward(&x));
    let error = (&y - &expected).abs().max().item() / expected.abs().max().item();
    assert!(error < 1e-12, "fused outputs differ by {error:e}");
    assert!(!y.is_tracked(), "a fused network learns nothing");
    let removed = |kind| kind == "BatchNorm2d" || kind == "Dropout";
    assert!(!calls.iter().any(|call| removed(call.kind)), "{calls:?}");
    let again = fused.fuse().forward(&x);
    assert_eq!(again.to_vec(), y.to_vec(), "a fused network has nothing to fuse");
}

#[test]
fn classifiers() {
    let narrow = AlexNetOptions { hidden: 16, ..Default::default() };
    check(&[2, 3, 63, 63], |path| AlexNet::with(path, 3, &narrow));
    let narrow = VggOptions { width: 4, hidden: 16, ..VggOptions::layers(13) };
    check(&[2, 3, 32, 40], |path| Vgg::with(path, 3, &narrow));
    check(&[2, 3, 32, 40], |path| Vgg::with(path, 3, &VggOptions { batch_norm: true, ..narrow }));
    check(&[2, 3, 20, 15], |path| GoogLeNet::with(path, 3, &GoogLeNetOptions::default()));
}

#[test]
fn residual_and_plain_networks() {
    let small = ResNetOptions { stages: vec![1, 2], width: 8, ..Default::default() };
    for shortcut in [Shortcut::None, Shortcut::Padded, Shortcut::Projected] {
        for (block, stem) in [(ResidualBlock::Basic, Stem::Small), (ResidualBlock::Bottleneck, Stem::Large)] {
            let options = ResNetOptions { shortcut, block, stem, ..small.clone() };
            check(&[2, 3, 17, 12], |path| ResNet::with(path, 3, &options));
        }
    }
}

#[test]
fn networks_that_label_pixels() {
    let vgg = VggOptions { width: 4, hidden: 16, batch_norm: true, ..VggOptions::layers(11) };
    for upsampling in [Upsampling::Transposed, Upsampling::Nearest] {
        check(&[1, 3, 33, 40], |path| {
            Fcn::with(path, 3, &FcnOptions { upsampling, vgg, ..Default::default() })
        });
        check(&[1, 3, 33, 40], |path| SegNet::with(path, 3, &SegNetOptions { upsampling, vgg }));
    }
    let resnet = ResNetOptions { stages: vec![1, 1, 1], width: 8, dilated_stages: 1, ..Default::default() };
    let options = FcnResNetOptions { resnet, ..Default::default() };
    check(&[1, 3, 33, 40], |path| FcnResNet::with(path, 3, &options));
    for norm in [Norm::None, Norm::Batch, Norm::Group(2)] {
        for upsampling in [Upsampling::Transposed, Upsampling::MaxUnpooling] {
            let options = UNetOptions { depth: 2, width: 4, norm, upsampling, ..Default::default() };
            check(&[2, 3, 13, 10], |path| UNet::with(path, 3, &options));
        }
    }
}
