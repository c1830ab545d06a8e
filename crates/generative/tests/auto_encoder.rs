//! Auto-encoders: their penalties by closed forms, what denoising learns, what they refuse.

use striate_generative::{
    AutoEncoder, AutoEncoderOptions, Corruption, GenerativeError, Network, Penalty, contraction, kl_sparsity,
    l1_sparsity, standard_normal,
};
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Activation, Linear, Module, ParamStore, Rng};
use striate_tensor::{Tensor, no_grad};

const BARS: usize = 8;

/// Pictures (N, 1, 8, 8) of one bright row and one bright column, at random places.
fn crosses(count: usize, seed: u64) -> Tensor {
    let mut rng = Rng::new(seed);
    let mut pictures = vec![0.0; count * BARS * BARS];
    for picture in pictures.chunks_exact_mut(BARS * BARS) {
        let (row, column) = (rng.below(BARS), rng.below(BARS));
        for i in 0..BARS {
            picture[row * BARS + i] = 1.0;
            picture[i * BARS + column] = 1.0;
        }
    }
    Tensor::from_vec(&[count, 1, BARS, BARS], pictures)
}

fn dense(hidden: &[usize], code: usize) -> AutoEncoderOptions {
    AutoEncoderOptions { network: Network::dense(hidden), code, ..Default::default() }
}

fn convolutional(code: usize) -> AutoEncoderOptions {
    let network = Network::Convolutional { channels: vec![4, 8], hidden: 16, activation: Activation::Silu };
    AutoEncoderOptions { network, code, ..Default::default() }
}

/// The mean loss of the last of some steps on fresh pictures.
fn train(net: &AutoEncoder, store: &ParamStore, steps: u64, corruption: Option<Corruption>) -> f64 {
    let mut adam = Adam::new(store, AdamOptions { lr: 3e-3, ..Default::default() });
    let losses = (0..steps).map(|step| {
        let x = crosses(32, step);
        let input = corruption.map_or(x.clone(), |damage| damage.apply(&x, &mut Rng::new(1000 + step)));
        let loss = net.loss(&input, &x, Penalty::None);
        adam.step(&loss.backward());
        loss.item()
    });
    let losses: Vec<f64> = losses.collect();
    losses[losses.len() - 10..].iter().sum::<f64>() / 10.0
}

#[test]
fn both_networks_learn_the_identity_through_narrow_and_wide_codes() {
    for options in [dense(&[64], 12), dense(&[], 100), convolutional(12)] {
        let store = ParamStore::seeded(0);
        let net = AutoEncoder::new(&store.root(), &[1, BARS, BARS], &options).unwrap();
        let x = crosses(5, 0);
        assert_eq!(net.encode(&x).shape(), [5, options.code]);
        assert_eq!(net.forward(&x).shape(), x.shape());
        let untrained = net.loss(&x, &x, Penalty::None).item();
        let trained = train(&net, &store, 400, None);
        assert!(trained < 0.45 * untrained, "{options:?}: from {untrained} to {trained}");
    }
}

#[test]
fn names_in_the_store_follow_the_layers() {
    let names = |options: &AutoEncoderOptions| {
        let store = ParamStore::<f32>::seeded(0);
        AutoEncoder::new(&store.root(), &[1, BARS, BARS], options).unwrap();
        let shape = |(name, tensor): (&str, &Tensor)| format!("{name} {:?}", tensor.shape());
        let parameters = store.parameters();
        parameters.iter().map(shape).filter(|name| name.contains("weight")).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&dense(&[32, 16], 3)),
        [
            "encoder.fc1.weight [32, 64]",
            "encoder.fc2.weight [16, 32]",
            "encoder.code.weight [3, 16]",
            "decoder.fc1.weight [16, 3]",
            "decoder.fc2.weight [32, 16]",
            "decoder.fc3.weight [64, 32]",
        ]
    );
    assert_eq!(
        names(&convolutional(3)),
        [
            "encoder.conv1.weight [4, 1, 4, 4]",
            "encoder.conv2.weight [8, 4, 4, 4]",
            "encoder.fc.weight [16, 32]",
            "encoder.code.weight [3, 16]",
            "decoder.fc1.weight [16, 3]",
            "decoder.fc2.weight [32, 16]",
            "decoder.conv1.weight [8, 4, 4, 4]",
            "decoder.conv2.weight [4, 1, 4, 4]",
        ]
    );
}

