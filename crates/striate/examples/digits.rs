//! Trains a small network on handwritten digits, embedded or from a folder of IDX files, and classifies pictures.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod common;

use std::process::ExitCode;

use common::{Model, check_dropout, check_layers};
use serde::{Deserialize, Serialize};
use striate::nn::{Dropout, Linear, ParamStore, Sequential};
use striate::tensor::Tensor;

fn main() -> ExitCode {
    common::run::<Perceptron>()
}

/// Sizes of a multi-layer perceptron.
#[derive(Clone, Serialize, Deserialize)]
struct Perceptron {
    hidden: Vec<usize>,
    dropout: f64,
}

impl Perceptron {
    fn widths(&self, (height, width): (usize, usize), classes: usize) -> Vec<usize> {
        [&[height * width], &self.hidden[..], &[classes]].concat()
    }
}

impl Model for Perceptron {
    const NAME: &'static str = "digits";
    const ABOUT: &'static str = "Train a multi-layer perceptron on handwritten digits (UCI, 8×8, embedded), or on any \
        folder of IDX files (MNIST, Fashion-MNIST), or classify a picture with a trained model";
    const OUT: &'static str = "runs/digits";
    const EPOCHS: [u64; 2] = [300, 10];
    const LEARNING_RATES: [f64; 2] = [1e-3, 1e-3];

    type Network = Sequential;

    fn new(embedded: bool) -> Self {
        Perceptron {
            hidden: if embedded { vec![256, 128] } else { vec![512, 256] },
            dropout: if embedded { 0.3 } else { 0.2 },
        }
    }

    fn check(&self, size: (usize, usize), classes: usize) -> Result<(), String> {
        check_layers(self.widths(size, classes).windows(2))?;
        check_dropout(self.dropout)
    }

    /// Flatten, then fully connected layers with ReLU and dropout between them: `fc1`, `fc2`, …
    fn network(&self, store: &ParamStore, size: (usize, usize), classes: usize) -> Sequential {
        let mut net = Sequential::new().then(|x: &Tensor| x.flatten(1, -1));
        for (layer, width) in self.widths(size, classes).windows(2).enumerate() {
            let path = store.root().sub(format!("fc{}", layer + 1));
            if layer > 0 {
                net = net.then(Tensor::relu).then(Dropout::new(&path, self.dropout));
            }
            net = net.then(Linear::new(&path, width[0], width[1]));
        }
        net
    }
}
