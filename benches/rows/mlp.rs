//! Whole training steps of a multi-layer perceptron 784-512-256-10: forward, cross-entropy, backward, Adam.

use protocol::{Prepare, Row, data};
use striate_benches::step;
use striate_nn::losses::cross_entropy;
use striate_nn::{Linear, Module, ParamStore, Sequential};
use striate_tensor::Tensor;

const WIDTHS: [usize; 4] = [784, 512, 256, 10];

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    let row = |batch| (format!("mlp-784-512-256-10-b{batch}"), Box::new(move || train(batch)) as Prepare);
    [1, 8, 128].map(row).into()
}

fn train(batch: usize) -> Row {
    let store = ParamStore::<f32>::seeded(0);
    let mut net = Sequential::new();
    for (layer, pair) in WIDTHS.windows(2).enumerate() {
        let linear = Linear::new(&store.root().sub(layer), pair[0], pair[1]);
        let (weight, bias) = data::linear(layer as u32, pair[0], pair[1]);
        linear.weight.update(|array| array.make_mut().copy_from_slice(&weight));
        linear.bias.as_ref().expect("a bias").update(|array| array.make_mut().copy_from_slice(&bias));
        net = net.then(linear);
        if layer + 2 < WIDTHS.len() {
            net = net.then(Tensor::relu);
        }
    }
    let x = Tensor::from_vec(&[batch, WIDTHS[0]], data::fill(data::INPUT, batch * WIDTHS[0], 1.0));
    let labels = data::labels(batch, WIDTHS[3]);
    step::training(&store, move || cross_entropy(&net.forward(&x), &labels))
}
