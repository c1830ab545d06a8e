//! Learns from a text to write like it, character by character, and writes on from a prompt.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod network;
#[path = "../common/program.rs"]
mod program;
mod streams;

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use clap::Parser;
use network::{BITS, CharLstm, Config, figures};
use program::{Outcome, learning_rate, positive};
use streams::Streams;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Vocabulary, tiny_shakespeare};
use striate::nn::ParamStore;
use striate::nn::checkpoint::Checkpoint;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::recurrent::{SampleOptions, State};
use striate::tensor::Tensor;
use striate::train::figures::{Curve, Plot};
use striate::train::{
    Callback, EpochRecord, Metrics, PlainLines, RunFolder, Step, StepRecord, Stop, TensorBoard, Trainer,
    TrainerOptions,
};

/// Train an LSTM on a text, character by character, or write on from a prompt with a trained one.
#[derive(Parser)]
#[command(name = "char_lstm")]
struct Arguments {
    /// Text to learn, UTF-8; the embedded tiny Shakespeare when not given
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Passes over the first nine tenths of the text
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: u64,
    /// Places of the text that are read side by side
    #[arg(long, default_value_t = 32, value_parser = positive)]
    batch: usize,
    /// Steps that a gradient goes back through time
    #[arg(long, default_value_t = 64, value_parser = positive)]
    window: usize,
    /// Learning rate at the start; it falls to zero along half a cosine
    #[arg(long, default_value_t = 3e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights and samples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that checkpoint, weights, metrics and picture go to
    #[arg(long, value_name = "DIR", default_value = "runs/char_lstm")]
    out: PathBuf,
    /// Go on from the last checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Write on from this text with the last checkpoint in --out instead of training
    #[arg(long, value_name = "PROMPT")]
    sample: Option<String>,
    /// Characters to write
    #[arg(long, default_value_t = 600)]
    length: usize,
    /// 0 for the likeliest character always, 1 as learned, more for more even choices
    #[arg(long, default_value_t = 0.8)]
    temperature: f64,
    /// Choose among this many of the likeliest characters only [default: all]
    #[arg(long)]
    top_k: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || match &arguments.sample {
        Some(prompt) => write(&arguments, prompt),
        None => train(&arguments),
    })
}

/// Prints what the network writes while it learns.
struct Samples {
    net: Arc<CharLstm>,
    seed: u64,
}

impl Callback for Samples {
    fn step(&mut self, step: &StepRecord) {
        const EVERY: usize = 100;
        if !step.step.is_multiple_of(EVERY) {
            return;
        }
        let mut rng = Rng::named(self.seed, "samples").stream(step.epoch << 32 | step.step as u64);
        let first = self.net.vocabulary.characters()[0].to_string();
        let options = SampleOptions { temperature: 0.8, top_k: None };
        let text = self.net.write(&first, 80, &options, &mut rng);
        println!(
            "epoch {}, step {} of {}: {:.3} bits per character so far; {:?}",
            step.epoch,
            step.step,
            step.steps,
            step.means[BITS],
            text.unwrap_or_else(|error| error.to_string()),
        );
    }

    fn epoch(&mut self, _epoch: &EpochRecord, _epochs: u64) -> io::Result<()> {
        Ok(())
    }
}

fn read_text(file: &Path) -> Outcome<String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

