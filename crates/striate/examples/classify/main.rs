//! Trains any network of the zoo on pictures: folders, IDX or CIFAR files, or the embedded digits.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod data;
#[path = "../common/folders.rs"]
mod folders;
mod network;
#[path = "../common/program.rs"]
mod program;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use program::{Outcome, learning_rate, positive};
use serde::Serialize;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Augment, Crop, Dataset, Labelled};
use striate::nn::ParamStore;
use striate::nn::optim::{AdamW, AdamWOptions};
use striate::nn::schedule::OneCycle;
use striate::tensor::Tensor;
use striate::train::classification::evaluate;
use striate::train::figures::{Heatmap, learning_curves, predictions, save_plots};
use striate::train::{EpochRecord, JsonLines, PlainLines, ProgressBar, RunFolder, Trainer, TrainerOptions};
use striate::vision::{ImageNetwork, classifier, classifier_names, classifier_size};

/// Train a network for images by its name, from nothing or from weights that torchvision trained.
#[derive(Parser)]
#[command(name = "classify")]
struct Arguments {
    /// The network: see --list
    #[arg(long, default_value = "resnet20")]
    network: String,
    /// Print all networks with their depths and numbers of parameters for 1000 classes
    #[arg(long)]
    list: bool,
    /// Folder with a folder of PNG and JPEG files for each class, or such folders in train and in test, val or valid; or
    /// with CIFAR-10, CIFAR-100 (binary) or IDX files; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Side of the squares that all pictures become
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: Option<u32>,
    /// Leave out pictures that cannot be decoded, with a warning each, instead of stopping at the first
    #[arg(long)]
    skip_broken: bool,
    /// Changes to training pictures: none, a crop of the picture with an eighth of its side around it, or that and mirroring
    #[arg(long, default_value = "crop")]
    augment: Augmentation,
    /// Weights to start from, a state_dict of torchvision saved as safetensors; the head starts anew when it has other
    /// classes. Pictures are then normalised as ImageNet's
    #[arg(long, value_name = "FILE.safetensors")]
    weights: Option<PathBuf>,
    /// Passes over the training pictures; with 0 the weights are only evaluated
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// Pictures per step
    #[arg(long, default_value_t = 64, value_parser = positive)]
    batch: usize,
    /// Largest learning rate, of AdamW: it rises and falls once
    #[arg(long, default_value_t = 3e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order, augmentation, and the division of a folder without a test part
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the model, metrics and pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/classify")]
    out: PathBuf,
    /// Go on from the last checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Print one JSON object per epoch and a last one with the final figures
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Serialize, ValueEnum)]
enum Augmentation {
    None,
    Crop,
    CropMirror,
}

impl Augmentation {
    fn of(self, [height, width]: [usize; 2]) -> Augment {
        if self == Augmentation::None {
            return Augment::default();
        }
        let crop = Crop { size: [height, width], padding: height.max(width) / 8 };
        let flip_horizontal = self == Augmentation::CropMirror;
        Augment { crop: Some(crop), flip_horizontal, ..Default::default() }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || if arguments.list { list() } else { train(&arguments) })
}

fn list() -> Outcome<()> {
    println!("network     layers   parameters   of them in auxiliary heads");
    for name in classifier_names() {
        let size = classifier_size(name, 1000)?;
        println!("{name:<12}{:>6}{:>13}{:>29}", size.weight_layers, size.parameters, size.auxiliary);
    }
    Ok(())
}

