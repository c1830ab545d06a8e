//! Denoising auto-encoders: each learns to undo one kind of damage. How do they fare with it, and with the other kinds?
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "common/fit.rs"]
mod fit;
#[path = "common/folders.rs"]
mod folders;
#[path = "common/grids.rs"]
mod grids;
#[path = "common/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fit::{Plan, fit};
use grids::{cells, grid};
use ndarray::Array2;
use program::{Outcome, learning_rate, positive};
use serde_json::json;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Dataset, Split};
use striate::generative::{AutoEncoder, AutoEncoderOptions, Corruption, Network, Penalty};
use striate::nn::losses::squared_error;
use striate::nn::{Module, ParamStore};
use striate::tensor::{Tensor, no_grad};
use striate::train::RunFolder;
use striate::train::figures::Heatmap;

/// Train auto-encoders to undo Gaussian noise, masking, and salt and pepper, and measure each on all three
#[derive(Parser)]
#[command(name = "denoising")]
struct Arguments {
    /// Folder of IDX files (MNIST, Fashion-MNIST) under their official names; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Standard deviation of the Gaussian noise; pixels are from 0 to 1
    #[arg(long, default_value_t = 0.3, value_parser = deviation)]
    std: f64,
    /// Share of the pixels that masking, or salt and pepper, take away
    #[arg(long, default_value_t = 0.3, value_parser = share)]
    share: f64,
    /// Units of the hidden layer
    #[arg(long, default_value_t = 512, value_parser = positive)]
    hidden: usize,
    /// Numbers in the code
    #[arg(long, default_value_t = 64, value_parser = positive)]
    code: usize,
    /// Passes over the training pictures [default: 200 for the embedded digits, 10 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step
    #[arg(long, default_value_t = 64, value_parser = positive)]
    batch: usize,
    /// First learning rate; it falls to zero along half a cosine
    #[arg(long, default_value_t = 1e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order of the samples, and damage
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/denoising")]
    out: PathBuf,
    /// Print one JSON object per network
    #[arg(long)]
    json: bool,
}

fn deviation(text: &str) -> Result<f64, String> {
    let std = text.parse().ok().filter(|std: &f64| std.is_finite() && *std >= 0.0);
    std.ok_or_else(|| "expected a number of at least 0, such as 0.3".into())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1, such as 0.3".into())
}

type Damage = (&'static str, Corruption);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || compare(&arguments))
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let (name, split) = folders::read(arguments.data.as_deref())?;
    let folder = RunFolder::create(&arguments.out)?;
    let probability = arguments.share;
    let damages = [
        ("nothing", Corruption::Gaussian { std: 0.0 }),
        ("Gaussian", Corruption::Gaussian { std: arguments.std }),
        ("masking", Corruption::Masking { probability }),
        ("salt and pepper", Corruption::SaltAndPepper { probability }),
    ];
    if !arguments.json {
        println!(
            "{name}: {} training and {} test pictures of {:?}; seed {}, {} threads",
            split.train().len(),
            split.test().len(),
            &split.train().images().shape()[1..],
            arguments.seed,
            par::threads(),
        );
        println!("squared error per test pixel, in thousandths, after damage by");
        println!("{:<22}{}", "network trained on", damages.map(|(name, _)| format!("{name:>16}")).concat());
    }
    let clean = Tensor::from(split.test().images());
    let damaged = damages.map(|(name, damage)| damage.apply(&clean, &mut Rng::named(arguments.seed, name)));
    let untouched = damaged.each_ref().map(|x| squared_error(x, &clean).item());
    report("(no network)", &untouched, &damages, arguments.json);
    let mut errors = vec![untouched];
    for (number, damage) in damages.into_iter().enumerate() {
        let net = train(&split, damage, arguments)?;
        let repaired = no_grad(|| damaged.each_ref().map(|x| net.forward(x)));
        let error = repaired.each_ref().map(|x| squared_error(x, &clean).item());
        report(damage.0, &error, &damages, arguments.json);
        errors.push(error);
        if number > 0 {
            let rows = [("clean", &clean), ("damaged", &damaged[number]), ("repaired", &repaired[number])];
            draw(damage.0, rows, &folder)?;
        }
    }
    table(&errors, &damages).save(folder.file("errors.png"))?;
    if !arguments.json {
        println!("pictures are in {}", arguments.out.display());
    }
    Ok(())
}

fn train(split: &Split, (name, damage): Damage, arguments: &Arguments) -> Outcome<AutoEncoder> {
    let epochs = arguments.epochs.unwrap_or(if arguments.data.is_some() { 10 } else { 200 });
    let store = ParamStore::seeded(arguments.seed);
    let network = Network::dense(&[arguments.hidden]);
    let options = AutoEncoderOptions { network, code: arguments.code, ..Default::default() };
    let net = AutoEncoder::new(&store.root(), &split.train().images().shape()[1..], &options)?;
    let plan = Plan { epochs, batch: arguments.batch, lr: arguments.lr, seed: arguments.seed };
    // Other damage every time that a picture comes.
    let mut rng = Rng::named(arguments.seed, &format!("training, {name}"));
    fit(&store, split.train(), plan, |x| net.loss(&damage.apply(x, &mut rng), x, Penalty::None));
    Ok(net)
}

fn report(trained_on: &str, errors: &[f64; 4], damages: &[Damage; 4], json: bool) {
    if json {
        let errors: serde_json::Map<_, _> =
            damages.iter().zip(errors).map(|((name, _), error)| (name.to_string(), json!(error))).collect();
        println!("{}", json!({ "trained_on": trained_on, "squared_error": errors }));
    } else {
        println!("{trained_on:<22}{}", errors.map(|error| format!("{:>16.2}", 1e3 * error)).concat());
    }
}

/// The first test pictures, clean, damaged and repaired.
fn draw(damage: &str, rows: [(&str, &Tensor); 3], folder: &RunFolder) -> Outcome<()> {
    const SHOWN: usize = 10;
    let all = rows.map(|(caption, pictures)| {
        let some = pictures.narrow(0, 0, SHOWN.min(pictures.shape()[0]));
        cells(some.to_ndarray().view(), caption)
    });
    let columns = all[0].len();
    let title = format!("Damage: {damage}, repaired by a network that was trained on it");
    let file = format!("{}.png", damage.to_lowercase().replace(' ', "_"));
    Ok(grid(title, all.concat(), columns).save(folder.file(file))?)
}

fn table(errors: &[[f64; 4]], damages: &[Damage; 4]) -> Heatmap {
    let names = || damages.iter().map(|(name, _)| name.to_string());
    Heatmap {
        title: "Error after repair, thousandths".into(),
        x_label: "damage of the test pictures".into(),
        y_label: "damage in training".into(),
        columns: names().collect(),
        rows: std::iter::once("(no network)".into()).chain(names()).collect(),
        values: Array2::from_shape_fn((errors.len(), 4), |(row, column)| {
            (1e4 * errors[row][column]).round() / 10.0
        }),
    }
}
