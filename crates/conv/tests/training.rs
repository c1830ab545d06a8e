//! A network of every kind of layer trains, comes back from a file, and gets the same bits from any number of threads.
#![cfg(feature = "autograd")]

use striate_compute::rng::Rng;
use striate_conv::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, Boundary, Conv2d, ConvLayerOptions, ConvTranspose2d,
    ConvTransposeOptions, GlobalAvgPool, Interpolation, LpPool2d, MaxPool2d, MaxUnpool2d, Padding,
    PixelShuffle, PixelUnshuffle, PoolOptions, Upsample,
};
use striate_nn::observe::layer_calls;
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Init, Linear, Module, ParamStore, cross_entropy};
use striate_tensor::{Tensor, no_grad};

const SIZE: usize = 8;
const CLASSES: usize = 4;

/// An encoder with a convolution of each kind, and a decoder with each way up, on planes of 8×8.
struct Network {
    same: Conv2d,
    mirrored: Conv2d,
    depthwise: Conv2d,
    dilated: Conv2d,
    strided: Conv2d,
    up: ConvTranspose2d,
    head: Linear,
}

impl Network {
    fn new(store: &ParamStore) -> Self {
        let path = |name: &str| store.root().sub(name);
        let options = ConvLayerOptions::<2> { padding: Padding::Same, ..Default::default() };
        let mirrored = ConvLayerOptions { padding_mode: Boundary::Reflect, ..options };
        let depthwise = ConvLayerOptions { groups: 8, bias: false, ..options };
        let dilated = ConvLayerOptions { dilation: [2, 2], groups: 2, ..options };
        let strided = ConvLayerOptions { stride: [2, 1], padding: 1.into(), ..Default::default() };
        let fourfold = ConvTransposeOptions { stride: [4, 4], ..Default::default() };
        Network {
            same: Conv2d::with(&path("same"), 1, 8, [5, 5], options),
            mirrored: Conv2d::with(&path("mirrored"), 8, 8, [3, 3], mirrored),
            depthwise: Conv2d::with(&path("depthwise"), 8, 8, [3, 3], depthwise),
            dilated: Conv2d::with(&path("dilated"), 8, 16, [3, 3], dilated),
            strided: Conv2d::with(&path("strided"), 4, 8, [3, 3], strided),
            up: ConvTranspose2d::with(&path("up"), 16, 4, [4, 4], fourfold),
            head: Linear::new(&path("head"), 8, CLASSES),
        }
    }
}

impl Module for Network {
    fn forward(&self, x: &Tensor) -> Tensor {
        let pool =
            PoolOptions { kernel: [3, 3], stride: Some([2, 2]), padding: [1, 1], ..Default::default() };
        let overlapping = MaxPool2d::new(pool);
        let x = self.mirrored.forward(&self.same.forward(x).relu()).relu();
        let x = &x + AdaptiveAvgPool2d::new([SIZE, SIZE]).forward(&overlapping.forward(&x));
        let (half, winners) = MaxPool2d::new(2).forward_with_indices(&self.depthwise.forward(&x));
        let features = self.dilated.forward(&half).relu();
        let up = self.up.forward(&LpPool2d::new(2.0, 2).forward(&features));
        let unpooled = MaxUnpool2d::new(2).forward(&half, &winners);
        let smooth = Upsample::<2>::new(2, Interpolation::Linear { align_corners: false }).forward(&half);
        let shuffled = PixelShuffle { factor: 2 }.forward(&features);
        let folded = PixelUnshuffle { factor: 2 }.forward(&up);
        let coarse = AdaptiveMaxPool2d::new([4, 4]).forward(&self.strided.forward(&(up + shuffled)));
        let fine = AvgPool2d::new(2).forward(&(unpooled + smooth));
        self.head.forward(&GlobalAvgPool.forward(&(fine + coarse + folded.narrow(1, 0, 8))))
    }
}

/// Noisy bars that lie, stand, rise or fall, at random places.
fn bars(count: usize) -> (Tensor, Vec<usize>) {
    let mut rng = Rng::new(3);
    let mut pictures = vec![0.0; count * SIZE * SIZE];
    rng.fill_normal(&mut pictures, 0.0, 0.1);
    let labels: Vec<usize> = (0..count).map(|index| index % CLASSES).collect();
    for (picture, label) in pictures.chunks_exact_mut(SIZE * SIZE).zip(&labels) {
        let shift = rng.below(SIZE);
        for step in 0..SIZE {
            let across = match label {
                2 => (shift + step) % SIZE,
                3 => (shift + SIZE - step) % SIZE,
                _ => shift,
            };
            let (row, column) = if *label == 0 { (across, step) } else { (step, across) };
            picture[row * SIZE + column] += 1.0;
        }
    }
    (Tensor::from_vec(&[count, 1, SIZE, SIZE], pictures), labels)
}

