//! Trains a LeNet on handwritten digits, embedded or from a folder of IDX files, and shows what its filters see.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod common;

use std::process::ExitCode;

use common::{Model, check_dropout, check_layers};
use ndarray::{ArrayD, ArrayView2, Axis, arr2};
use serde::{Deserialize, Serialize};
use striate::conv::{Conv2d, ConvLayerOptions, MaxPool2d, Padding};
use striate::datasets::{Batch, Dataset, Labelled};
use striate::nn::{Dropout, Linear, Module, ParamStore};
use striate::tensor::{Tensor, no_grad};
use striate::train::figures::{Cell, Grid};
use striate::train::{RunFolder, TrainError};

fn main() -> ExitCode {
    common::run::<Sizes>()
}

/// Two convolutions, each followed by ReLU and pooling, and two fully connected layers.
struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    dropout: Dropout,
    fc2: Linear,
}

impl LeNet {
    /// (N, 1, H, W) → the feature maps (N, C₁, H, W) and (N, C₂, H / 2, W / 2).
    fn feature_maps(&self, x: &Tensor) -> [Tensor; 2] {
        let first = self.conv1.forward(x).relu();
        let second = self.conv2.forward(&self.pool.forward(&first)).relu();
        [first, second]
    }
}

impl Module for LeNet {
    fn forward(&self, x: &Tensor) -> Tensor {
        let [_, maps] = self.feature_maps(x);
        let hidden = self.fc1.forward(&self.pool.forward(&maps).flatten(1, -1)).relu();
        self.fc2.forward(&self.dropout.forward(&hidden))
    }
}

/// Sizes of a [`LeNet`].
#[derive(Clone, Serialize, Deserialize)]
struct Sizes {
    /// Side of the square kernels.
    kernel: usize,
    channels: [usize; 2],
    hidden: usize,
    dropout: f64,
}

/// The settings were compared on samples held out of the training part, never by the test part: a fifth of the digits
/// (mean of five divisions and seeds), a sixth of Fashion-MNIST for the learning rate there (`docs/reports/lenet.md`).
impl Model for Sizes {
    const NAME: &'static str = "lenet";
    const ABOUT: &'static str = "Train a LeNet on handwritten digits (UCI, 8×8, embedded), or on any folder of IDX files \
        (MNIST, Fashion-MNIST), or classify a picture with a trained model";
    const OUT: &'static str = "runs/lenet";
    const EPOCHS: [u64; 2] = [100, 8];
    const LEARNING_RATES: [f64; 2] = [1e-2, 5e-3];

    type Network = LeNet;

    fn new(embedded: bool) -> Self {
        Sizes { kernel: if embedded { 3 } else { 5 }, channels: [16, 32], hidden: 128, dropout: 0.3 }
    }

    fn check(&self, (height, width): (usize, usize), classes: usize) -> Result<(), String> {
        let Sizes { kernel, channels: [first, second], hidden, dropout } = *self;
        if height < 4 || width < 4 {
            return Err(format!("pictures must be at least 4×4, they are {height}×{width}"));
        }
        if kernel.is_multiple_of(2) {
            return Err(format!("kernel must be odd, it is {kernel}"));
        }
        check_layers([
            [first, height, width, 1],
            [first, second, kernel, kernel],
            [second, height / 4, width / 4, hidden],
            [hidden, classes, 1, 1],
        ])?;
        check_dropout(dropout)
    }

    fn network(&self, store: &ParamStore, (height, width): (usize, usize), classes: usize) -> LeNet {
        let Sizes { kernel, channels: [first, second], hidden, dropout } = *self;
        let path = |name: &str| store.root().sub(name);
        let same = ConvLayerOptions { padding: Padding::Same, ..Default::default() };
        LeNet {
            conv1: Conv2d::with(&path("conv1"), 1, first, [kernel; 2], same),
            conv2: Conv2d::with(&path("conv2"), first, second, [kernel; 2], same),
            pool: MaxPool2d::new(2),
            fc1: Linear::new(&path("fc1"), second * (height / 4) * (width / 4), hidden),
            dropout: Dropout::new(&path("dropout"), dropout),
            fc2: Linear::new(&path("fc2"), hidden, classes),
        }
    }

    fn draw(net: &LeNet, run: &RunFolder, test: &Labelled) -> Result<(), TrainError> {
        filters(&net.conv1.weight).save(run.file("filters.png"))?;
        feature_maps(net, test).save(run.file("feature_maps.png"))
    }
}

/// The kernels (C, 1, K, K) of the first layer.
fn filters(weight: &Tensor) -> Grid {
    Grid {
        title: "Filters of conv1, each by its own scale: grey is 0, black negative".into(),
        cells: planes(&weight.to_ndarray(), |w| 0.5 + 0.5 * w, |filter| filter.to_string()),
        columns: 8,
    }
}

/// What the first test picture becomes; the maps of each layer start a row.
fn feature_maps(net: &LeNet, test: &Labelled) -> Grid {
    const COLUMNS: usize = 8;
    let Batch { images, labels } = test.gather(&[0]);
    let layers = no_grad(|| net.feature_maps(&Tensor::from(images.view())));
    let mut cells = planes(&images, |x| x, |_| test.classes()[labels[0]].clone());
    for (layer, maps) in layers.iter().enumerate() {
        let blank = Cell { image: arr2(&[[1.0]]), caption: String::new(), marked: false };
        cells.resize(cells.len().next_multiple_of(COLUMNS), blank);
        cells.extend(planes(&maps.to_ndarray(), |x| x, |map| format!("conv{} {map}", layer + 1)));
    }
    Grid { title: "Feature maps after ReLU, each by its own scale".into(), cells, columns: COLUMNS }
}

/// A cell for each plane (H, W) of (…, H, W): the grey of each value over the plane's largest, and a caption of its
/// number from 1.
fn planes(stack: &ArrayD<f32>, grey: fn(f32) -> f32, caption: impl Fn(usize) -> String) -> Vec<Cell> {
    let &[.., height, width] = stack.shape() else { panic!("planes: expected (…, H, W)") };
    let count = stack.len() / (height * width);
    let planes = stack.to_shape((count, height, width)).expect("as many elements");
    let cell = |(index, plane): (usize, ArrayView2<f32>)| {
        let largest = plane.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
        Cell { image: plane.mapv(|value| grey(value / largest)), caption: caption(index + 1), marked: false }
    };
    planes.axis_iter(Axis(0)).enumerate().map(cell).collect()
}