#[test]
fn denoising_repairs_what_it_never_saw() {
    let damage = Corruption::Masking { probability: 0.3 };
    let repaired = |corruption| {
        let store = ParamStore::seeded(0);
        let net = AutoEncoder::new(&store.root(), &[1, BARS, BARS], &dense(&[96], 48)).unwrap();
        train(&net, &store, 300, corruption);
        let x = crosses(100, 77);
        no_grad(|| net.loss(&damage.apply(&x, &mut Rng::new(5)), &x, Penalty::None).item())
    };
    let (denoising, plain) = (repaired(Some(damage)), repaired(None));
    assert!(denoising < 0.6 * plain, "{denoising} with corruption, {plain} without");
}

#[test]
fn sparsity_is_what_its_formula_says() {
    let h = Tensor::from_vec(&[2, 2], vec![0.1f64, 0.8, 0.3, 0.4]).requires_grad();
    assert!((l1_sparsity(&h).item() - 0.8).abs() < 1e-15);
    let rho = 0.05f64;
    let expected =
        |active: f64| rho * (rho / active).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - active)).ln();
    let penalty = kl_sparsity(&h, rho);
    assert!((penalty.item() - expected(0.2) - expected(0.6)).abs() < 1e-15);
    let slope = |active: f64| ((1.0 - rho) / (1.0 - active) - rho / active) / 2.0;
    let gradient = penalty.backward().get(&h).unwrap().to_vec();
    for (actual, expected) in gradient.iter().zip([slope(0.2), slope(0.6), slope(0.2), slope(0.6)]) {
        assert!((actual - expected).abs() < 1e-14);
    }
    let target = Tensor::<f64>::full(&[5, 3], rho);
    assert!(kl_sparsity(&target, rho).item().abs() < 1e-15);
}

#[test]
#[should_panic(expected = "kl_sparsity: the target must be in (0, 1), is 1")]
fn a_target_is_a_probability() {
    kl_sparsity(&Tensor::<f32>::full(&[2, 2], 0.5), 1.0);
}

#[test]
fn a_sparse_code_is_sparser() {
    let activity = |penalty: Penalty| {
        let store = ParamStore::<f32>::seeded(0);
        let options = AutoEncoderOptions { code_activation: Activation::Sigmoid, ..dense(&[], 32) };
        let net = AutoEncoder::new(&store.root(), &[1, BARS, BARS], &options).unwrap();
        let mut adam = Adam::new(&store, AdamOptions { lr: 1e-2, ..Default::default() });
        for step in 0..100 {
            let x = crosses(32, step);
            adam.step(&net.loss(&x, &x, penalty).backward());
        }
        no_grad(|| net.encode(&crosses(100, 99)).mean().item())
    };
    let [plain, l1, kl] =
        [Penalty::None, Penalty::L1 { weight: 0.3 }, Penalty::Kl { weight: 3.0, target: 0.05 }].map(activity);
    assert!(l1 < 0.6 * plain && kl < 0.5 * plain, "{plain}, {l1}, {kl}");
}

#[test]
fn contraction_of_one_sigmoid_layer_is_rifais_sum_and_has_its_gradient() {
    let store = ParamStore::<f64>::seeded(4);
    let layer = Linear::new(&store.root(), 5, 3);
    let x = standard_normal(&[4, 5], &mut Rng::new(1));
    let composed = |x: &Tensor<f64>| {
        let h = layer.forward(x).sigmoid();
        let slopes = &h * (-&h + 1.0);
        let norms = (&layer.weight * &layer.weight).sum_dim(&[1], false);
        (&slopes * &slopes * norms).sum() / 4.0
    };
    let (expected, actual) = (composed(&x), contraction(|x| layer.forward(x).sigmoid(), &x));
    assert!((expected.item() - actual.item()).abs() < 1e-15);
    let (expected, actual) = (expected.backward(), actual.backward());
    for (name, parameter) in store.parameters().iter() {
        let [expected, actual] = [&expected, &actual].map(|gradients| gradients.get(parameter).unwrap());
        assert!(actual.all_close(expected, Default::default()), "{name}");
    }
}