fn train(arguments: &Arguments) -> Outcome<()> {
    let (name, pictures) = data::read(arguments)?;
    let split = data::normalized(&pictures, arguments.weights.is_some())?;
    let (train, test) = (split.train(), split.test());
    let store = ParamStore::seeded(arguments.seed);
    let net = classifier(&arguments.network, &store.root(), train.classes().len())?;
    for part in [train, test] {
        net.check_input(part.images().shape()).map_err(|error| format!("{name}: {error}"))?;
    }
    let head = match &arguments.weights {
        Some(file) => network::load(&store, &arguments.network, file)?,
        None => "no weights",
    };
    let run = RunFolder::create(&arguments.out)?;
    if !arguments.json {
        eprintln!(
            "{name}: {} training and {} test pictures of {:?}, {} classes; {}, {} parameters, {head}, seed {}, {} threads",
            train.len(),
            test.len(),
            &train.images().shape()[2..],
            train.classes().len(),
            arguments.network,
            store.parameters().count(),
            arguments.seed,
            par::threads(),
        );
    }
    let config = serde_json::json!({
        "network": arguments.network, "data": name, "classes": train.classes(),
        "size": &train.images().shape()[2..], "weights": arguments.weights, "augment": arguments.augment,
        "epochs": arguments.epochs, "batch": arguments.batch, "lr": arguments.lr, "seed": arguments.seed,
    });
    let options = TrainerOptions {
        epochs: arguments.epochs,
        run: Some(run.clone()),
        resume: arguments.resume,
        config: config.to_string(),
        ..Default::default()
    };
    let history = fit(arguments, &store, &*net, [train, test], options)?;

    store.eval();
    let forward = |x: &Tensor| net.forward(x);
    let evaluation = evaluate(&forward, test, network::BATCH);
    let metrics = network::measure(&*net, test);
    let model = run.file("model.safetensors");
    store.save(&model)?;
    run.write_config(&config)?;
    if !history.is_empty() {
        let augmented = arguments.augment != Augmentation::None;
        let training = if augmented { "training (augmented)" } else { "training" };
        save_plots(run.file("curves.png"), &learning_curves(&history, [training, "test"]))?;
    }
    if train.classes().len() <= 30 {
        Heatmap::from(&evaluation.confusion).save(run.file("confusion.png"))?;
    }
    predictions(&data::grey(pictures.test())?, &evaluation).save(run.file("predictions.png"))?;
    let seconds: f64 = history.iter().map(|record| record.seconds).sum();
    if arguments.json {
        let object = serde_json::json!({
            "epochs": history.len(), "seed": arguments.seed, "test_top1": metrics["accuracy"],
            "test_top5": metrics["top5"], "test_loss": metrics["loss"], "seconds": seconds, "model": model,
        });
        println!("{object}");
        return Ok(());
    }
    if train.classes().len() <= 30 {
        println!("\n{}", evaluation.confusion);
    }
    println!(
        "test top-1 {:.2} %, top-5 {:.2} %, loss {:.4}, after {} epochs in {seconds:.1} s of training (seed {})",
        100.0 * metrics["accuracy"],
        100.0 * metrics["top5"],
        metrics["loss"],
        history.len(),
        arguments.seed,
    );
    println!("model and pictures are in {}", arguments.out.display());
    Ok(())
}

fn fit(
    arguments: &Arguments,
    store: &ParamStore,
    net: &dyn ImageNetwork,
    [train, test]: [&Labelled; 2],
    options: TrainerOptions,
) -> Outcome<Vec<EpochRecord>> {
    let shape = train.images().shape().to_vec();
    let augment = arguments.augment.of([shape[2], shape[3]]);
    // Batch norm cannot learn from a single picture.
    let batches = |epoch| {
        let batches = train.batches(arguments.batch).seeded(arguments.seed).shuffled(epoch);
        if train.len() % arguments.batch == 1 && train.len() > 1 { batches.drop_last() } else { batches }
    };
    let steps = batches(0).len() as u64;
    let adam = AdamW::new(store, AdamWOptions { lr: arguments.lr, ..Default::default() });
    let schedule =
        OneCycle { lr: arguments.lr, steps: (arguments.epochs * steps).max(1), ..Default::default() };
    let mut trainer = Trainer::new(store, Box::new(adam), options).schedule(schedule);
    trainer = match (arguments.json, io::stderr().is_terminal()) {
        (true, _) => trainer.callback(JsonLines(io::stdout())),
        (false, true) => trainer.callback(ProgressBar::new(arguments.epochs)),
        (false, false) => trainer.callback(PlainLines(io::stdout())),
    };
    let history = trainer.fit(
        |epoch| {
            batches(epoch).enumerate().map(move |(step, mut batch)| {
                let mut rng = Rng::named(arguments.seed, "augment").stream(epoch * steps + step as u64);
                augment.apply(&mut batch.images, &mut rng);
                batch
            })
        },
        |batch| network::step(net, &batch),
        || network::measure(net, test),
    )?;
    Ok(history)
}
