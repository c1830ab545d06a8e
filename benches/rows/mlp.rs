//! Whole training steps of a multi-layer perceptron 784-512-256-10: forward, cross-entropy, backward, Adam.

use protocol::{Prepare, Row, data};
use striate_nn::losses::cross_entropy;
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Linear, Module, ParamStore, Sequential};
use striate_tensor::Tensor;

const WIDTHS: [usize; 4] = [784, 512, 256, 10];

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    let row = |batch| (format!("mlp-784-512-256-10-b{batch}"), Box::new(move || step(batch)) as Prepare);
    [1, 8, 128].map(row).into()
}

fn step(batch: usize) -> Row {
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
    let mut adam = Adam::new(&store, AdamOptions { lr: 1e-3, ..Default::default() });
    let x = Tensor::from_vec(&[batch, WIDTHS[0]], data::fill(data::INPUT, batch * WIDTHS[0], 1.0));
    let labels = data::labels(batch, WIDTHS[3]);
    let parameters = store.parameters().count();
    let mut step = move || {
        let loss = cross_entropy(&net.forward(&x), &labels);
        adam.step(&loss.backward());
        loss.item()
    };
    let check = vec![step(), step()];
    let step = move || {
        step();
    };
    Row { step: Box::new(step), parameters, check }
}
