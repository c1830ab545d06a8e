//! Features from the middle, other heads, frozen bodies, and blocks that start as the identity.

use striate_nn::optim::{Sgd, SgdOptions};
use striate_nn::{Module, ParamStore, WeightsError, cross_entropy, observe};
use striate_tensor::{Tensor, no_grad};
use striate_vision::{
    GoogLeNet, GoogLeNetOptions, ImageNetwork, ResNet, ResNetOptions, Stem, Vgg, VggOptions, classifier,
    classifier_head,
};

fn small() -> ResNetOptions {
    ResNetOptions { stages: vec![1, 1, 2], width: 8, stem: Stem::Small, ..Default::default() }
}

fn images(count: usize) -> Tensor {
    let pixel = |i: usize| ((i * i % 1009) as f32).sin();
    Tensor::from_vec(&[count, 3, 12, 10], (0..count * 360).map(pixel).collect())
}

#[test]
fn stages_blocks_and_layers_can_be_watched_by_name() {
    let net = ResNet::with(&ParamStore::<f32>::seeded(0).root(), 5, &small());
    let (logits, [stem, stage, first, last]) =
        observe::outputs(&net, &images(2), ["conv1", "layer2", "layer3.0", "layer3"]);
    assert_eq!(stem.shape(), [2, 8, 12, 10]);
    assert_eq!(stage.shape(), [2, 16, 6, 5]);
    assert_eq!((first.shape(), last.shape()), (&[2, 32, 3, 3][..], &[2, 32, 3, 3][..]));
    let again = net.fc.forward(&last.mean_dim(&[2, 3], false));
    assert!((again - logits).abs().max().item() < 1e-6, "the head does not see layer3");

    let vgg = VggOptions { width: 4, hidden: 8, ..VggOptions::layers(11) };
    let net = Vgg::with(&ParamStore::<f32>::seeded(0).root(), 5, &vgg);
    let x = Tensor::ones(&[1, 3, 32, 32]);
    let (_, [conv, relu, pool]) = observe::outputs(&net, &x, ["features.0", "features.1", "features.2"]);
    assert_eq!(conv.relu().to_vec(), relu.to_vec());
    assert_eq!(pool.shape(), [1, 4, 16, 16]);

    let net = GoogLeNet::with(&ParamStore::<f32>::seeded(0).root(), 5, &GoogLeNetOptions::default());
    let (_, [module]) = observe::outputs(&net, &Tensor::ones(&[2, 3, 32, 32]), ["inception4a"]);
    assert_eq!(module.shape(), [2, 512, 2, 2]);
}

#[test]
fn another_head_trains_on_a_frozen_body() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resnet.safetensors");
    let trained = ParamStore::seeded(1);
    let net = ResNet::with(&trained.root(), 7, &small());
    net.forward(&images(4));
    trained.save(&file).unwrap();

    let store = ParamStore::<f32>::seeded(2);
    let net = ResNet::with(&store.root(), 3, &small());
    let Err(WeightsError::Mismatch { mismatched, .. }) = store.load(&file) else {
        panic!("a head of seven classes is not one of three");
    };
    assert!(mismatched[0].starts_with("fc.weight (model [3, 32], file [7, 32])"), "{mismatched:?}");

    store.load_except(&file, &["fc."]).unwrap();
    store.parameters().without("fc.").freeze();
    store.set_training("", false);
    let before = store.to_arrays();
    let mut sgd = Sgd::new(&store, SgdOptions { lr: 1.0, ..Default::default() });
    let labels = [0, 1, 2, 1];
    let loss = || net.loss(&images(4), &|logits| cross_entropy(logits, &labels));
    let first = loss();
    for _ in 0..50 {
        sgd.step(&loss().backward());
    }
    assert!(loss().item() < 0.7 * first.item(), "the loss went from {first} to {}", loss());
    for (name, after) in store.to_arrays().iter() {
        let same = after.to_f64() == before[name].to_f64();
        assert_eq!(same, !name.starts_with("fc."), "{name}");
        if !name.starts_with("fc.") {
            assert_eq!(after.to_f64(), trained.to_arrays()[name].to_f64(), "{name}");
        }
    }
}

#[test]
fn heads_are_what_depends_on_the_number_of_classes() {
    for name in ["alexnet", "googlenet", "resnet18", "resnet20", "plain20"] {
        let [few, many] = [2, 3].map(|classes| {
            let store = ParamStore::<f32>::seeded(0);
            classifier(name, &store.root(), classes).unwrap();
            store
        });
        let head = classifier_head(name).unwrap();
        for (parameter, value) in few.parameters().iter() {
            let same = value.shape() == many.get(parameter).unwrap().shape();
            assert!(same || head.iter().any(|prefix| parameter.starts_with(prefix)), "{name}: {parameter}");
        }
        many.set_arrays(&few.to_arrays(), head, name).unwrap();
    }
    assert!(classifier_head("resnet19").is_err());
}

