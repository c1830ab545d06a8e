//! Pictures of a run: curves, reconstructions, samples, the latent space.

use ndarray::{Array2, ArrayD, Axis};
use striate::compute::rng::Rng;
use striate::datasets::{Batch, Dataset, Labelled, Split};
use striate::generative::Vae;
use striate::generative::latent::{interpolate, nearest};
use striate::tensor::{Tensor, no_grad};
use striate::train::figures::{Curve, Grid, Plot, save_plots};
use striate::train::{EpochRecord, RunFolder};

use crate::grids::{cells, grid};
use crate::latent_pictures::{manifold, means, scatter};
use crate::program::Outcome;

/// Pictures in a row.
const COLUMNS: usize = 10;

pub(crate) fn draw(
    vae: &Vae,
    split: &Split,
    history: &[EpochRecord],
    run: &RunFolder,
    seed: u64,
) -> Outcome<()> {
    let mut rng = Rng::named(seed, "pictures");
    save_plots(run.file("curves.png"), &curves(history))?;
    let first = split.test().gather(&(0..2 * COLUMNS.min(split.test().len() / 2)).collect::<Vec<_>>());
    no_grad(|| -> Outcome<()> {
        reconstructions(vae, first).save(run.file("reconstructions.png"))?;
        let samples = vae.sample(COLUMNS * COLUMNS, &mut rng).to_ndarray();
        grid("Samples: decoded draws from the prior", cells(samples.view(), ""), COLUMNS)
            .save(run.file("samples.png"))?;
        neighbours(&samples, split.train())?.save(run.file("neighbours.png"))?;
        let codes = means(vae, split.test());
        scatter("Latent means of test pictures", &codes, split.test())?.save(run.file("latent.png"))?;
        manifold("Decoded quantiles of the prior", vae, &codes).save(run.file("manifold.png"))?;
        interpolations(vae, &codes).save(run.file("interpolation.png"))?;
        Ok(())
    })
}

fn curves(history: &[EpochRecord]) -> [Plot; 2] {
    let curve = |name: &str, value: &dyn Fn(&EpochRecord) -> f64| Curve {
        name: name.into(),
        points: history.iter().map(|record| (record.epoch as f64, value(record))).collect(),
        ..Default::default()
    };
    let plot = |title: &str, curves| Plot {
        title: title.into(),
        x_label: "epoch".into(),
        y_label: "nats per picture".into(),
        curves,
        ..Default::default()
    };
    let bound = |record: &EpochRecord| record.train["reconstruction"] + record.train["divergence"];
    [
        plot(
            "Minus the evidence lower bound",
            vec![
                curve("training, mean over the epoch", &bound),
                curve("test", &|record| record.test["bound"]),
            ],
        ),
        plot(
            "Its terms on test pictures",
            vec![
                curve("reconstruction", &|record| record.test["reconstruction"]),
                curve("divergence", &|record| record.test["divergence"]),
            ],
        ),
    ]
}

/// Rows of test pictures, each with what the model makes of them below.
fn reconstructions(vae: &Vae, Batch { images, .. }: Batch) -> Grid {
    let decoded = vae.reconstruct(&Tensor::from(images.view())).to_ndarray();
    let (originals, decoded) = (cells(images.view(), "test"), cells(decoded.view(), "decoded"));
    let rows = originals.chunks(COLUMNS).zip(decoded.chunks(COLUMNS));
    grid(
        "Test pictures and their reconstructions",
        rows.flat_map(|(a, b)| [a, b].concat()).collect(),
        COLUMNS,
    )
}

/// The first samples, each with the three training pictures that are nearest to it.
fn neighbours(samples: &ArrayD<f32>, train: &Labelled) -> Outcome<Grid> {
    const SAMPLES: usize = 8;
    const NEAREST: usize = 3;
    let samples = samples.slice_axis(Axis(0), (..SAMPLES).into());
    let pixels = samples.len() / SAMPLES;
    let rows = samples.to_shape((SAMPLES, pixels))?;
    let found = nearest(rows.view(), train.features(), NEAREST.min(train.len()))?;
    let mut all = Vec::new();
    for (sample, indices) in cells(samples.view(), "sample").into_iter().zip(found.indices.rows()) {
        all.push(sample);
        let Batch { images, labels } = train.gather(&indices.to_vec());
        for (mut cell, label) in cells(images.view(), "").into_iter().zip(labels) {
            cell.caption.clone_from(&train.classes()[label]);
            all.push(cell);
        }
    }
    Ok(grid("Samples and the nearest training pictures", all, 2 * (NEAREST + 1)))
}

/// Straight lines between the codes of neighbouring test pictures.
fn interpolations(vae: &Vae, codes: &Array2<f32>) -> Grid {
    const PAIRS: usize = 6;
    let lines: Vec<Tensor> = (0..PAIRS.min(codes.nrows() / 2))
        .map(|pair| {
            let [from, to] = [2 * pair, 2 * pair + 1].map(|row| Tensor::from(codes.row(row)));
            interpolate(&from, &to, COLUMNS)
        })
        .collect();
    let codes = Tensor::concat(&lines.iter().collect::<Vec<_>>(), 0);
    let decoded = vae.decode(&codes).mean().to_ndarray();
    grid("From one test picture's code to another's", cells(decoded.view(), ""), COLUMNS)
}
