//! Trains a small network on handwritten digits, embedded or from a folder of IDX files, and classifies pictures.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Parser;
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Dataset, Labelled, RandomAffine, Split, digits, idx};
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::nn::{Dropout, Linear, Module, ParamStore, Sequential};
use striate::tensor::{Tensor, no_grad};
use striate::train::classification::{self, Evaluation};
use striate::train::figures::{Cell, Curve, Grid, Heatmap, Plot, save_plots};
use striate::train::{
    EpochRecord, JsonLines, PlainLines, ProgressBar, RunFolder, TrainError, Trainer, TrainerOptions,
};

/// Train a multi-layer perceptron on handwritten digits (UCI, 8×8, embedded), or on any folder of IDX files
/// (MNIST, Fashion-MNIST), or classify a picture with a trained model.
#[derive(Parser)]
#[command(name = "digits")]
struct Arguments {
    /// Folder of IDX files under their official names, .gz or raw; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Passes over the training set [default: 300 for the embedded digits, 10 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step
    #[arg(long, default_value_t = 64, value_parser = positive)]
    batch: usize,
    /// Learning rate at the start; it falls to zero along half a cosine
    #[arg(long, default_value_t = 1e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order of the samples, and dropout
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the model, metrics and pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/digits")]
    out: PathBuf,
    /// Go on from the last checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Print one JSON object per epoch and a last one with the final figures
    #[arg(long)]
    json: bool,
    /// Classify this picture with the model in --out instead of training
    #[arg(long, value_name = "FILE.png")]
    predict: Option<PathBuf>,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| "expected a whole number of at least 1".into())
}

fn learning_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "expected a number above 0, such as 1e-3".into())
}

/// What a saved model needs beside its weights; `config.json` in the run's folder.
#[derive(Clone, Serialize, Deserialize)]
struct Config {
    data: String,
    classes: Vec<String>,
    /// Height and width of a picture.
    size: (usize, usize),
    hidden: Vec<usize>,
    dropout: f64,
    epochs: u64,
    batch: usize,
    lr: f64,
    seed: u64,
}

