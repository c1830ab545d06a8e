//! Plain and residual networks, deeper and deeper: does the training error fall with depth, as it could?
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "../common/folders.rs"]
mod folders;
mod pictures;
#[path = "../common/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use program::{Outcome, learning_rate, positive};
use serde::Serialize;
use striate::compute::par;
use striate::datasets::{Dataset, Per, Split, Standardize};
use striate::nn::ParamStore;
use striate::nn::optim::{Sgd, SgdOptions};
use striate::nn::schedule::{Cosine, Warmup};
use striate::train::{Metrics, RunFolder, Trainer, TrainerOptions, classification};
use striate::vision::{ResNet, ResNetOptions, Shortcut, Stem};

/// Train plain and residual networks of growing depth (He et al. 2016, section 4.2) and plot training error against depth.
#[derive(Parser)]
#[command(name = "resnet_depth")]
struct Arguments {
    /// Folder with CIFAR-10, CIFAR-100 (binary) or IDX files (MNIST, Fashion-MNIST); the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Weight layers of the networks, each 6n + 2
    #[arg(long, value_delimiter = ',', default_value = "8,20,32,56", value_parser = depth)]
    depths: Vec<usize>,
    /// Networks of each kind and depth, from different starts and with orders of their own
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    repeats: u64,
    /// Passes over the training pictures [default: 30 for the embedded digits, 2 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step [default: 64 for the embedded digits, 128 with --data]
    #[arg(long, value_parser = positive)]
    batch: Option<usize>,
    /// Largest learning rate: it rises over the first tenth of the steps, then falls to zero along half a cosine
    #[arg(long, default_value_t = 0.1, value_parser = learning_rate)]
    lr: f64,
    /// Channels of the first stage
    #[arg(long, default_value_t = 16, value_parser = positive)]
    width: usize,
    /// Seed of the first start; the others follow it
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/resnet_depth")]
    out: PathBuf,
    /// Print one JSON object per network
    #[arg(long)]
    json: bool,
}

fn depth(text: &str) -> Result<usize, String> {
    let depth = text.parse().ok().filter(|&depth: &usize| depth >= 8 && depth % 6 == 2);
    depth.ok_or_else(|| "expected a number of layers 6n + 2, such as 8 or 20".into())
}

/// What became of one network.
#[derive(Serialize)]
struct Run {
    kind: &'static str,
    depth: usize,
    seed: u64,
    parameters: usize,
    /// Share of wrong training pictures as the network met them, in each epoch.
    curve: Vec<f64>,
    /// Share of wrong training pictures after the last epoch, in evaluation.
    training_error: f64,
    test_error: f64,
    seconds: f64,
}

/// A network without shortcuts, and one with them.
const KINDS: [(&str, Shortcut); 2] = [("plain", Shortcut::None), ("residual", Shortcut::Padded)];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || compare(&arguments))
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let (name, split) = folders::read(arguments.data.as_deref())?;
    let standardize = Standardize::fit(split.train(), Per::Channel);
    let split = Split::new(standardize.apply(split.train()), standardize.apply(split.test()));
    let folder = RunFolder::create(&arguments.out)?;
    if !arguments.json {
        println!(
            "{name}: {} training and {} test pictures of {:?}; seed {}, {} networks of each kind and depth, {} threads",
            split.train().len(),
            split.test().len(),
            &split.train().images().shape()[1..],
            arguments.seed,
            arguments.repeats,
            par::threads(),
        );
        println!("kind      layers  parameters  seed  training error, %  test error, %  seconds");
    }
    let mut runs = Vec::new();
    for repeat in 0..arguments.repeats {
        for &depth in &arguments.depths {
            for kind in KINDS {
                let run = train(kind, depth, arguments.seed.wrapping_add(repeat), &split, arguments)?;
                if arguments.json {
                    println!("{}", serde_json::to_string(&run)?);
                } else {
                    println!(
                        "{:<9}{:>7}{:>12}{:>6}{:>19.2}{:>15.2}{:>9.0}",
                        run.kind,
                        run.depth,
                        run.parameters,
                        run.seed,
                        100.0 * run.training_error,
                        100.0 * run.test_error,
                        run.seconds,
                    );
                }
                runs.push(run);
            }
        }
        // After every round of seeds, since a series is long.
        pictures::draw(&runs, &arguments.depths, &folder)?;
    }
    if !arguments.json {
        println!("pictures are in {}", arguments.out.display());
    }
    Ok(())
}

fn train(
    (kind, shortcut): (&'static str, Shortcut),
    depth: usize,
    seed: u64,
    split: &Split,
    arguments: &Arguments,
) -> Outcome<Run> {
    let by_data = |embedded, folder| if arguments.data.is_some() { folder } else { embedded };
    let (train, test) = (split.train(), split.test());
    let &[_, channels, height, width] = train.images().shape() else {
        return Err("the data are not pictures".into());
    };
    let options = ResNetOptions {
        shortcut,
        width: arguments.width,
        channels,
        // Large pictures become small ones at once, so that a series ends within the hour.
        stem: if height.max(width) > 16 { Stem::Large } else { Stem::Small },
        ..ResNetOptions::cifar(depth)
    };
    let store = ParamStore::seeded(seed);
    let net = ResNet::with(&store.root(), train.classes().len(), &options);
    let (epochs, batch) =
        (arguments.epochs.unwrap_or(by_data(30, 2)), arguments.batch.unwrap_or(by_data(64, 128) as usize));
    let sgd = SgdOptions { lr: arguments.lr, momentum: 0.9, weight_decay: 1e-4, ..Default::default() };
    let steps = epochs * train.batches(batch).len() as u64;
    let rise = steps / 10;
    let cosine = Cosine { lr: arguments.lr, steps: steps - rise, ..Default::default() };
    let options = TrainerOptions { epochs, ..Default::default() };
    let mut trainer = Trainer::new(&store, Box::new(Sgd::new(&store, sgd)), options).schedule(Warmup {
        steps: rise,
        start_factor: 0.0,
        then: cosine,
    });
    let history = trainer.fit(
        |epoch| train.batches(batch).seeded(seed).shuffled(epoch),
        |batch| classification::step(&net, &batch),
        Metrics::new,
    )?;
    store.eval();
    let error = |part| 1.0 - classification::evaluate(&net, part, 256).confusion.accuracy();
    Ok(Run {
        kind,
        depth,
        seed,
        parameters: store.parameters().count(),
        curve: history.iter().map(|record| 1.0 - record.train["accuracy"]).collect(),
        training_error: error(train),
        test_error: error(test),
        seconds: history.iter().map(|record| record.seconds).sum(),
    })
}