fn train(arguments: &Arguments) -> Outcome<()> {
    let text = match &arguments.text {
        Some(file) => read_text(file)?,
        None => tiny_shakespeare().to_string(),
    };
    let data =
        arguments.text.as_ref().map_or("embedded tiny Shakespeare".into(), |f| f.display().to_string());
    if text.is_empty() {
        return Err(format!("{data}: the text is empty").into());
    }
    let vocabulary = Vocabulary::new(&text);
    let tokens = vocabulary.encode(&text)?;
    let config = &Config {
        data,
        characters: tokens.len(),
        vocabulary: vocabulary.characters().iter().collect(),
        embedding: 128,
        hidden: 256,
        layers: 2,
        dropout: 0.2,
        batch: arguments.batch,
        window: arguments.window,
        lr: arguments.lr,
        clip_norm: 1.0,
        seed: arguments.seed,
    };
    let (training, validation) = tokens.split_at(tokens.len() - tokens.len() / 10);
    let [training, validation] = [Streams::new(training, config)?, Streams::new(validation, config)?];

    let run = RunFolder::create(&arguments.out)?;
    let store = ParamStore::seeded(config.seed);
    let net = Arc::new(config.network(&store));
    println!(
        "{}: {} training and {} validation characters, {} different ones; {} parameters, seed {}, {} threads",
        config.data,
        training.tokens.len(),
        validation.tokens.len(),
        net.vocabulary.len(),
        store.parameters().count(),
        config.seed,
        par::threads(),
    );
    if arguments.resume && !run.checkpoint().exists() {
        eprintln!("{} does not exist: starting anew", run.checkpoint().display());
    }
    let options = TrainerOptions {
        epochs: arguments.epochs,
        clip_norm: Some(config.clip_norm),
        run: Some(run.clone()),
        resume: arguments.resume,
        config: serde_json::to_string(config)?,
        checkpoint_every: Some(200),
        stop: Stop::on_ctrl_c()?,
        ..Default::default()
    };
    let adam = Adam::new(&store, AdamOptions { lr: config.lr, ..Default::default() });
    let steps = arguments.epochs * training.windows().len() as u64;
    let start = || net.start(config.batch);
    let state = Rc::new(RefCell::new(start()));
    let (saved, restored) = (state.clone(), state.clone());
    let history = Trainer::new(&store, Box::new(adam), options)
        .schedule(Cosine { lr: config.lr, steps, ..Default::default() })
        .carrying(
            move || {
                let (h, c) = saved.borrow().clone();
                vec![h, c]
            },
            move |carried| {
                if let Ok([h, c]) = <[Tensor; 2]>::try_from(carried) {
                    restored.replace((h, c));
                }
            },
        )
        .callback(TensorBoard::create(run.file("tensorboard"))?)
        .callback(Samples { net: net.clone(), seed: config.seed })
        .callback(PlainLines(io::stdout()))
        .fit(
            |_epoch| {
                state.replace(start());
                training.windows()
            },
            |window| {
                let (loss, after) = net.loss(&window, &state.borrow());
                state.replace(after.detach());
                let metrics = vec![figures(loss.item())[1]];
                Step { loss, samples: window.y.len(), metrics }
            },
            || net.evaluate(&validation),
        )?;

    store.save(run.file("model.safetensors"))?;
    learning_curve(&history).save(run.file("curves.png"))?;
    run.write_report(&history)?;
    let last = history.last().expect("at least one epoch");
    println!(
        "validation {:.3} bits per character ({:.4} nats) after {} epochs in {:.0} s of training (seed {})",
        last.test[BITS],
        last.test["loss"],
        history.len(),
        history.iter().map(|record| record.seconds).sum::<f64>(),
        config.seed,
    );
    println!("checkpoint, weights and picture are in {}", arguments.out.display());
    Ok(())
}

fn learning_curve(history: &[EpochRecord]) -> Plot {
    let curve = |name: &str, metrics: fn(&EpochRecord) -> &Metrics| {
        let points = history.iter().map(|record| (record.epoch as f64, metrics(record)[BITS])).collect();
        Curve { name: name.into(), points, ..Default::default() }
    };
    Plot {
        title: "A two-layer LSTM learns to write".into(),
        x_label: "epoch".into(),
        y_label: "cross-entropy, bits per character".into(),
        curves: vec![
            curve("training (with dropout), mean over the epoch", |record| &record.train),
            curve("validation, after the epoch", |record| &record.test),
        ],
        dots: true,
        ..Default::default()
    }
}

fn write(arguments: &Arguments, prompt: &str) -> Outcome<()> {
    let file = arguments.out.join("last.ckpt");
    if !file.exists() {
        return Err(
            format!("{}: no such file; train first, or name its folder with --out", file.display()).into()
        );
    }
    let checkpoint = Checkpoint::read(&file)?;
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let config: Config = serde_json::from_str(&checkpoint.config).map_err(|error| wrong(&error))?;
    config.check().map_err(|what| wrong(&what))?;
    let store = ParamStore::seeded(config.seed);
    let net = config.network(&store);
    checkpoint.restore(&store, &mut [])?;

    let options = SampleOptions { temperature: arguments.temperature, top_k: arguments.top_k };
    let mut rng = Rng::named(arguments.seed, "sample");
    println!("{}", net.write(prompt, arguments.length, &options, &mut rng)?);
    eprintln!("seed {}", arguments.seed);
    Ok(())
}
