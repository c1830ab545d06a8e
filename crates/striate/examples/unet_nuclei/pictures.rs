//! Pictures of a comparison: curves, predictions with their errors, and the networks side by side.

use ndarray::{Array2, Axis, Ix2, Zip};
use striate::datasets::{Dataset, Segmentation};
use striate::train::figures::{Cell, Curve, Grid, Plot, save_plots};
use striate::train::{EpochRecord, RunFolder};

use crate::program::Outcome;
use crate::{NUCLEUS, Outcomes};

/// Images shown.
const SHOWN: usize = 8;

pub(crate) fn draw(run: &RunFolder, test: &Segmentation, all: &[Outcomes]) -> Outcome<()> {
    save_plots(run.file("curves.png"), &curves(all))?;
    let first = &all[0];
    let shown = from_best_to_worst(first, test.len());
    predictions(test, first, &shown).save(run.file("predictions.png"))?;
    networks(test, all, &shown).save(run.file("networks.png"))?;
    Ok(())
}

fn curves(all: &[Outcomes]) -> [Plot; 2] {
    let curve = |outcomes: &Outcomes, value: &dyn Fn(&EpochRecord) -> f64| Curve {
        name: outcomes.network.title().into(),
        points: outcomes.history.iter().map(|record| (record.epoch as f64, value(record))).collect(),
        ..Default::default()
    };
    let plot = |title: &str, y_label: &str, value: &dyn Fn(&EpochRecord) -> f64| Plot {
        title: title.into(),
        x_label: "epoch".into(),
        y_label: y_label.into(),
        curves: all.iter().map(|outcomes| curve(outcomes, value)).collect(),
        ..Default::default()
    };
    [
        Plot {
            log_y: true,
            ..plot("Training loss", "cross-entropy + Dice loss", &|record| record.train["loss"])
        },
        plot("Nuclei of the held-out images", "Dice coefficient, pooled over pixels", &|record| {
            record.test["dice"]
        }),
    ]
}

/// Numbers of images at equal distances in the order of their Dice coefficients.
fn from_best_to_worst(outcomes: &Outcomes, images: usize) -> Vec<usize> {
    let dice = |&image: &usize| outcomes.evaluation.images[image].dice(NUCLEUS).unwrap_or(1.0);
    let mut order: Vec<usize> = (0..images).collect();
    order.sort_by(|a, b| dice(b).total_cmp(&dice(a)));
    let shown = SHOWN.min(images);
    (0..shown).map(|i| order[i * (images - 1) / (shown - 1).max(1)]).collect()
}

/// Rows of image, truth, prediction and error.
fn predictions(test: &Segmentation, outcomes: &Outcomes, shown: &[usize]) -> Grid {
    let cells = shown.iter().flat_map(|&image| {
        let (truth, predicted) = (truth(test, image), predicted(outcomes, image));
        let error = Zip::from(&truth).and(&predicted).map_collect(|&truth, &predicted| {
            match (truth > 0.5, predicted > 0.5) {
                (true, false) => 0.5,
                (false, true) => 1.0,
                _ => 0.0,
            }
        });
        [
            cell(visible(test, image), format!("held-out image {image}")),
            cell(truth, "truth".into()),
            cell(predicted, format!("prediction, Dice {}", dice(outcomes, image))),
            cell(error, "missed grey, extra white".into()),
        ]
    });
    Grid {
        title: format!("{}: nuclei of held-out images, from the best to the worst", outcomes.network.title()),
        cells: cells.collect(),
        columns: 4,
    }
}

/// Rows of image, truth, and each network's prediction.
fn networks(test: &Segmentation, all: &[Outcomes], shown: &[usize]) -> Grid {
    let cells = shown.iter().flat_map(|&image| {
        let given = [
            cell(visible(test, image), format!("held-out image {image}")),
            cell(truth(test, image), "truth".into()),
        ];
        given.into_iter().chain(all.iter().map(move |outcomes| {
            let caption = format!("{} {}", outcomes.network.title(), dice(outcomes, image));
            cell(predicted(outcomes, image), caption)
        }))
    });
    Grid {
        title: "Predictions of all networks, with their Dice coefficients".into(),
        cells: cells.collect(),
        columns: 2 + all.len(),
    }
}

fn cell(image: Array2<f32>, caption: String) -> Cell {
    Cell { image, caption, marked: false }
}

/// An image from its darkest to its brightest pixel.
fn visible(test: &Segmentation, image: usize) -> Array2<f32> {
    let image = test.images().index_axis(Axis(0), image).index_axis(Axis(0), 0).to_owned();
    let image = image.into_dimensionality::<Ix2>().expect("images are (N, C, H, W)");
    let (low, high) = image.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    image.mapv(|value| (value - low) / (high - low).max(f32::MIN_POSITIVE))
}

fn truth(test: &Segmentation, image: usize) -> Array2<f32> {
    test.masks().index_axis(Axis(0), image).mapv(|class| if class == NUCLEUS { 1.0 } else { 0.0 })
}

fn predicted(outcomes: &Outcomes, image: usize) -> Array2<f32> {
    let classes = &outcomes.evaluation.predictions;
    classes.index_axis(Axis(0), image).mapv(|class| if class == NUCLEUS { 1.0 } else { 0.0 })
}

fn dice(outcomes: &Outcomes, image: usize) -> String {
    outcomes.evaluation.images[image].dice(NUCLEUS).map_or("–".into(), |dice| format!("{dice:.2}"))
}
