//! What a classifier learned, and what it says of its pictures.

use ndarray::Axis;
use striate_datasets::{Dataset, Labelled};

use super::{Cell, Curve, Grid, Plot};
use crate::classification::Evaluation;
use crate::record::EpochRecord;

/// Cross-entropy and accuracy over the epochs, for the training and the test samples by these names.
///
/// The training's are means over an epoch in which the model changed, with dropout and augmentation where it has them,
/// so they may be worse than the test's.
pub fn learning_curves(history: &[EpochRecord], names: [&str; 2]) -> [Plot; 2] {
    let plot = |title: &str, y_label: &str, metric: &str, scale: f64| {
        let curve = |name: &str, pick: &dyn Fn(&EpochRecord) -> Option<&f64>| Curve {
            name: name.into(),
            points: history
                .iter()
                .filter_map(|record| Some((record.epoch as f64, scale * pick(record)?)))
                .collect(),
            ..Default::default()
        };
        let curves = vec![
            curve(names[0], &|record| record.train.get(metric)),
            curve(names[1], &|record| record.test.get(metric)),
        ];
        let (title, x_label, y_label) = (title.into(), "epoch".into(), y_label.into());
        Plot { title, x_label, y_label, curves, ..Default::default() }
    };
    let loss = Plot { log_y: true, ..plot("Loss", "cross-entropy, nats", "loss", 1.0) };
    [loss, plot("Accuracy", "accuracy, %", "accuracy", 100.0)]
}

/// The first 60 pictures, and 20 of the mistakes beyond them, with the class that each was taken for.
///
/// # Panics
/// When `data` are not grey pictures (N, 1, H, W) or (N, H, W), or not those that were evaluated.
#[track_caller]
pub fn predictions(data: &Labelled, evaluation: &Evaluation) -> Grid {
    const FIRST: usize = 60;
    const MISTAKES: usize = 20;
    let images = data.images();
    let &[samples, .., height, width] = images.shape() else {
        panic!("predictions: expected pictures, got {:?}", images.shape());
    };
    let images = images.to_shape((samples, height, width)).expect("one channel");
    let predictions = &evaluation.predictions;
    assert_eq!(predictions.len(), samples, "predictions: pictures and predictions differ in number");
    let cell = |index: usize| {
        let (predicted, label) = (predictions[index], data.labels()[index]);
        let [name, truth] = [predicted, label].map(|class| data.classes()[class].as_str());
        Cell {
            image: images.index_axis(Axis(0), index).to_owned(),
            caption: if predicted == label { name.into() } else { format!("{name}, is {truth}") },
            marked: predicted != label,
        }
    };
    let mistakes: Vec<usize> = (0..data.len()).filter(|&i| predictions[i] != data.labels()[i]).collect();
    let later = mistakes.iter().copied().filter(|&index| index >= FIRST).take(MISTAKES);
    Grid {
        title: format!(
            "Predictions: {} of {samples} wrong; the first {FIRST}, then mistakes (red)",
            mistakes.len()
        ),
        cells: (0..data.len().min(FIRST)).chain(later).map(cell).collect(),
        columns: 10,
    }
}
