//! Error against epochs, and against depth.

use striate::train::figures::{Curve, Plot, save_plots};
use striate::train::{RunFolder, TrainError};

use crate::{KINDS, Run};

pub(crate) fn draw(runs: &[Run], depths: &[usize], folder: &RunFolder) -> Result<(), TrainError> {
    let curves = KINDS.map(|(kind, _)| curves(kind, runs, depths));
    save_plots(folder.file("curves.png"), &curves)?;
    let plots = [
        against_depth("Training", runs, depths, |run| run.training_error),
        against_depth("Test", runs, depths, |run| run.test_error),
    ];
    save_plots(folder.file("depth.png"), &plots)
}

/// The training error of each network of a kind in each epoch: a colour for each depth, a line for each seed.
fn curves(kind: &str, runs: &[Run], depths: &[usize]) -> Plot {
    let mut curves = Vec::new();
    for (colour, depth) in depths.iter().enumerate() {
        let alike = runs.iter().filter(|run| run.kind == kind && run.depth == *depth);
        curves.extend(alike.enumerate().map(|(repeat, run)| Curve {
            name: if repeat == 0 { format!("{depth} layers") } else { String::new() },
            points:
                run.curve.iter().zip(1..).map(|(error, epoch)| (f64::from(epoch), 100.0 * error)).collect(),
            colour: Some(colour),
            dashed: false,
        }));
    }
    Plot {
        title: format!("Training of {kind} networks"),
        x_label: "epoch".into(),
        y_label: "error, %, mean over the epoch".into(),
        curves,
        ..Default::default()
    }
}

/// The mean over seeds, and dashed the smallest and largest, of both kinds.
fn against_depth(part: &str, runs: &[Run], depths: &[usize], error: fn(&Run) -> f64) -> Plot {
    let mut curves = Vec::new();
    for (colour, (kind, _)) in KINDS.into_iter().enumerate() {
        let line = |name: &str, dashed, of: fn(&[f64]) -> f64| Curve {
            name: name.into(),
            points: depths
                .iter()
                .map(|&depth| {
                    let alike = runs.iter().filter(|run| run.kind == kind && run.depth == depth);
                    let errors: Vec<f64> = alike.map(|run| 100.0 * error(run)).collect();
                    (depth as f64, of(&errors))
                })
                .collect(),
            colour: Some(colour),
            dashed,
        };
        curves.push(line(kind, false, |errors| errors.iter().sum::<f64>() / errors.len() as f64));
        curves.push(line("", true, |errors| errors.iter().copied().fold(f64::INFINITY, f64::min)));
        curves.push(line("", true, |errors| errors.iter().copied().fold(0.0, f64::max)));
    }
    Plot {
        title: format!("{part} error after the last epoch"),
        x_label: "weight layers".into(),
        y_label: "error, %: mean, least and largest of the seeds".into(),
        curves,
        dots: true,
        ..Default::default()
    }
}