#[test]
fn a_contractive_code_moves_less() {
    let sensitivity = |penalty: Penalty| {
        let store = ParamStore::<f32>::seeded(0);
        let options = AutoEncoderOptions { code_activation: Activation::Sigmoid, ..convolutional(6) };
        let net = AutoEncoder::new(&store.root(), &[1, BARS, BARS], &options).unwrap();
        let mut adam = Adam::new(&store, AdamOptions { lr: 3e-3, ..Default::default() });
        for step in 0..40 {
            let x = crosses(16, step);
            adam.step(&net.loss(&x, &x, penalty).backward());
        }
        contraction(|x| net.encode(x), &crosses(50, 99)).item()
    };
    let [plain, contractive] = [Penalty::None, Penalty::Contractive { weight: 10.0 }].map(sensitivity);
    assert!(contractive < 0.3 * plain, "{plain} without, {contractive} with the penalty");
}

#[test]
fn corruption_does_what_it_says_and_the_same_for_the_same_seed() {
    const SIZE: usize = 100_000;
    let x = Tensor::<f64>::full(&[SIZE], 0.5);
    let damaged = |corruption: Corruption| {
        let once = corruption.apply(&x, &mut Rng::new(9)).to_vec();
        assert_eq!(once, corruption.apply(&x, &mut Rng::new(9)).to_vec());
        assert_ne!(once, corruption.apply(&x, &mut Rng::new(10)).to_vec());
        once
    };
    // Within five standard errors: a right sampler would fail with another seed once in 2 million.
    let share = |values: &[f64], value: f64, expected: f64| {
        let share = values.iter().filter(|&&v| v == value).count() as f64 / SIZE as f64;
        let error = (expected * (1.0 - expected) / SIZE as f64).sqrt();
        assert!((share - expected).abs() < 5.0 * error, "{share}, expected {expected}");
    };
    let masked = damaged(Corruption::Masking { probability: 0.2 });
    share(&masked, 0.0, 0.2);
    share(&masked, 0.5, 0.8);
    let speckled = damaged(Corruption::SaltAndPepper { probability: 0.3 });
    share(&speckled, 0.0, 0.15);
    share(&speckled, 1.0, 0.15);
    share(&speckled, 0.5, 0.7);
    let noisy = damaged(Corruption::Gaussian { std: 0.2 });
    let mean = noisy.iter().sum::<f64>() / SIZE as f64;
    let variance = noisy.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / SIZE as f64;
    let n = SIZE as f64;
    assert!((mean - 0.5).abs() < 5.0 * 0.2 / n.sqrt());
    assert!((variance - 0.04).abs() < 5.0 * 0.04 * (2.0 / n).sqrt());
    for whole in [
        Corruption::Gaussian { std: 0.0 },
        Corruption::Masking { probability: 0.0 },
        Corruption::SaltAndPepper { probability: 0.0 },
    ] {
        assert_eq!(whole.apply(&x, &mut Rng::new(1)).to_vec(), x.to_vec());
    }
}

#[test]
#[should_panic(expected = "probability 1.5 is not in [0, 1]")]
fn corruption_needs_a_probability() {
    Corruption::SaltAndPepper { probability: 1.5 }.apply(&Tensor::<f32>::ones(&[2]), &mut Rng::new(0));
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
    let new = |shape: &[usize], options: &AutoEncoderOptions| {
        let store = ParamStore::<f32>::seeded(0);
        AutoEncoder::new(&store.root(), shape, options).err().unwrap()
    };
    assert_eq!(new(&[8], &dense(&[4], 0)), GenerativeError::Zero { what: "the code's size" });
    assert_eq!(new(&[8, 0], &dense(&[4], 2)), GenerativeError::Zero { what: "a sample's side" });
    assert_eq!(new(&[8], &dense(&[4, 0], 2)), GenerativeError::Zero { what: "a hidden layer's width" });
    assert_eq!(new(&[], &dense(&[], 2)).to_string(), "a sample must be at least one axis, is []");
    assert_eq!(
        new(&[64], &convolutional(2)).to_string(),
        "a sample must be (C, H, W) for convolutions, is [64]"
    );
    assert_eq!(
        new(&[1, 12, 10], &convolutional(2)).to_string(),
        "2 convolutions of stride 2 take pictures whose sides are multiples of 4, not 12 × 10"
    );
    let none = Network::Convolutional { channels: vec![], hidden: 4, activation: Activation::Relu };
    let none = AutoEncoderOptions { network: none, ..Default::default() };
    assert_eq!(new(&[1, 8, 8], &none), GenerativeError::Zero { what: "the number of convolutions" });
}
