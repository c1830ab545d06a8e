//! Principal components against auto-encoders: what is lost with how many numbers, whether the linear one finds the same
//! subspace, and what a code drawn at random decodes to.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "../common/fit.rs"]
mod fit;
#[path = "../common/folders.rs"]
mod folders;
#[path = "../common/grids.rs"]
mod grids;
mod pictures;
#[path = "../common/program.rs"]
mod program;
mod samples;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fit::{Plan, fit};
use ndarray::{Array2, ArrayView2, Ix2};
use program::{Outcome, learning_rate, positive};
use serde::Serialize;
use striate::compute::par;
use striate::datasets::{Dataset, Labelled, Split};
use striate::generative::latent::encode_set;
use striate::generative::{AutoEncoder, AutoEncoderOptions, Network, Pca, Penalty, principal_angles};
use striate::nn::{Module, ParamStore};
use striate::tensor::Tensor;
use striate::train::RunFolder;

/// Compare principal components, a linear and a deep auto-encoder by the error of their reconstructions, and decode codes
/// drawn at random by an auto-encoder and by a variational one
#[derive(Parser)]
#[command(name = "autoencoder_vs_pca")]
struct Arguments {
    /// Folder of IDX files (MNIST, Fashion-MNIST) under their official names; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Sizes of the code
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,8,16,32", value_parser = positive)]
    codes: Vec<usize>,
    /// Size of the code whose reconstructions and samples are drawn
    #[arg(long, default_value_t = 8, value_parser = positive)]
    shown: usize,
    /// Hidden units of the deep encoder, layer by layer; its decoder has them the other way round
    #[arg(long, value_delimiter = ',', default_value = "256,128", value_parser = positive)]
    hidden: Vec<usize>,
    /// Passes over the training pictures [default: 300 for the embedded digits, 10 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step
    #[arg(long, default_value_t = 64, value_parser = positive)]
    batch: usize,
    /// First learning rate, ten times as large for the linear network; it falls to zero along half a cosine
    #[arg(long, default_value_t = 2e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order of the samples, and noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/autoencoder_vs_pca")]
    out: PathBuf,
    /// Print one JSON object per code size, and a last one about the samples
    #[arg(long)]
    json: bool,
}

/// What a code size costs: squared errors per pixel on test pictures, and the angles between the linear auto-encoder's
/// subspace and that of the principal components, in degrees.
#[derive(Serialize)]
struct Row {
    code: usize,
    pca: f64,
    linear: f64,
    deep: f64,
    angles: Vec<f64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || compare(&arguments))
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let (name, split) = folders::read(arguments.data.as_deref())?;
    let folder = RunFolder::create(&arguments.out)?;
    let epochs = arguments.epochs.unwrap_or(if arguments.data.is_some() { 10 } else { 300 });
    let plan = Plan { epochs, batch: arguments.batch, lr: arguments.lr, seed: arguments.seed };
    if !arguments.json {
        println!(
            "{name}: {} training and {} test pictures of {:?}; seed {}, {} threads",
            split.train().len(),
            split.test().len(),
            &split.train().images().shape()[1..],
            arguments.seed,
            par::threads(),
        );
        println!("squared error per test pixel, and the largest angle between the two linear subspaces");
        println!("code      PCA   linear     deep   angle, degrees");
    }
    let mut rows = Vec::new();
    for &code in &arguments.codes {
        let row = measure(&split, code, &arguments.hidden, plan)?;
        if arguments.json {
            println!("{}", serde_json::to_string(&row)?);
        } else {
            let angle = row.angles.last().copied().unwrap_or_default();
            println!("{:>4}{:>9.5}{:>9.5}{:>9.5}{angle:>17.2}", row.code, row.pca, row.linear, row.deep);
        }
        rows.push(row);
        pictures::curves(&rows, &folder)?;
    }
    let test = split.test().select(&(0..split.test().len().min(12)).collect::<Vec<_>>());
    let deep = train(&split, &arguments.hidden, arguments.shown, plan)?;
    let linear = train(&split, &[], arguments.shown, plan)?;
    let pca = Pca::fit(split.train().features(), arguments.shown)?;
    let decoded = [
        ("original", test.features().to_owned()),
        ("PCA", through_pca(&pca, &test)?),
        ("linear", through(&linear, &test)),
        ("deep", through(&deep, &test)),
    ];
    pictures::reconstructions(&decoded, &test, arguments.shown, &folder)?;
    let distances = samples::compare(&split, &deep, &arguments.hidden, arguments.shown, plan, &folder)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&distances)?);
    } else {
        println!("root mean squared distance of a pixel to the nearest training picture:");
        distances.iter().for_each(|(name, distance)| println!("  {name:<48}{distance:.4}"));
        println!("pictures are in {}", arguments.out.display());
    }
    Ok(())
}

fn train(split: &Split, hidden: &[usize], code: usize, plan: Plan) -> Outcome<AutoEncoder> {
    let store = ParamStore::seeded(plan.seed);
    let options = AutoEncoderOptions { network: Network::dense(hidden), code, ..Default::default() };
    let net = AutoEncoder::new(&store.root(), &split.train().images().shape()[1..], &options)?;
    // A linear network bears longer steps.
    let lr = if hidden.is_empty() { 10.0 * plan.lr } else { plan.lr };
    fit(&store, split.train(), Plan { lr, ..plan }, |x| net.loss(x, x, Penalty::None));
    Ok(net)
}

/// x̂ of all pictures, as rows.
fn through(net: &AutoEncoder, pictures: &Labelled) -> Array2<f32> {
    encode_set(&pictures.images().into(), 1024, |x| net.forward(x).flatten(1, -1))
}

fn through_pca(pca: &Pca, pictures: &Labelled) -> Outcome<Array2<f32>> {
    Ok(pca.inverse(pca.transform(pictures.features())?.view())?)
}

fn error(decoded: &Array2<f32>, original: ArrayView2<f32>) -> f64 {
    (decoded - &original).iter().map(|error| f64::from(error * error)).sum::<f64>() / original.len() as f64
}

fn measure(split: &Split, code: usize, hidden: &[usize], plan: Plan) -> Outcome<Row> {
    let test = split.test();
    let pca = Pca::fit(split.train().features(), code)?;
    let linear = train(split, &[], code, plan)?;
    let deep = train(split, hidden, code, plan)?;
    // What the linear decoder spans: its values at the unit codes, less that at none.
    let units = Tensor::eye(code).to_ndarray().into_dimensionality::<Ix2>()?;
    let decode = |codes: Array2<f32>| {
        encode_set(&codes.into(), code, |h| linear.decode(h).flatten(1, -1)).mapv(f64::from)
    };
    let spanned = decode(units) - decode(Array2::zeros((1, code)));
    let angles = principal_angles(pca.components(), spanned.view())?;
    Ok(Row {
        code,
        pca: error(&through_pca(&pca, test)?, test.features()),
        linear: error(&through(&linear, test), test.features()),
        deep: error(&through(&deep, test), test.features()),
        angles: angles.into_iter().map(f64::to_degrees).collect(),
    })
}
