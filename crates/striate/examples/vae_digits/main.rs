//! Trains a variational auto-encoder on handwritten digits, makes up new ones, and draws its latent space.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod bounds;
#[path = "../common/grids.rs"]
mod grids;
#[path = "../common/latent_pictures.rs"]
mod latent_pictures;
mod pictures;
#[path = "../common/program.rs"]
mod program;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use bounds::{Bound, bounds};
use clap::{Parser, ValueEnum};
use program::{Outcome, learning_rate, positive};
use serde::{Deserialize, Serialize};
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Batch, Dataset, Labelled, Split, digits, idx};
use striate::generative::{GenerativeError, Network, Objective, Ramp, Vae, VaeOptions, standard_normal};
use striate::nn::ParamStore;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::tensor::{Tensor, no_grad};
use striate::train::{
    EpochRecord, JsonLines, Metrics, PlainLines, ProgressBar, RunFolder, RunningMean, Step, Trainer,
    TrainerOptions,
};

/// Train a variational auto-encoder on handwritten digits (UCI, 8×8, embedded), or on any folder of IDX files (MNIST,
/// Fashion-MNIST): grey values as Bernoulli targets
#[derive(Parser)]
#[command(name = "vae_digits")]
struct Arguments {
    /// Folder of IDX files under their official names, .gz or raw; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Layers between picture and code
    #[arg(long, value_enum, default_value_t = Layers::Dense)]
    network: Layers,
    /// Latent dimensions [default: 2 for the embedded digits, 20 with --data]
    #[arg(long, value_parser = positive)]
    latent: Option<usize>,
    /// Weight of the divergence, to which it rises from 0 over the first tenth of the steps: 1 for the bound itself
    #[arg(long, default_value_t = 1.0, value_parser = weight)]
    beta: f64,
    /// Passes over the training set [default: 500 for the embedded digits, 10 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step
    #[arg(long, default_value_t = 128, value_parser = positive)]
    batch: usize,
    /// First learning rate; it falls to zero along half a cosine
    #[arg(long, default_value_t = 2e-3, value_parser = learning_rate)]
    lr: f64,
    /// Samples of z for each picture in the tightest bound of ln p(x), on up to 1,000 test pictures
    #[arg(long, default_value_t = 1000, value_parser = positive)]
    importance: usize,
    /// Seed of initial weights, order of the samples, and noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the model, metrics and pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/vae_digits")]
    out: PathBuf,
    /// Go on from the last checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Print one JSON object per epoch and a last one with the final figures
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum, Serialize, Deserialize)]
enum Layers {
    /// 400 fully connected units.
    Dense,
    /// Two convolutions of stride 2 and 256 units; for pictures whose sides are multiples of 4.
    Conv,
}

impl Layers {
    fn network(self) -> Network {
        match self {
            Layers::Dense => Network::default(),
            Layers::Conv => {
                Network::Convolutional { channels: vec![32, 64], hidden: 256, activation: Default::default() }
            }
        }
    }
}

fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
    weight.ok_or_else(|| "expected a number of at least 0, such as 4".into())
}

/// What a saved model needs beside its weights; `config.json` in the run's folder.
#[derive(Clone, Serialize, Deserialize)]
struct Config {
    data: String,
    /// Channels, height and width of a picture.
    shape: Vec<usize>,
    network: Layers,
    latent: usize,
    beta: f64,
    epochs: u64,
    batch: usize,
    lr: f64,
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || train(&arguments))
}

fn load(arguments: &Arguments) -> Outcome<(Split, Config)> {
    let split = match &arguments.data {
        Some(folder) => idx::folder(folder)?,
        None => digits().clone(),
    };
    let by_data = |embedded, folder| if arguments.data.is_some() { folder } else { embedded };
    let config = Config {
        data: arguments.data.as_ref().map_or("embedded digits".into(), |folder| folder.display().to_string()),
        shape: split.train().images().shape()[1..].to_vec(),
        network: arguments.network,
        latent: arguments.latent.unwrap_or(by_data(2, 20)),
        beta: arguments.beta,
        epochs: arguments.epochs.unwrap_or(by_data(500, 10) as u64),
        batch: arguments.batch,
        lr: arguments.lr,
        seed: arguments.seed,
    };
    Ok((split, config))
}

fn model(config: &Config, store: &ParamStore) -> Result<Vae, GenerativeError> {
    let options =
        VaeOptions { network: config.network.network(), latent: config.latent, ..Default::default() };
    Vae::new(&store.root(), &config.shape, &options)
}

