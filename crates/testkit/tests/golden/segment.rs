//! Networks that label every pixel against torchvision, and against the papers' as modules of PyTorch.

use striate_nn::Path;
use striate_vision::{
    Fcn, FcnDetail, FcnOptions, FcnResNet, FcnResNetOptions, ImageNetwork, Norm, ResNetOptions, SegNet,
    SegNetOptions, UNet, UNetOptions, Upsampling, VggOptions,
};
use testkit::golden::load;

use super::vision::check;

const CLASSES: usize = 3;

fn segmenter<N: ImageNetwork<f64>>(case: &str, shape: &[usize], make: impl FnOnce(&Path<f64>, usize) -> N) {
    check(&load("segment"), case, shape, |path| make(path, CLASSES));
}

#[test]
fn fcn_on_resnet_and_its_head_are_torchvisions() {
    let resnet = ResNetOptions { stages: vec![1, 2, 1, 2], ..FcnResNetOptions::layers(50).resnet };
    let options = FcnResNetOptions { resnet, dropout: 0.0, aux_head: true };
    segmenter("fcn_resnet", &[2, 3, 35, 27], |path, n| FcnResNet::with(path, n, &options));
}

#[test]
fn fcn_is_the_papers_by_each_upsampling_of_scores() {
    let vgg = VggOptions {
        convolutions: [1, 1, 2, 1, 2],
        width: 4,
        hidden: 24,
        dropout: 0.0,
        ..Default::default()
    };
    for (case, detail, upsampling) in [
        ("fcn32s", FcnDetail::Fcn32s, Upsampling::Transposed),
        ("fcn16s", FcnDetail::Fcn16s, Upsampling::Transposed),
        ("fcn8s", FcnDetail::Fcn8s, Upsampling::Transposed),
        ("fcn8s, nearest", FcnDetail::Fcn8s, Upsampling::Nearest),
        ("fcn16s, bilinear", FcnDetail::Fcn16s, Upsampling::Bilinear),
        ("fcn8s, nails", FcnDetail::Fcn8s, Upsampling::BedOfNails),
    ] {
        let options = FcnOptions { detail, upsampling, vgg };
        segmenter(case, &[2, 3, 33, 58], |path, n| Fcn::with(path, n, &options));
    }
}

#[test]
fn segnet_unpools_as_the_paper() {
    let vgg = VggOptions { convolutions: [1, 2, 1, 1, 2], width: 4, batch_norm: true, ..Default::default() };
    let options = SegNetOptions { vgg, ..Default::default() };
    segmenter("segnet", &[2, 3, 33, 58], |path, n| SegNet::with(path, n, &options));
}

#[test]
fn unet_is_the_papers_with_every_option() {
    let small = UNetOptions { width: 4, ..Default::default() };
    let cases = [
        ("unet", [2, 1, 21, 30], UNetOptions { depth: 3, channels: 1, ..small.clone() }),
        (
            "unet, valid",
            [1, 3, 44, 52],
            UNetOptions { depth: 2, norm: Norm::None, padded: false, ..small.clone() },
        ),
        (
            "unet, bilinear, no skip at 1",
            [2, 2, 16, 13],
            UNetOptions {
                depth: 2,
                channels: 2,
                norm: Norm::Group(2),
                upsampling: Upsampling::Bilinear,
                without_skips: vec![1],
                ..small.clone()
            },
        ),
        (
            "unet, nearest",
            [2, 3, 9, 8],
            UNetOptions { depth: 1, norm: Norm::Instance, upsampling: Upsampling::Nearest, ..small.clone() },
        ),
        (
            "unet, unpooling, no skips",
            [2, 3, 15, 12],
            UNetOptions {
                depth: 2,
                upsampling: Upsampling::MaxUnpooling,
                without_skips: vec![0, 1],
                ..small.clone()
            },
        ),
    ];
    for (case, shape, options) in cases {
        segmenter(case, &shape, |path, n| UNet::with(path, n, &options));
    }
}
