//! Laws of networks that label every pixel.

use striate_nn::{Module, ParamStore};
use striate_tensor::{Tensor, no_grad};
use striate_vision::{
    AlexNet, AlexNetOptions, Fcn, FcnOptions, ImageNetwork, Norm, SegNet, SegNetOptions, UNet, UNetOptions,
    Upsampling, Vgg, VggOptions,
};

fn image(shape: &[usize]) -> Tensor<f64> {
    let count = shape.iter().product();
    Tensor::from_vec(shape, (0..count).map(|i| ((i * i % 1009) as f64).sin()).collect())
}

fn difference(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    (a - b).abs().max().item() / b.abs().max().item()
}

#[test]
fn linear_layers_as_convolutions_give_the_same_and_a_map_for_larger_images() {
    let store = ParamStore::seeded(0);
    let vgg = VggOptions { width: 4, hidden: 16, ..VggOptions::layers(11) };
    let vgg = Vgg::with(&store.root().sub("vgg"), 5, &vgg);
    let alexnet = AlexNetOptions { hidden: 16, ..Default::default() };
    let alexnet = AlexNet::with(&store.root().sub("alexnet"), 5, &alexnet);
    store.eval();
    let (dense, map) = no_grad(|| {
        let x = image(&[2, 3, 224, 224]);
        ([vgg.forward(&x), alexnet.forward(&x)], [vgg.score_map(&x), alexnet.score_map(&x)])
    });
    for (dense, map) in dense.iter().zip(&map) {
        assert!(difference(&map.flatten(1, -1), dense) < 1e-12);
    }
    let x = image(&[1, 3, 256, 320]);
    no_grad(|| {
        assert_eq!(vgg.score_map(&x).shape(), [1, 5, 2, 4]);
        assert_eq!(alexnet.score_map(&x).shape(), [1, 5, 2, 4]);
    });
}

#[test]
fn scores_of_an_fcn_start_at_nothing_and_then_at_bilinear_interpolation() {
    let store = ParamStore::seeded(0);
    let vgg = VggOptions { width: 4, hidden: 16, dropout: 0.0, ..VggOptions::layers(11) };
    let net = Fcn::with(&store.root(), 3, &FcnOptions { vgg, ..Default::default() });
    let x = image(&[1, 3, 150, 160]);
    assert!(net.forward(&x).to_vec().iter().all(|&y| y == 0.0));
    let scores = [1.0, -2.0, 3.0];
    store.get("score_fr.bias").unwrap().update(|bias| bias.make_mut().copy_from_slice(&scores));
    // Near the border kernels of the paper have less than their whole sum.
    let middle = net.forward(&x).narrow(2, 70, 10).narrow(3, 70, 20);
    for (class, score) in scores.into_iter().enumerate() {
        let plane = middle.narrow(1, class, 1).to_vec();
        assert!(
            plane.iter().all(|&y| (y - score).abs() < 1e-12),
            "a constant between its elements: {plane:?}"
        );
    }
}

#[test]
fn every_size_comes_out_as_it_went_in() {
    let store = ParamStore::<f64>::seeded(0);
    let net = UNet::with(&store.root(), 2, &UNetOptions { width: 2, ..Default::default() });
    store.eval();
    for (height, width) in [(1, 1), (1, 40), (15, 16), (17, 31), (32, 48)] {
        let y = no_grad(|| net.forward(&image(&[1, 3, height, width])));
        assert_eq!(y.shape(), [1, 2, height, width]);
    }
}

fn valid(depth: usize) -> UNetOptions {
    UNetOptions { depth, width: 2, channels: 1, norm: Norm::None, padded: false, ..Default::default() }
}

#[test]
fn valid_convolutions_lose_the_papers_border() {
    let net = UNet::with(&ParamStore::<f64>::seeded(0).root(), 2, &valid(4));
    assert_eq!(net.margin(), 92);
    assert_eq!(net.input().smallest, 185);
    let y = no_grad(|| net.forward(&image(&[1, 1, 188, 205])));
    assert_eq!(y.shape(), [1, 2, 4, 21]);
}

#[test]
fn valid_convolutions_see_no_border() {
    let net = UNet::with(&ParamStore::<f64>::seeded(0).root(), 2, &valid(2));
    let x = image(&[1, 1, 64, 71]);
    let all = net.forward(&x);
    // Of the 4 × 4 elements that one at the bottom stands for, the part must have the same.
    let part = net.forward(&x.narrow(2, 8, 52).narrow(3, 4, 60));
    assert_eq!((all.shape(), part.shape()), (&[1, 2, 24, 31][..], &[1, 2, 12, 20][..]));
    assert!(difference(&part, &all.narrow(2, 8, 12).narrow(3, 4, 20)) < 1e-12);
}

#[test]
#[should_panic(expected = "unet: valid convolutions leave maps that are smaller")]
fn valid_convolutions_cannot_be_unpooled() {
    let options = UNetOptions { upsampling: Upsampling::MaxUnpooling, ..valid(2) };
    UNet::with(&ParamStore::<f64>::seeded(0).root(), 2, &options);
}

#[test]
#[should_panic(expected = "fcn: scores were never pooled")]
fn scores_cannot_be_unpooled() {
    let options = FcnOptions { upsampling: Upsampling::MaxUnpooling, ..Default::default() };
    Fcn::with(&ParamStore::<f64>::seeded(0).root(), 2, &options);
}

#[test]
fn each_skip_adds_the_channels_of_its_level() {
    let inputs = |without_skips: &[usize]| {
        let store = ParamStore::<f64>::seeded(0);
        let without_skips = without_skips.to_vec();
        UNet::with(
            &store.root(),
            2,
            &UNetOptions { depth: 3, width: 2, without_skips, ..Default::default() },
        );
        let channels = |level| store.get(&format!("decoder.{level}.conv1.weight")).unwrap().shape()[1];
        [0, 1, 2].map(channels)
    };
    assert_eq!(inputs(&[]), [4, 8, 16]);
    assert_eq!(inputs(&[1]), [4, 4, 16]);
    assert_eq!(inputs(&[0, 1, 2]), [2, 4, 8]);
}

#[test]
fn each_upsampling_of_segnet_gives_other_maps_of_the_same_size() {
    let vgg = VggOptions { width: 2, batch_norm: true, ..VggOptions::layers(11) };
    let ways = [
        Upsampling::Nearest,
        Upsampling::BedOfNails,
        Upsampling::MaxUnpooling,
        Upsampling::Transposed,
        Upsampling::Bilinear,
    ];
    let mut maps: Vec<Tensor<f64>> = Vec::new();
    for upsampling in ways {
        let store = ParamStore::seeded(0);
        let net = SegNet::with(&store.root(), 2, &SegNetOptions { upsampling, vgg });
        let y = net.forward(&image(&[2, 3, 20, 35]));
        assert_eq!(y.shape(), [2, 2, 20, 35]);
        assert!(maps.iter().all(|other| difference(other, &y) > 1e-3), "{upsampling:?} is another way's");
        maps.push(y);
    }
}