fn train(arguments: &Arguments) -> Outcome<()> {
    let (split, config) = &load(arguments)?;
    let store = ParamStore::seeded(config.seed);
    let vae = model(config, &store)?;
    for part in [split.train(), split.test()] {
        vae.check(&part.images().into())?;
    }
    let run = RunFolder::create(&arguments.out)?;
    if !arguments.json {
        eprintln!(
            "{}: {} training and {} test pictures of {:?}; {} latent dimensions, {} parameters, seed {}, {} threads",
            config.data,
            split.train().len(),
            split.test().len(),
            &config.shape[1..],
            vae.latent(),
            store.parameters().count(),
            config.seed,
            par::threads(),
        );
    }
    let options = TrainerOptions {
        epochs: config.epochs,
        run: Some(run.clone()),
        resume: arguments.resume,
        // A longer run may go on from a shorter one.
        config: serde_json::to_string(&Config { epochs: 0, ..config.clone() })?,
        ..Default::default()
    };
    let adam = Adam::new(&store, AdamOptions { lr: config.lr, ..Default::default() });
    let steps = split.train().batches(config.batch).len() as u64;
    let all_steps = config.epochs * steps;
    let schedule = Cosine { lr: config.lr, steps: all_steps, ..Default::default() };
    // A code that is free at first is not given up before the decoder can use it.
    let beta = Ramp { start: 0.0, end: config.beta, steps: all_steps / 10 };
    let mut trainer = Trainer::new(&store, Box::new(adam), options).schedule(schedule);
    trainer = match (arguments.json, io::stderr().is_terminal()) {
        (true, _) => trainer.callback(JsonLines(io::stdout())),
        (false, true) => trainer.callback(ProgressBar::new(config.epochs)),
        (false, false) => trainer.callback(PlainLines(io::stdout())),
    };
    let history = trainer.fit(
        |epoch| {
            let batches = split.train().batches(config.batch).seeded(config.seed).shuffled(epoch);
            batches.enumerate().map(move |(step, batch)| (epoch * steps + step as u64, batch))
        },
        |(step, Batch { images, labels })| {
            let elbo = vae.elbo(&images.into());
            let terms =
                vec![("reconstruction", -elbo.log_likelihood.item()), ("divergence", elbo.kl.sum().item())];
            let objective = Objective { beta: beta.at(step), ..Default::default() };
            Step { loss: elbo.loss(&objective), samples: labels.len(), metrics: terms }
        },
        || evaluate(&vae, split.test(), config),
    )?;

    store.eval();
    store.save(run.file("model.safetensors"))?;
    run.write_config(config)?;
    pictures::draw(&vae, split, &history, &run, config.seed)?;
    report(arguments, &vae, split.test(), &history, config)
}

/// Minus the bound on test pictures, and its two terms, with the same noise after every epoch.
fn evaluate(vae: &Vae, test: &Labelled, config: &Config) -> Metrics {
    let mut rng = Rng::named(config.seed, "evaluation");
    let mut mean = RunningMean::default();
    for Batch { images, labels } in test.batches(1024) {
        let noise = standard_normal(&[labels.len(), vae.latent()], &mut rng);
        let elbo = no_grad(|| vae.elbo_at(&images.into(), &noise));
        let (reconstruction, divergence) = (-elbo.log_likelihood.item(), elbo.kl.sum().item());
        let terms = [
            ("loss", reconstruction + config.beta * divergence),
            ("bound", reconstruction + divergence),
            ("reconstruction", reconstruction),
            ("divergence", divergence),
        ];
        mean.add(terms, labels.len());
    }
    mean.means()
}

/// Seconds that it takes to make up some pictures.
fn sampling_seconds(vae: &Vae, count: usize, seed: u64) -> f64 {
    let mut rng = Rng::named(seed, "sampling");
    let start = Instant::now();
    vae.sample(count, &mut rng);
    start.elapsed().as_secs_f64()
}

/// The divergence of each latent dimension over test pictures.
fn divergences(vae: &Vae, test: &Labelled) -> Vec<f32> {
    let x = Tensor::from(test.images());
    let codes = |x: &Tensor| vae.encode(x).kl_from_standard_normal();
    let all = striate::generative::latent::encode_set(&x, 1024, codes);
    all.mean_axis(ndarray::Axis(0)).expect("there are pictures").to_vec()
}

fn report(
    arguments: &Arguments,
    vae: &Vae,
    test: &Labelled,
    history: &[EpochRecord],
    config: &Config,
) -> Outcome<()> {
    const SAMPLES: usize = 10_000;
    let last = &history.last().expect("at least one epoch").test;
    let some = test.select(&(0..test.len().min(1000)).collect::<Vec<_>>());
    let bounds = bounds(vae, &some, arguments.importance, config.seed);
    let seconds: f64 = history.iter().map(|record| record.seconds).sum();
    let sampling = sampling_seconds(vae, SAMPLES, config.seed);
    if arguments.json {
        let object = serde_json::json!({
            "epochs": history.len(), "seed": config.seed, "test_bound": -last["bound"],
            "test_reconstruction": last["reconstruction"], "test_divergence": last["divergence"],
            "bounds": bounds, "bounds_pictures": some.len(), "seconds": seconds,
            "samples": SAMPLES, "sampling_seconds": sampling,
        });
        println!("{object}");
        return Ok(());
    }
    let mut divergences = divergences(vae, test);
    divergences.sort_by(|a, b| b.total_cmp(a));
    let list: Vec<String> = divergences.iter().map(|nats| format!("{nats:.2}")).collect();
    println!("\ndivergence of each latent dimension, nats: {}", list.join(" "));
    println!("bounds of ln p(x) on {} test pictures, nats ± standard error:", some.len());
    for Bound { name, mean: [mean, error], gain } in bounds {
        let gain = gain.map(|[gain, error]| format!(", {gain:.3} ± {error:.3} above the one before"));
        println!("  {name:<10}{mean:>9.2} ± {error:.2}{}", gain.unwrap_or_default());
    }
    println!("{SAMPLES} samples drawn in {sampling:.2} s");
    println!(
        "test −ELBO {:.2} nats ({:.2} reconstruction, {:.2} divergence) after {} epochs in {seconds:.1} s of training \
         (seed {})",
        last["bound"],
        last["reconstruction"],
        last["divergence"],
        history.len(),
        config.seed,
    );
    println!("model and pictures are in {}", arguments.out.display());
    Ok(())
}
