//! Finds the nuclei of cells in microscopy images, pixel by pixel: U-Net beside a fully convolutional network.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod network;
mod pictures;
mod predict;
#[path = "../common/program.rs"]
mod program;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use network::Network;
use program::{Outcome, learning_rate, positive};
use serde::{Deserialize, Serialize};
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{
    Augment, Dataset, Elastic, Outside, RandomAffine, Segmentation, SegmentationBatch, Split, nuclei,
    nuclei_from,
};
use striate::nn::losses::{DiceOptions, DiceOver, dice_loss};
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::nn::{ParamStore, cross_entropy};
use striate::tensor::Tensor;
use striate::train::segmentation::{Evaluation, evaluate};
use striate::train::{
    EpochRecord, JsonLines, Metrics, PlainLines, ProgressBar, RunFolder, Step, Trainer, TrainerOptions,
};

/// The class that is looked for.
const NUCLEUS: usize = 1;

/// Train U-Net to find nuclei in microscopy images (2018 Data Science Bowl, embedded), and compare it with U-Net without
/// skip connections and with a fully convolutional network; or mark the nuclei of a picture with a trained network
#[derive(Parser)]
#[command(name = "unet_nuclei")]
struct Arguments {
    /// The file nuclei128.npz with all 664 images; an embedded part of it when not given
    #[arg(long, value_name = "FILE.npz")]
    data: Option<PathBuf>,
    /// Networks to train, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "unet,unet-without-skips,fcn")]
    networks: Vec<Network>,
    /// Passes over the training set [default: 40 for the embedded images, 12 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Images per step
    #[arg(long, default_value_t = 4, value_parser = positive)]
    batch: usize,
    /// Learning rate at the start; it falls to zero along half a cosine
    #[arg(long, default_value_t = 2e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order of the images, and their random changes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that models, metrics and pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/unet_nuclei")]
    out: PathBuf,
    /// Go on from the last checkpoints in --out
    #[arg(long)]
    resume: bool,
    /// Print one JSON object per epoch, and one per network with the final figures
    #[arg(long)]
    json: bool,
    /// Write the mask of this picture, of any size, by the first of --networks in --out, instead of training: nuclei
    /// white. They should be as large as in the training images, some 5 to 30 pixels
    #[arg(long, value_name = "FILE.png")]
    predict: Option<PathBuf>,
}

/// What a saved model needs beside its weights; `config.json` in the network's folder.
#[derive(Clone, Serialize, Deserialize)]
struct Config {
    data: String,
    network: Network,
    epochs: u64,
    batch: usize,
    lr: f64,
    seed: u64,
}

/// A trained network's figures.
struct Outcomes {
    network: Network,
    parameters: usize,
    history: Vec<EpochRecord>,
    evaluation: Evaluation,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || match &arguments.predict {
        Some(picture) => predict::predict(&arguments.out, arguments.networks[0], picture),
        None => compare(&arguments),
    })
}

/// Trains all networks, draws what they make of the held-out images, and prints the table.
fn compare(arguments: &Arguments) -> Outcome<()> {
    let split = match &arguments.data {
        Some(file) => nuclei_from(file)?,
        None => nuclei().clone(),
    };
    let data = arguments.data.as_ref().map_or("embedded nuclei".into(), |file| file.display().to_string());
    if !arguments.json {
        eprintln!(
            "{data}: {} training and {} held-out images; seed {}, {} threads",
            split.train().len(),
            split.test().len(),
            arguments.seed,
            par::threads(),
        );
    }
    let standard = Split::new(standardized(split.train())?, standardized(split.test())?);
    let mut all = Vec::new();
    for &network in &arguments.networks {
        let config = Config {
            data: data.clone(),
            network,
            epochs: arguments.epochs.unwrap_or(if arguments.data.is_some() { 12 } else { 40 }),
            batch: arguments.batch,
            lr: arguments.lr,
            seed: arguments.seed,
        };
        let outcomes = train(&config, &standard, arguments)?;
        if arguments.json {
            println!("{}", json(&outcomes, &config));
        } else {
            println!(
                "\n{}, held-out images:\n{}",
                network.title(),
                outcomes.evaluation.confusion.pixel_table()
            );
        }
        all.push(outcomes);
    }
    let run = RunFolder::create(&arguments.out)?;
    pictures::draw(&run, split.test(), &all)?;
    if !arguments.json {
        print_table(&all);
        println!("models and pictures are in {}", arguments.out.display());
    }
    Ok(())
}

