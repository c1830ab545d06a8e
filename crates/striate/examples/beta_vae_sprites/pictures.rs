//! Traversals, what each dimension knows of each factor, and figures against β.

use striate::datasets::Sprites;
use striate::generative::Vae;
use striate::generative::latent::traverse;
use striate::tensor::no_grad;
use striate::train::figures::{Curve, Heatmap, Plot, save_plots};
use striate::train::{RunFolder, TrainError};

use crate::Run;
use crate::grids::{cells, grid};
use crate::model::{Measured, by_divergence, middle};

pub(crate) fn draw(
    vae: &Vae,
    sprites: &Sprites,
    beta: f64,
    measured: &Measured,
    folder: &RunFolder,
) -> Result<(), TrainError> {
    const VALUES: [f64; 9] = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0];
    let order = by_divergence(measured);
    let codes = traverse(&middle(vae, sprites), &VALUES);
    let decoded = no_grad(|| vae.decode(&codes).mean());
    let rows = order.iter().flat_map(|&dimension| {
        let row = decoded.narrow(0, dimension * VALUES.len(), VALUES.len()).to_ndarray();
        let mut row = cells(row.view(), "");
        for (cell, value) in row.iter_mut().zip(VALUES) {
            cell.caption = format!("z{} = {value}", dimension + 1);
        }
        row
    });
    grid(
        format!("β = {beta}: each row one latent dimension, by falling divergence"),
        rows.collect(),
        VALUES.len(),
    )
    .save(folder.file(format!("traversals_{beta}.png")))?;
    Heatmap {
        title: format!("β = {beta}: information, hundredths of a nat"),
        x_label: "factor".into(),
        y_label: "latent dimension".into(),
        columns: Sprites::FACTORS.map(String::from).to_vec(),
        rows: order.iter().map(|dimension| format!("z{}", dimension + 1)).collect(),
        values: measured.information.select(ndarray::Axis(0), &order).mapv(|nats| (100.0 * nats).round()),
    }
    .save(folder.file(format!("information_{beta}.png")))
}

/// Mean over seeds, and dashed the smallest and largest.
pub(crate) fn against_beta(runs: &[Run], betas: &[f64], folder: &RunFolder) -> Result<(), TrainError> {
    let plot = |title: &str, label: &str, value: fn(&Run) -> f64| {
        let line = |dashed, of: fn(&[f64]) -> f64| Curve {
            points: betas
                .iter()
                .map(|&beta| {
                    let alike = runs.iter().filter(|run| run.beta == beta);
                    (beta, of(&alike.map(value).collect::<Vec<_>>()))
                })
                .collect(),
            colour: Some(0),
            dashed,
            ..Default::default()
        };
        Plot {
            title: format!("{title}: mean, least and largest of the seeds"),
            x_label: "β".into(),
            y_label: label.into(),
            curves: vec![
                line(false, |values| values.iter().sum::<f64>() / values.len() as f64),
                line(true, |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
                line(true, |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            ],
            log_x: true,
            dots: true,
            ..Default::default()
        }
    };
    let plots = [
        plot("Disentanglement", "mutual information gap", |run| run.measured.mig),
        plot("Reconstruction", "nats per sprite", |run| run.measured.reconstruction),
    ];
    save_plots(folder.file("against_beta.png"), &plots)
}
