//! Error and angles against the size of the code, and reconstructions.

use ndarray::Array2;
use striate::datasets::Labelled;
use striate::train::figures::{Curve, Plot, save_plots};
use striate::train::{RunFolder, TrainError};

use crate::Row;
use crate::grids::{cells, grid};

pub(crate) fn curves(rows: &[Row], folder: &RunFolder) -> Result<(), TrainError> {
    let curve = |name: &str, value: &dyn Fn(&Row) -> f64| Curve {
        name: name.into(),
        points: rows.iter().map(|row| (row.code as f64, value(row))).collect(),
        ..Default::default()
    };
    let errors = Plot {
        title: "Reconstruction of test pictures".into(),
        x_label: "numbers in the code".into(),
        y_label: "squared error per pixel".into(),
        curves: vec![
            curve("PCA", &|row| row.pca),
            Curve { dashed: true, ..curve("linear auto-encoder", &|row| row.linear) },
            curve("deep auto-encoder", &|row| row.deep),
        ],
        log_x: true,
        log_y: true,
        dots: true,
    };
    let angles = Plot {
        title: "Linear auto-encoder against PCA".into(),
        x_label: "numbers in the code".into(),
        y_label: "principal angle, degrees".into(),
        curves: vec![
            curve("largest", &|row| row.angles.last().copied().unwrap_or_default()),
            curve("mean", &|row| row.angles.iter().sum::<f64>() / row.angles.len() as f64),
        ],
        log_x: true,
        dots: true,
        ..Default::default()
    };
    save_plots(folder.file("error.png"), &[errors, angles])
}

/// A row of pictures for each way to reconstruct them, given as rows of pixels.
pub(crate) fn reconstructions(
    decoded: &[(&str, Array2<f32>)],
    pictures: &Labelled,
    code: usize,
    folder: &RunFolder,
) -> Result<(), TrainError> {
    let images = pictures.images();
    let all = decoded.iter().flat_map(|(name, rows)| {
        let shaped = rows.to_shape(images.shape()).expect("as many pixels");
        cells(shaped.view(), name)
    });
    grid(format!("Test pictures through a code of {code} numbers"), all.collect(), images.shape()[0])
        .save(folder.file("reconstructions.png"))
}