/// Every image with mean 0 and variance 1.
fn standardized(data: &Segmentation) -> Outcome<Segmentation> {
    let mut images = data.images().to_owned();
    for mut image in images.outer_iter_mut() {
        let (mean, std) = (image.mean().unwrap_or(0.0), image.std(0.0).max(1e-6));
        image.mapv_inplace(|value| (value - mean) / std);
    }
    Ok(Segmentation::new(images, data.masks().to_owned(), data.classes().to_vec(), data.ignored())?)
}

/// Turned and mirrored in any way, a little larger or smaller, bent, brighter or darker, and noisy.
fn augment() -> Augment {
    Augment {
        flip_horizontal: true,
        flip_vertical: true,
        affine: RandomAffine { degrees: 45.0, scale: 0.2, ..Default::default() },
        elastic: Elastic { amplitude: 1.5, spacing: 32 },
        outside: Outside::Reflect,
        brightness: 0.2,
        noise: 0.05,
        ..Default::default()
    }
}

fn train(config: &Config, split: &Split<Segmentation>, arguments: &Arguments) -> Outcome<Outcomes> {
    let (network, seed) = (config.network, config.seed);
    let store = ParamStore::seeded(seed);
    let net = network.build(&store, split.train().classes().len());
    let parameters = store.parameters().iter().map(|(_, tensor)| tensor.len()).sum();
    if !arguments.json {
        eprintln!("\n{}: {parameters} parameters", network.title());
    }
    let run = RunFolder::create(arguments.out.join(network.folder()))?;
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
    let schedule = Cosine { lr: config.lr, steps: config.epochs * steps, ..Default::default() };
    let mut trainer = Trainer::new(&store, Box::new(adam), options).schedule(schedule);
    trainer = match (arguments.json, io::stderr().is_terminal()) {
        (true, _) => trainer.callback(JsonLines(io::stdout())),
        (false, true) => trainer.callback(ProgressBar::new(config.epochs)),
        (false, false) => trainer.callback(PlainLines(io::stdout())),
    };
    let history = trainer.fit(
        |epoch| {
            let batches = split.train().batches(config.batch).seeded(seed).shuffled(epoch);
            batches.enumerate().map(move |(step, mut batch)| {
                let mut rng = Rng::named(seed, "augment").stream(epoch * steps + step as u64);
                augment().apply_with_masks(&mut batch.images, &mut batch.masks, &mut rng);
                batch
            })
        },
        |SegmentationBatch { images, masks }| {
            let samples = masks.dim().0;
            let dice = DiceOptions { over: DiceOver::Batch, ..Default::default() };
            let loss = net.loss(&Tensor::from(images), &|logits| {
                cross_entropy(logits, &masks) + dice_loss(logits, &masks, dice)
            });
            Step { loss, samples, metrics: Vec::new() }
        },
        || metrics(&evaluate(&*net, split.test(), 8)),
    )?;
    store.eval();
    store.save(run.file("model.safetensors"))?;
    run.write_config(config)?;
    Ok(Outcomes { network, parameters, history, evaluation: evaluate(&*net, split.test(), 8) })
}

/// Cross-entropy, accuracy, and the overlap of nuclei, pooled over pixels and as mean over images.
fn metrics(evaluation: &Evaluation) -> Metrics {
    let Evaluation { confusion, loss, .. } = evaluation;
    let mut metrics = confusion.metrics();
    let nuclei = [
        ("loss", *loss),
        ("iou", confusion.iou(NUCLEUS).unwrap_or(0.0)),
        ("dice", confusion.dice(NUCLEUS).unwrap_or(0.0)),
        ("dice_per_image", evaluation.dice_per_image(NUCLEUS)),
    ];
    metrics.extend(nuclei.map(|(name, value)| (name.to_string(), value)));
    metrics
}

fn seconds(history: &[EpochRecord]) -> f64 {
    history.iter().map(|record| record.seconds).sum()
}

fn json(outcomes: &Outcomes, config: &Config) -> serde_json::Value {
    serde_json::json!({
        "network": config.network, "parameters": outcomes.parameters, "epochs": outcomes.history.len(),
        "seed": config.seed, "seconds": seconds(&outcomes.history), "held_out": metrics(&outcomes.evaluation),
    })
}

fn print_table(all: &[Outcomes]) {
    println!(
        "nuclei of the held-out images   parameters  epochs  seconds  Dice, pooled  mean of images    IoU"
    );
    for outcomes in all {
        let measures = metrics(&outcomes.evaluation);
        println!(
            "{:<30}  {:>10}  {:>6}  {:>7.0}  {:>12.4}  {:>14.4}  {:.3}",
            outcomes.network.title(),
            outcomes.parameters,
            outcomes.history.len(),
            seconds(&outcomes.history),
            measures["dice"],
            measures["dice_per_image"],
            measures["iou"],
        );
    }
}
