//! Reads handwritten digits row by row, from top to bottom, with an LSTM that says at the end which digit it was.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod common;

use std::process::ExitCode;

use common::{Model, check_dropout, check_layers};
use ndarray::Axis;
use serde::{Deserialize, Serialize};
use striate::datasets::{Dataset, Labelled};
use striate::nn::{Dropout, Linear, Module, ParamStore};
use striate::recurrent::{CellOptions, Lstm, SequenceOptions};
use striate::tensor::{Tensor, no_grad};
use striate::train::figures::{Curve, Plot};
use striate::train::{RunFolder, TrainError};

fn main() -> ExitCode {
    common::run::<Sizes>()
}

/// An LSTM over the rows of a picture, and a read-out of its state.
struct RowReader {
    lstm: Lstm,
    dropout: Dropout,
    fc: Linear,
}

impl RowReader {
    /// (N, 1, H, W) → the hidden states h_1, …, h_H (N, H, units) after each row.
    fn read(&self, x: &Tensor) -> Tensor {
        self.lstm.forward(&x.select(1, 0))
    }
}

impl Module for RowReader {
    /// Many to one: what the state after the last row says.
    fn forward(&self, x: &Tensor) -> Tensor {
        self.fc.forward(&self.dropout.forward(&self.read(x).select(1, -1)))
    }
}

/// Sizes of a [`RowReader`].
#[derive(Clone, Serialize, Deserialize)]
struct Sizes {
    units: usize,
    dropout: f64,
}

impl Model for Sizes {
    const NAME: &'static str = "sequence_classification";
    const ABOUT: &'static str = "Train an LSTM that reads handwritten digits row by row (UCI, 8×8, embedded), or any \
        folder of IDX files (MNIST, Fashion-MNIST), or classify a picture with a trained model";
    const OUT: &'static str = "runs/sequence_classification";
    const EPOCHS: [u64; 2] = [100, 8];
    const LEARNING_RATES: [f64; 2] = [5e-3, 2e-3];

    type Network = RowReader;

    fn new(_embedded: bool) -> Self {
        Sizes { units: 128, dropout: 0.3 }
    }

    fn check(&self, (_, width): (usize, usize), classes: usize) -> Result<(), String> {
        let Sizes { units, dropout } = *self;
        check_layers([[4 * units, width], [4 * units, units], [units, classes]])?;
        check_dropout(dropout)
    }

    fn network(&self, store: &ParamStore, (_, width): (usize, usize), classes: usize) -> RowReader {
        let path = |name: &str| store.root().sub(name);
        let cell = CellOptions { forget_bias: Some(1.0), ..Default::default() };
        let options = SequenceOptions { batch_first: true, cell, ..Default::default() };
        RowReader {
            lstm: Lstm::with(&path("lstm"), width, self.units, options),
            dropout: Dropout::new(&path("dropout"), self.dropout),
            fc: Linear::new(&path("fc"), self.units, classes),
        }
    }

    fn draw(net: &RowReader, run: &RunFolder, test: &Labelled) -> Result<(), TrainError> {
        let points = accuracy_by_row(net, test);
        let plot = Plot {
            title: "Read-out after each row (trained after the last)".into(),
            x_label: "rows read, from the top".into(),
            y_label: "test accuracy, %".into(),
            curves: vec![Curve { points, ..Default::default() }],
            dots: true,
            ..Default::default()
        };
        plot.save(run.file("rows.png"))
    }
}

/// The accuracy in % of the read-out, which was trained on the last state alone, after 1, 2, … rows.
fn accuracy_by_row(net: &RowReader, test: &Labelled) -> Vec<(f64, f64)> {
    let mut right: Vec<usize> = Vec::new();
    for batch in test.batches(1024) {
        let said = no_grad(|| net.fc.forward(&net.read(&batch.images.into()))).argmax_dim(-1, false);
        for (row, said) in said.axis_iter(Axis(1)).enumerate() {
            right.resize(right.len().max(row + 1), 0);
            right[row] += said.iter().zip(&batch.labels).filter(|(said, label)| said == label).count();
        }
    }
    let percent = |right| 100.0 * right as f64 / test.len() as f64;
    (1..).zip(right).map(|(row, right)| (f64::from(row), percent(right))).collect()
}
