//! Images that do not go through a network, and the smallest that do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use striate_nn::{Module, ParamStore, Path};
use striate_tensor::{Tensor, no_grad};
use striate_vision::{
    AlexNet, AlexNetOptions, Fcn, FcnOptions, FcnResNet, FcnResNetOptions, GoogLeNet, GoogLeNetOptions,
    ImageNetwork, ResNet, ResNetOptions, SegNet, SegNetOptions, UNet, UNetOptions, Vgg, VggOptions,
    VisionError, classifier, classifier_names, resnet20,
};

/// The smallest image goes through in evaluation; one that is a pixel lower or narrower is refused and does not.
fn check<N: ImageNetwork>(make: impl FnOnce(&Path) -> N) {
    let store = ParamStore::<f32>::seeded(0);
    let net = make(&store.root());
    store.eval();
    let input = net.input();
    let (n, channels) = (input.smallest, input.channels);
    let goes_through = |height, width| {
        let x = Tensor::ones(&[1, channels, height, width]);
        catch_unwind(AssertUnwindSafe(|| no_grad(|| net.forward(&x)))).is_ok()
    };
    assert_eq!(net.check_input(&[1, channels, n, n]), Ok(()));
    assert!(goes_through(n, n), "{} does not take {n}×{n} pixels", input.network);
    for (height, width) in [(n - 1, n), (n, n - 1)] {
        let error = net.check_input(&[1, channels, height, width]).unwrap_err();
        assert!(matches!(error, VisionError::TooSmall { .. }), "{error}");
        if height.min(width) > 0 {
            assert!(!goes_through(height, width), "{} takes {height}×{width} pixels", input.network);
        }
    }
    let shape = [2, channels + 1, n, n];
    assert_eq!(
        net.check_input(&shape).unwrap_err().to_string(),
        format!(
            "{} takes images of {channels} channels, not {} (shape {shape:?})",
            input.network,
            channels + 1
        )
    );
}

#[test]
fn the_smallest_images_of_each_network() {
    check(|path| AlexNet::with(path, 2, &AlexNetOptions { hidden: 8, ..Default::default() }));
    let narrow = VggOptions { width: 4, hidden: 8, ..VggOptions::layers(11) };
    check(|path| Vgg::with(path, 2, &narrow));
    check(|path| GoogLeNet::with(path, 2, &GoogLeNetOptions::default()));
    check(|path| ResNet::with(path, 2, &ResNetOptions { width: 4, ..Default::default() }));
    check(|path| Fcn::with(path, 2, &FcnOptions { vgg: narrow, ..Default::default() }));
    let resnet = ResNetOptions { width: 4, channels: 1, ..FcnResNetOptions::layers(18).resnet };
    check(|path| FcnResNet::with(path, 2, &FcnResNetOptions { resnet, ..Default::default() }));
    check(|path| SegNet::with(path, 2, &SegNetOptions { vgg: narrow, ..Default::default() }));
    let options = UNetOptions { width: 2, depth: 3, ..Default::default() };
    check(|path| UNet::with(path, 2, &options));
    check(|path| UNet::with(path, 2, &UNetOptions { padded: false, channels: 2, ..options }));
}

#[test]
fn images_without_four_axes_and_empty_batches_are_refused() {
    let net = resnet20(&ParamStore::<f32>::seeded(0).root(), 10);
    assert_eq!(
        net.check_input(&[3, 32, 32]).unwrap_err().to_string(),
        "ResNet takes images (N, C, H, W), the shape is [3, 32, 32]"
    );
    assert_eq!(
        net.check_input(&[0, 3, 32, 32]).unwrap_err().to_string(),
        "ResNet needs at least one image, the shape is [0, 3, 32, 32]"
    );
}

#[test]
#[should_panic(expected = "U-Net takes images of 3 channels, not 1 (shape [1, 1, 8, 8])")]
fn forward_panics_with_the_same_message() {
    let net =
        UNet::with(&ParamStore::<f32>::seeded(0).root(), 2, &UNetOptions { width: 2, ..Default::default() });
    net.forward(&Tensor::ones(&[1, 1, 8, 8]));
}

#[test]
fn names_that_no_network_has_are_refused() {
    let root = ParamStore::<f32>::seeded(0).root();
    let Err(error) = classifier("resnet19", &root, 10) else { panic!("there is no ResNet-19") };
    assert!(
        error.to_string().starts_with("no network is called \"resnet19\"; there are alexnet, vgg11, "),
        "{error}"
    );
}

#[test]
fn networks_by_name_have_the_papers_numbers_of_parameters() {
    // He et al. 2016, table 6, has them in millions: 0.27, 0.46, 0.66, 0.85, 1.7.
    let parameters = [
        ("resnet20", 269_722),
        ("resnet32", 464_154),
        ("resnet44", 658_586),
        ("resnet56", 853_018),
        ("resnet110", 1_727_962),
    ];
    for (name, count) in parameters {
        for name in [name.to_string(), name.replace("resnet", "plain")] {
            let store = ParamStore::<f32>::seeded(0);
            assert!(classifier(&name, &store.root(), 10).is_ok());
            assert_eq!(store.parameters().count(), count, "{name}");
        }
    }
    let mut names: Vec<_> = classifier_names().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), classifier_names().count());
}
