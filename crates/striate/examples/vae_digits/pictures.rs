//! Pictures of a run: curves, reconstructions, samples, the latent space.

use ndarray::{Array2, ArrayD, Axis};
use striate::compute::rng::Rng;
use striate::datasets::{Batch, Dataset, Labelled, Split};
use striate::generative::latent::{encode_set, interpolate, nearest, prior_grid};
use striate::generative::{Pca, Vae};
use striate::tensor::{Tensor, no_grad};
use striate::train::figures::{Cell, Curve, Grid, Plot, Scatter, save_plots};
use striate::train::{EpochRecord, RunFolder};

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
        grid("Samples: decoded draws from the prior", &samples, COLUMNS).save(run.file("samples.png"))?;
        neighbours(&samples, split.train())?.save(run.file("neighbours.png"))?;
        let codes = encode_set(&split.test().images().into(), 1024, |x| vae.encode(x).mean);
        latent(&codes, split.test())?.save(run.file("latent.png"))?;
        manifold(vae, &codes).save(run.file("manifold.png"))?;
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

/// The first plane of each picture (N, C, H, W).
fn planes(pictures: &ArrayD<f32>) -> Vec<Array2<f32>> {
    let plane = |picture: ndarray::ArrayViewD<f32>| {
        let plane = picture.index_axis(Axis(0), 0).to_owned();
        plane.into_dimensionality().expect("pictures are (C, H, W)")
    };
    pictures.outer_iter().map(plane).collect()
}

fn cell(image: Array2<f32>, caption: impl Into<String>) -> Cell {
    Cell { image, caption: caption.into(), marked: false }
}

fn grid(title: &str, pictures: &ArrayD<f32>, columns: usize) -> Grid {
    let cells = planes(pictures).into_iter().map(|image| cell(image, "")).collect();
    Grid { title: title.into(), cells, columns }
}

/// Rows of test pictures, each with what the model makes of them below.
fn reconstructions(vae: &Vae, Batch { images, .. }: Batch) -> Grid {
    let decoded = planes(&vae.reconstruct(&Tensor::from(images.view())).to_ndarray());
    let pairs: Vec<_> = planes(&images).into_iter().zip(decoded).collect();
    let rows = pairs.chunks(COLUMNS).flat_map(|row| {
        let originals = row.iter().map(|(image, _)| cell(image.clone(), "test"));
        originals.chain(row.iter().map(|(_, image)| cell(image.clone(), "decoded")))
    });
    Grid { title: "Test pictures and their reconstructions".into(), cells: rows.collect(), columns: COLUMNS }
}

/// The first samples, each with the three training pictures that are nearest to it.
fn neighbours(samples: &ArrayD<f32>, train: &Labelled) -> Outcome<Grid> {
    const SAMPLES: usize = 8;
    const NEAREST: usize = 3;
    let samples = samples.slice_axis(Axis(0), (..SAMPLES).into());
    let pixels = samples.len() / SAMPLES;
    let rows = samples.to_shape((SAMPLES, pixels))?;
    let found = nearest(rows.view(), train.features(), NEAREST.min(train.len()))?;
    let mut cells = Vec::new();
    for (sample, indices) in planes(&samples.to_owned()).into_iter().zip(found.indices.rows()) {
        cells.push(cell(sample, "sample"));
        let Batch { images, labels } = train.gather(&indices.to_vec());
        let named = planes(&images).into_iter().zip(labels);
        cells.extend(named.map(|(image, label)| cell(image, train.classes()[label].clone())));
    }
    Ok(Grid { title: "Samples and the nearest training pictures".into(), cells, columns: 2 * (NEAREST + 1) })
}

/// The means of test pictures: in the latent plane, or in that of the two directions in which they vary most.
fn latent(codes: &Array2<f32>, test: &Labelled) -> Outcome<Scatter> {
    let plane = codes.ncols() == 2;
    let shown = match codes.ncols() {
        1 => ndarray::concatenate(Axis(1), &[codes.view(), codes.view()])?,
        2 => codes.clone(),
        _ => Pca::fit(codes.view(), 2)?.transform(codes.view())?,
    };
    let axis = |number: usize| if plane { format!("z{number}") } else { format!("component {number} of z") };
    Ok(Scatter {
        title: "Latent means of test pictures".into(),
        x_label: axis(1),
        y_label: axis(2),
        points: shown.rows().into_iter().map(|z| (f64::from(z[0]), f64::from(z[1]))).collect(),
        labels: test.labels().to_vec(),
        classes: test.classes().to_vec(),
    })
}

/// What a grid over the two latent dimensions that vary most decodes to, at quantiles of the prior.
fn manifold(vae: &Vae, codes: &Array2<f32>) -> Grid {
    const SIDE: usize = 15;
    let spread = codes.std_axis(Axis(0), 0.0);
    let mut order: Vec<usize> = (0..vae.latent()).collect();
    order.sort_by(|&a, &b| spread[b].total_cmp(&spread[a]));
    let title = "Decoded quantiles of the prior";
    if vae.latent() == 1 {
        let line = prior_grid(SIDE, 2, [0, 1]).narrow(1, 0, 1).narrow(0, 0, SIDE);
        return grid(title, &vae.decode(&line).mean().to_ndarray(), SIDE);
    }
    let mut dimensions = [order[0], order[1]];
    dimensions.sort_unstable();
    let codes = prior_grid(SIDE, vae.latent(), dimensions);
    grid(title, &vae.decode(&codes).mean().to_ndarray(), SIDE)
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
    grid("From one test picture's code to another's", &vae.decode(&codes).mean().to_ndarray(), COLUMNS)
}