const BATCH: usize = 16;

/// Trains for some epochs; returns the mean loss of each.
fn train(net: &Network, store: &ParamStore, epochs: usize) -> Vec<f64> {
    let (pictures, labels) = bars(10 * BATCH);
    let mut adam = Adam::new(store, AdamOptions { lr: 1e-2, ..Default::default() });
    let mut epoch = || {
        let steps = labels.chunks(BATCH).enumerate().map(|(step, labels)| {
            let logits = net.forward(&pictures.narrow(0, step * BATCH, labels.len()));
            let loss = cross_entropy(&logits, labels);
            adam.step(&loss.backward());
            loss.item()
        });
        let losses: Vec<f64> = steps.collect();
        losses.iter().sum::<f64>() / losses.len() as f64
    };
    (0..epochs).map(|_| epoch()).collect()
}

fn bits(tensors: impl IntoIterator<Item = Tensor>) -> Vec<u32> {
    tensors.into_iter().flat_map(|tensor| tensor.to_vec()).map(f32::to_bits).collect()
}

#[test]
fn every_kind_of_layer_takes_part_and_every_parameter_receives_a_gradient() {
    let store = ParamStore::seeded(0);
    let net = Network::new(&store);
    let (pictures, labels) = bars(BATCH);
    let (logits, calls) = layer_calls(|| net.forward(&pictures));
    let kinds = [
        "Conv2d",
        "ConvTranspose2d",
        "MaxPool2d",
        "MaxUnpool2d",
        "AvgPool2d",
        "LpPool2d",
        "AdaptiveAvgPool2d",
        "AdaptiveMaxPool2d",
        "GlobalAvgPool",
        "Upsample",
        "PixelShuffle",
        "PixelUnshuffle",
    ];
    for kind in kinds {
        assert!(calls.iter().any(|call| call.kind == kind), "no layer of the kind {kind}");
    }
    let gradients = cross_entropy(&logits, &labels).backward();
    for (name, parameter) in store.parameters().iter() {
        let gradient = gradients.get(parameter).unwrap_or_else(|| panic!("{name} has no gradient"));
        assert!(gradient.to_vec().iter().any(|&g| g != 0.0), "the gradient of {name} is zero");
    }
}

#[test]
fn saved_weights_give_the_outputs_of_the_trained_network() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("network.safetensors");
    let (one, two) = (ParamStore::seeded(1), ParamStore::seeded(2));
    let (trained, fresh) = (Network::new(&one), Network::new(&two));
    train(&trained, &one, 1);
    let (pictures, _) = bars(5);
    let outputs = |net: &Network| bits([no_grad(|| net.forward(&pictures))]);
    assert_ne!(outputs(&trained), outputs(&fresh));
    one.save(&file).unwrap();
    two.load(&file).unwrap();
    assert_eq!(outputs(&trained), outputs(&fresh));
}

#[test]
fn three_epochs_give_the_same_bits_at_one_two_and_five_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let store = ParamStore::seeded(5);
            let losses = train(&Network::new(&store), &store, 3);
            assert!(losses[2] < 0.7 * losses[0], "{losses:?}");
            bits(store.parameters().iter().map(|(_, parameter)| parameter.clone()))
        })
    };
    let one = run(1);
    assert!(one == run(2), "two threads give other bits than one");
    assert!(one == run(5), "five threads give other bits than one");
}

#[test]
fn biases_start_as_asked_for() {
    let store = ParamStore::<f32>::seeded(0);
    let bias_init = Some(Init::Constant(0.5));
    let options = ConvLayerOptions { bias_init, ..Default::default() };
    let layer = Conv2d::with(&store.root().sub("down"), 2, 3, [3, 3], options);
    assert_eq!(layer.bias.unwrap().to_vec(), [0.5; 3]);
    let options = ConvTransposeOptions { bias_init, ..Default::default() };
    let layer = ConvTranspose2d::with(&store.root().sub("up"), 2, 3, [3, 3], options);
    assert_eq!(layer.bias.unwrap().to_vec(), [0.5; 3]);
    assert!(layer.weight.to_vec().iter().all(|&w| w != 0.5));
}