impl Config {
    /// What was read from a file must be a network of a bearable size.
    fn check(&self) -> Result<(), String> {
        let widths = [&[self.classes.len(), self.size.0, self.size.1], &self.hidden[..]].concat();
        if widths.iter().any(|width| !(1..=1 << 14).contains(width)) || self.hidden.len() > 16 {
            return Err(format!(
                "classes, size and hidden must be from 1 to {}, they are {widths:?}",
                1 << 14
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(format!("dropout must be in [0, 1), it is {}", self.dropout));
        }
        Ok(())
    }

    /// Small digits bear a small shift and turn; larger pictures are left as they are.
    fn augment(&self) -> RandomAffine {
        let bound = if self.size == (8, 8) { 1.0 } else { 0.0 };
        RandomAffine { degrees: 10.0 * bound, shift: 0.7 * bound, scale: 0.1 * bound }
    }

    /// Flatten, then fully connected layers with ReLU and dropout between them: `fc1`, `fc2`, …
    fn network(&self, store: &ParamStore) -> Sequential {
        let widths = [&[self.size.0 * self.size.1], &self.hidden[..], &[self.classes.len()]].concat();
        let mut net = Sequential::new().then(|x: &Tensor| x.flatten(1, -1));
        for (layer, width) in widths.windows(2).enumerate() {
            let path = store.root().sub(format!("fc{}", layer + 1));
            if layer > 0 {
                net = net.then(Tensor::relu).then(Dropout::new(&path, self.dropout));
            }
            net = net.then(Linear::new(&path, width[0], width[1]));
        }
        net
    }
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        par::set_threads(threads)?;
    }
    par::install(|| match &arguments.predict {
        Some(picture) => predict(&arguments.out, picture),
        None => train(&arguments),
    })
}

fn load(arguments: &Arguments) -> Outcome<(Split, Config)> {
    let split = match &arguments.data {
        Some(folder) => idx::folder(folder)?,
        None => digits().clone(),
    };
    let embedded = arguments.data.is_none();
    let shape = split.train().images().shape().to_vec();
    let config = Config {
        data: arguments.data.as_ref().map_or("embedded digits".into(), |folder| folder.display().to_string()),
        classes: split.train().classes().to_vec(),
        size: (shape[shape.len() - 2], shape[shape.len() - 1]),
        hidden: if embedded { vec![256, 128] } else { vec![512, 256] },
        dropout: if embedded { 0.3 } else { 0.2 },
        epochs: arguments.epochs.unwrap_or(if embedded { 300 } else { 10 }),
        batch: arguments.batch,
        lr: arguments.lr,
        seed: arguments.seed,
    };
    Ok((split, config))
}

fn train(arguments: &Arguments) -> Outcome<()> {
    let (split, config) = &load(arguments)?;
    let run = RunFolder::create(&arguments.out)?;
    let store = ParamStore::seeded(config.seed);
    let net = config.network(&store);
    if !arguments.json {
        eprintln!(
            "{}: {} training and {} test pictures of {}×{}; {} parameters, seed {}, {} threads",
            config.data,
            split.train().len(),
            split.test().len(),
            config.size.0,
            config.size.1,
            store.parameters().count(),
            config.seed,
            par::threads(),
        );
    }
    if arguments.resume && !run.checkpoint().exists() {
        eprintln!("{} does not exist: starting anew", run.checkpoint().display());
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
    let schedule = Cosine { lr: config.lr, steps: config.epochs * steps, ..Default::default() };
    let mut trainer = Trainer::new(&store, Box::new(adam), options).schedule(schedule);
    trainer = match (arguments.json, io::stderr().is_terminal()) {
        (true, _) => trainer.callback(JsonLines(io::stdout())),
        (false, true) => trainer.callback(ProgressBar::new(config.epochs)),
        (false, false) => trainer.callback(PlainLines(io::stdout())),
    };
    let history = trainer.fit(
        |epoch| {
            let batches = split.train().batches(config.batch).seeded(config.seed).shuffled(epoch);
            batches.enumerate().map(move |(step, mut batch)| {
                let mut rng = Rng::named(config.seed, "augment").stream(epoch * steps + step as u64);
                config.augment().apply(&mut batch.images, &mut rng);
                batch
            })
        },
        |batch| classification::step(&net, &batch),
        || classification::evaluate(&net, split.test(), 1024).metrics(),
    )?;

    store.eval();
    let evaluation = classification::evaluate(&net, split.test(), 1024);
    let model = run.file("model.safetensors");
    store.save(&model)?;
    run.write_config(config)?;
    draw(&run, &history, split.test(), &evaluation)?;
    report(arguments, &history, &evaluation, &model)
}

fn report(
    arguments: &Arguments,
    history: &[EpochRecord],
    evaluation: &Evaluation,
    model: &Path,
) -> Outcome<()> {
    let accuracy = evaluation.confusion.accuracy();
    let seconds: f64 = history.iter().map(|record| record.seconds).sum();
    if arguments.json {
        let last = serde_json::json!({
            "epochs": history.len(), "seed": arguments.seed, "test_accuracy": accuracy, "test_loss": evaluation.loss,
            "seconds": seconds, "model": model,
        });
        println!("{last}");
    } else {
        println!("\n{}", evaluation.confusion);
        println!(
            "test accuracy {:.2} %, loss {:.4}, after {} epochs in {seconds:.1} s of training (seed {})",
            100.0 * accuracy,
            evaluation.loss,
            history.len(),
            arguments.seed,
        );
        println!("model and pictures are in {}", arguments.out.display());
    }
    Ok(())
}

fn draw(
    run: &RunFolder,
    history: &[EpochRecord],
    test: &Labelled,
    evaluation: &Evaluation,
) -> Result<(), TrainError> {
    let curve = |name: &str, pick: &dyn Fn(&EpochRecord) -> f64| Curve {
        name: name.into(),
        points: history.iter().map(|record| (record.epoch as f64, pick(record))).collect(),
    };
    let plot = |title: &str, y_label: &str, metric: &'static str, scale: f64| Plot {
        title: title.into(),
        x_label: "epoch".into(),
        y_label: y_label.into(),
        curves: vec![
            curve("training (with dropout)", &|record| scale * record.train[metric]),
            curve("test", &|record| scale * record.test[metric]),
        ],
        ..Default::default()
    };
    let loss = Plot { log_y: true, ..plot("Loss", "cross-entropy, nats", "loss", 1.0) };
    save_plots(run.file("curves.png"), &[loss, plot("Accuracy", "accuracy, %", "accuracy", 100.0)])?;

    Heatmap::from(&evaluation.confusion).save(run.file("confusion.png"))?;

    let wrong = |index: &usize| evaluation.predictions[*index] != test.labels()[*index];
    let mistakes: Vec<usize> = (0..test.len()).filter(wrong).collect();
    let cell = |&index: &usize| {
        let image = test.images().index_axis(Axis(0), index).to_owned();
        let (height, width) = (image.shape()[image.ndim() - 2], image.shape()[image.ndim() - 1]);
        let name = |class: usize| test.classes()[class].clone();
        let (predicted, label) = (evaluation.predictions[index], test.labels()[index]);
        Cell {
            image: image.into_shape_with_order((height, width)).expect("one channel"),
            caption: if predicted == label {
                name(label)
            } else {
                format!("{}, is {}", name(predicted), name(label))
            },
            marked: predicted != label,
        }
    };
    let shown: Vec<usize> =
        (0..test.len().min(60)).chain(mistakes.iter().copied().filter(|&i| i >= 60).take(20)).collect();
    Grid {
        title: format!(
            "Predictions: {} of {} wrong; the first 60, then mistakes (red)",
            mistakes.len(),
            test.len()
        ),
        cells: shown.iter().map(cell).collect(),
        columns: 10,
    }
    .save(run.file("predictions.png"))
}

fn predict(folder: &Path, picture: &Path) -> Outcome<()> {
    let config_file = folder.join("config.json");
    let text = std::fs::read_to_string(&config_file).map_err(|error| {
        format!("{}: {error}; train a model first, or name its folder with --out", config_file.display())
    })?;
    let config: Config =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", config_file.display()))?;
    config.check().map_err(|wrong| format!("{}: {wrong}", config_file.display()))?;
    let store = ParamStore::seeded(config.seed);
    let net = config.network(&store);
    store.load(folder.join("model.safetensors"))?;
    store.eval();

    let input = read_picture(picture, config.size)?;
    let logits = no_grad(|| net.forward(&Tensor::from(input.insert_axis(Axis(0)))));
    let probabilities = logits.softmax(-1).to_vec();
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    println!("{}: {}", picture.display(), config.classes[order[0]]);
    order
        .iter()
        .take(3)
        .for_each(|&class| println!("  {:>5.1} %  {}", 100.0 * probabilities[class], config.classes[class]));
    Ok(())
}

/// Grey values 0..1 of the model's size, bright on dark as the training pictures are.
fn read_picture(file: &Path, (height, width): (usize, usize)) -> Outcome<Array2<f32>> {
    let decoded = image::ImageReader::open(file)
        .and_then(|reader| reader.with_guessed_format())
        .map_err(|error| format!("{}: {error}", file.display()))?
        .decode()
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let small = image::imageops::thumbnail(&decoded.to_luma8(), width as u32, height as u32);
    let grey =
        Array2::from_shape_fn((height, width), |(y, x)| f32::from(small[(x as u32, y as u32)].0[0]) / 255.0);
    let border =
        |&((y, x), _): &((usize, usize), &f32)| y == 0 || x == 0 || y + 1 == height || x + 1 == width;
    let edge: Vec<f32> = grey.indexed_iter().filter(border).map(|(_, &value)| value).collect();
    let dark_on_bright = edge.iter().sum::<f32>() / edge.len() as f32 > 0.5;
    Ok(if dark_on_bright { grey.mapv(|value| 1.0 - value) } else { grey })
}
