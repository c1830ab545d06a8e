//! Clipped gradients keep a recurrent network learning where it otherwise explodes.
#![cfg(feature = "autograd")]

use striate_compute::rng::Rng;
use striate_nn::optim::{Sgd, SgdOptions};
use striate_nn::{Init, Linear, Module, ParamStore, clip};
use striate_recurrent::{Nonlinearity, RnnCell, RnnCellOptions, many_to_one};
use striate_tensor::{Array, Gradients, Tensor};

/// Losses of a run that learns to say the last of 20 numbers from U(−1, 1), whose variance is 1/3.
///
/// At the start the gradient grows by up to 1.5 with every step back.
fn train(mut change: impl FnMut(&mut Gradients<f64>, &ParamStore<f64>)) -> Vec<f64> {
    let store = ParamStore::<f64>::seeded(0);
    let options = RnnCellOptions {
        nonlinearity: Nonlinearity::Relu,
        recurrent_init: Some(Init::Orthogonal { gain: 1.5 }),
        ..Default::default()
    };
    let cell = RnnCell::with(&store.root().sub("cell"), 1, 16, options);
    let read_out = Linear::new(&store.root().sub("read_out"), 16, 1);
    let mut opt = Sgd::new(&store, SgdOptions { lr: 0.1, ..Default::default() });
    let mut rng = Rng::new(1);
    (0..400)
        .map(|_| {
            let x: Tensor<f64> = Array::build(&[20, 8, 1], |x| rng.fill_uniform(x, -1.0, 1.0)).into();
            let y = read_out.forward(&many_to_one(&cell, &x));
            let loss = (y - x.select(0, -1)).square().mean();
            let mut gradients = loss.backward();
            change(&mut gradients, &store);
            opt.step(&gradients);
            loss.item()
        })
        .collect()
}

fn late(losses: &[f64]) -> f64 {
    losses[350..].iter().sum::<f64>() / 50.0
}

#[test]
fn without_clipping_the_run_explodes() {
    let losses = train(|_, _| {});
    assert!(losses[0] < 100.0, "a finite start: {}", losses[0]);
    assert!(losses[399].is_nan(), "{}", losses[399]);
}

#[test]
fn clipping_by_global_norm_rescues_the_run() {
    let mut largest: f64 = 0.0;
    let losses = train(|gradients, store| {
        largest = largest.max(clip::global_norm(gradients, store, 1.0).expect("finite gradients"));
    });
    assert!(largest > 100.0, "there was something to clip: {largest}");
    assert!(late(&losses) < 0.02, "{}", late(&losses));
}

#[test]
fn clipping_by_value_rescues_the_run() {
    let losses = train(|gradients, store| clip::value(gradients, store, 0.1));
    assert!(late(&losses) < 0.02, "{}", late(&losses));
}