#[test]
fn weights_of_another_architecture_are_named() {
    let other = ParamStore::<f32>::seeded(0);
    Vgg::with(&other.root(), 5, &VggOptions { width: 4, hidden: 8, ..VggOptions::layers(11) });
    let store = ParamStore::<f32>::seeded(0);
    ResNet::with(&store.root(), 5, &small());
    let error = store.set_arrays(&other.to_arrays(), &[], "vgg11.safetensors").unwrap_err().to_string();
    assert!(
        error.starts_with("vgg11.safetensors: the weights are not this model's; missing: conv1.weight, ")
    );
    assert!(error.contains("; unexpected: features.0.weight, "), "{error}");
}

#[test]
fn more_blocks_that_start_as_the_identity_change_nothing() {
    let deeper = ResNetOptions { stages: vec![3, 2, 4], zero_init_residual: true, ..small() };
    let (shallow, deep) = (ParamStore::<f32>::seeded(1), ParamStore::<f32>::seeded(2));
    let nets = [(&shallow, &small()), (&deep, &deeper)]
        .map(|(store, options)| ResNet::with(&store.root(), 5, options));
    let own = shallow.to_arrays();
    let more: Vec<String> =
        deep.to_arrays().names().filter(|name| own.get(name).is_none()).map(String::from).collect();
    assert!(more.contains(&"layer3.3.bn2.weight".to_string()));
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    deep.set_arrays(&own, &more, "shallow").unwrap();
    for training in [true, false] {
        shallow.set_training("", training);
        deep.set_training("", training);
        let [shallow, deep] = nets.each_ref().map(|net| no_grad(|| net.forward(&images(3))).to_vec());
        assert_eq!(shallow, deep, "training: {training}");
    }
}

#[test]
fn auxiliary_heads_add_to_the_loss_in_training_and_vanish_in_evaluation() {
    let store = ParamStore::<f32>::seeded(0);
    let without_dropout = GoogLeNetOptions { dropout: 0.0, aux_dropout: 0.0, ..Default::default() };
    let net = GoogLeNet::with(&store.root(), 4, &without_dropout);
    let x = Tensor::linspace(-1.0, 1.0, 2 * 3 * 32 * 32).reshape(&[2, 3, 32, 32]);
    let entropy = |logits: &Tensor| cross_entropy(logits, &[1, 3]);
    let loss = net.loss(&x, &entropy).item();
    let (logits, heads) = net.forward_with_heads(&x);
    let [main, first, second] = [&logits, &heads[0], &heads[1]].map(|logits| entropy(logits).item());
    assert!((loss - (main + 0.3 * first + 0.3 * second)).abs() < 1e-5);

    store.eval();
    let (loss, calls) = observe::layer_calls(|| net.loss(&x, &entropy));
    assert!(!calls.iter().any(|call| call.path.starts_with("aux")), "{calls:?}");
    assert_eq!(loss.item(), entropy(&net.forward(&x)).item());
    let gradients = loss.backward();
    for (name, parameter) in store.parameters().iter() {
        assert_eq!(gradients.get(parameter).is_none(), name.starts_with("aux"), "{name}");
    }
}

#[test]
fn weights_start_as_torchvisions() {
    let deviation = |store: &ParamStore, name: &str| {
        let values = store.get(name).unwrap_or_else(|| panic!("no {name}"));
        (values.square().mean().item() - values.mean().item().powi(2)).sqrt()
    };
    let close = |store: &ParamStore, name: &str, expected: f64| {
        let found = deviation(store, name);
        assert!((found / expected - 1.0).abs() < 0.05, "{name}: {found} is not {expected}");
    };
    let store = ParamStore::<f32>::seeded(0);
    let resnet =
        ResNetOptions { stages: vec![2, 2], width: 32, zero_init_residual: true, ..Default::default() };
    ResNet::with(&store.root(), 50, &resnet);
    close(&store, "conv1.weight", (2.0 / (32.0 * 49.0f64)).sqrt());
    close(&store, "layer2.0.conv1.weight", (2.0 / (64.0 * 9.0f64)).sqrt());
    close(&store, "layer2.0.downsample.0.weight", (2.0 / 64.0f64).sqrt());
    close(&store, "fc.weight", 1.0 / (3.0 * 64.0f64).sqrt());
    let [first, last] = ["layer1.0.bn1.weight", "layer1.0.bn2.weight"].map(|name| store.get(name).unwrap());
    assert_eq!((first.mean().item(), last.abs().max().item()), (1.0, 0.0));

    let store = ParamStore::<f32>::seeded(0);
    Vgg::with(&store.root(), 50, &VggOptions { width: 32, hidden: 64, ..VggOptions::layers(11) });
    close(&store, "features.3.weight", (2.0 / (64.0 * 9.0f64)).sqrt());
    close(&store, "classifier.3.weight", 0.01);
    for name in ["features.0.bias", "classifier.6.bias"] {
        assert!(store.get(name).unwrap().to_vec().iter().all(|&b| b == 0.0), "{name}");
    }

    let store = ParamStore::<f32>::seeded(0);
    GoogLeNet::with(&store.root(), 50, &GoogLeNetOptions::default());
    for name in ["conv1.conv.weight", "inception5b.branch3.1.conv.weight", "fc.weight", "aux1.fc1.weight"] {
        close(&store, name, 0.01);
    }
    close(&store, "aux1.fc1.bias", 1.0 / (3.0 * 2048.0f64).sqrt());
}
