//! Codes drawn at random, decoded by an auto-encoder and by a variational auto-encoder of the same layers.

use ndarray::{Array2, Axis};
use striate::compute::rng::Rng;
use striate::datasets::{Dataset, Labelled, Split};
use striate::generative::latent::{encode_set, nearest};
use striate::generative::{
    AutoEncoder, GenerativeError, Network, Objective, Vae, VaeOptions, standard_normal,
};
use striate::nn::ParamStore;
use striate::tensor::{Tensor, no_grad};
use striate::train::RunFolder;

use crate::fit::{Plan, fit};
use crate::grids::{cells, grid};
use crate::program::Outcome;

/// Draws pictures and their nearest training pictures: how far they are apart, by the way they were made.
pub(crate) fn compare(
    split: &Split,
    net: &AutoEncoder,
    hidden: &[usize],
    code: usize,
    plan: Plan,
    folder: &RunFolder,
) -> Outcome<Vec<(&'static str, f64)>> {
    const SAMPLES: usize = 200;
    const SHOWN: usize = 12;
    let train = split.train();
    let store = ParamStore::seeded(plan.seed);
    let options = VaeOptions { network: Network::dense(hidden), latent: code, ..Default::default() };
    let vae = Vae::new(&store.root(), &train.images().shape()[1..], &options)?;
    vae.check(&train.images().into())?;
    fit(&store, train, plan, |x| vae.elbo(x).loss(&Objective::default()));

    let noise = standard_normal(&[SAMPLES, code], &mut Rng::named(plan.seed, "samples"));
    let codes = encode_set(&train.images().into(), 1024, |x| net.encode(x));
    let mean = Tensor::from(codes.mean_axis(Axis(0)).expect("there are pictures"));
    let std = Tensor::from(codes.std_axis(Axis(0), 0.0));
    let made = no_grad(|| {
        [
            ("AE, codes from N(0, I)", "AE, N(0, I)", net.decode(&noise)),
            (
                "AE, codes from N(mean, variances of its codes)",
                "AE, fitted",
                net.decode(&(mean + std * &noise)),
            ),
            ("VAE, codes from N(0, I)", "VAE, N(0, I)", vae.decode(&noise).mean()),
        ]
    });
    let mut rows = Vec::new();
    let mut distances = Vec::new();
    for (name, caption, pictures) in made {
        distances.push((name, distance(&rows_of(&pictures), train)?));
        rows.extend(cells(pictures.narrow(0, 0, SHOWN).to_ndarray().view(), caption));
    }
    let test = split.test();
    let some = test.select(&(0..test.len().min(SAMPLES)).collect::<Vec<_>>());
    distances.push(("test pictures", distance(&some.features().to_owned(), train)?));
    rows.extend(cells(some.select(&(0..SHOWN).collect::<Vec<_>>()).images(), "test"));
    grid("Random codes, decoded", rows, SHOWN).save(folder.file("samples.png"))?;
    Ok(distances)
}

fn rows_of(pictures: &Tensor) -> Array2<f32> {
    encode_set(pictures, 1024, |x| x.flatten(1, -1))
}

/// The root of the mean squared difference of a pixel to that of the nearest training picture.
fn distance(rows: &Array2<f32>, train: &Labelled) -> Result<f64, GenerativeError> {
    let found = nearest(rows.view(), train.features(), 1)?;
    let squares = found.distances.iter().map(|distance| distance * distance).sum::<f64>();
    Ok((squares / rows.len() as f64).sqrt())
}
