//! What the examples that classify pictures share: arguments, training, the run's pictures, prediction.

mod program;

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::{CommandFactory, FromArgMatches, Parser};
use ndarray::{Array2, Axis};
use program::{Outcome, learning_rate, positive};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Augment, Dataset, Labelled, RandomAffine, Split, digits, idx, image_folder};
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::nn::{Module, ParamStore};
use striate::tensor::{Tensor, no_grad};
use striate::train::classification::{self, Evaluation};
use striate::train::figures::{Heatmap, learning_curves, predictions, save_plots};
use striate::train::{
    EpochRecord, JsonLines, PlainLines, ProgressBar, RunFolder, Stop, TensorBoard, TrainError, Trainer,
    TrainerOptions,
};

/// What an example adds: a network, by the sizes that `config.json` keeps.
pub(crate) trait Model: Clone + Serialize + DeserializeOwned + Sync {
    const NAME: &'static str;
    const ABOUT: &'static str;
    /// Where a run goes.
    const OUT: &'static str;
    /// Passes over the embedded digits, and over a folder's pictures.
    const EPOCHS: [u64; 2];
    /// The learning rate at the start, likewise.
    const LEARNING_RATES: [f64; 2];

    type Network: Module;

    /// The sizes for the embedded digits, or for a folder's pictures.
    fn new(embedded: bool) -> Self;

    /// What was read from a file must be a network of a bearable size.
    fn check(&self, size: (usize, usize), classes: usize) -> Result<(), String>;

    fn network(&self, store: &ParamStore, size: (usize, usize), classes: usize) -> Self::Network;

    /// Pictures beside those of every run.
    fn draw(_net: &Self::Network, _run: &RunFolder, _test: &Labelled) -> Result<(), TrainError> {
        Ok(())
    }
}

#[derive(Parser)]
struct Arguments {
    /// Folder of IDX files under their official names, .gz or raw; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Passes over the training set
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step
    #[arg(long, default_value_t = 64, value_parser = positive)]
    batch: usize,
    /// Learning rate at the start; it falls to zero along half a cosine
    #[arg(long, value_parser = learning_rate)]
    lr: Option<f64>,
    /// Seed of initial weights, order of the samples, and dropout
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the model, metrics and pictures go to
    #[arg(long, value_name = "DIR")]
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

impl Arguments {
    fn of<M: Model>() -> Self {
        fn help(text: Option<&StyledStr>, [embedded, folder]: [impl Display; 2]) -> String {
            let text = text.map(ToString::to_string).unwrap_or_default();
            format!("{text} [default: {embedded} for the embedded digits, {folder} with --data]")
        }
        let command = Self::command()
            .name(M::NAME)
            .about(M::ABOUT)
            .mut_arg("out", |out| out.required(false).default_value(M::OUT))
            .mut_arg("epochs", |epochs| {
                let text = help(epochs.get_help(), M::EPOCHS);
                epochs.help(text)
            })
            .mut_arg("lr", |lr| {
                let text = help(lr.get_help(), M::LEARNING_RATES);
                lr.help(text)
            });
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// What a saved model needs beside its weights; `config.json` in the run's folder.
#[derive(Clone, Serialize, Deserialize)]
struct Config<M> {
    data: String,
    classes: Vec<String>,
    /// Height and width of a picture.
    size: (usize, usize),
    #[serde(flatten)]
    model: M,
    epochs: u64,
    batch: usize,
    lr: f64,
    seed: u64,
}

impl<M: Model> Config<M> {
    fn check(&self) -> Result<(), String> {
        check_layers([[self.classes.len(), self.size.0, self.size.1]])?;
        self.model.check(self.size, self.classes.len())
    }

    fn network(&self, store: &ParamStore) -> M::Network {
        self.model.network(store, self.size, self.classes.len())
    }

    /// Small digits bear a small shift and turn; larger pictures are left as they are.
    fn augment(&self) -> Augment {
        let bound = if self.size == (8, 8) { 1.0 } else { 0.0 };
        let affine = RandomAffine { degrees: 10.0 * bound, shift: 0.7 * bound, scale: 0.1 * bound };
        Augment { affine, ..Default::default() }
    }
}

/// A layer's weights or outputs are as many as the product of its sizes.
pub(crate) fn check_layers(layers: impl IntoIterator<Item: AsRef<[usize]>>) -> Result<(), String> {
    const MOST: f64 = (1_u64 << 28) as f64;
    for layer in layers {
        let sizes = layer.as_ref();
        if !(1.0..=MOST).contains(&sizes.iter().map(|&size| size as f64).product::<f64>()) {
            return Err(format!(
                "sizes must be at least 1, and their product at most {MOST}, they are {sizes:?}"
            ));
        }
    }
    Ok(())
}

pub(crate) fn check_dropout(dropout: f64) -> Result<(), String> {
    if (0.0..1.0).contains(&dropout) {
        Ok(())
    } else {
        Err(format!("dropout must be in [0, 1), it is {dropout}"))
    }
}

/// The whole program.
pub(crate) fn run<M: Model>() -> ExitCode {
    let arguments = Arguments::of::<M>();
    program::run(arguments.threads, || match &arguments.predict {
        Some(picture) => predict::<M>(&arguments.out, picture),
        None => train::<M>(&arguments),
    })
}

fn load<M: Model>(arguments: &Arguments) -> Outcome<(Split, Config<M>)> {
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
        model: M::new(embedded),
        epochs: arguments.epochs.unwrap_or(M::EPOCHS[usize::from(!embedded)]),
        batch: arguments.batch,
        lr: arguments.lr.unwrap_or(M::LEARNING_RATES[usize::from(!embedded)]),
        seed: arguments.seed,
    };
    config.check()?;
    Ok((split, config))
}

fn train<M: Model>(arguments: &Arguments) -> Outcome<()> {
    let (split, config) = &load::<M>(arguments)?;
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
        stop: Stop::on_ctrl_c()?,
        ..Default::default()
    };
    let adam = Adam::new(&store, AdamOptions { lr: config.lr, ..Default::default() });
    let steps = split.train().batches(config.batch).len() as u64;
    let schedule = Cosine { lr: config.lr, steps: config.epochs * steps, ..Default::default() };
    let board = TensorBoard::create(run.file("tensorboard"))?;
    let mut trainer = Trainer::new(&store, Box::new(adam), options).schedule(schedule).callback(board);
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
    let curves = learning_curves(&history, ["training (with dropout)", "test"]);
    save_plots(run.file("curves.png"), &curves)?;
    Heatmap::from(&evaluation.confusion).save(run.file("confusion.png"))?;
    predictions(split.test(), &evaluation).save(run.file("predictions.png"))?;
    M::draw(&net, &run, split.test())?;
    run.write_report(&history)?;
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

fn predict<M: Model>(folder: &Path, picture: &Path) -> Outcome<()> {
    let config_file = folder.join("config.json");
    let text = std::fs::read_to_string(&config_file).map_err(|error| {
        format!("{}: {error}; train a model first, or name its folder with --out", config_file.display())
    })?;
    let config: Config<M> =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", config_file.display()))?;
    config.check().map_err(|wrong| format!("{}: {wrong}", config_file.display()))?;
    let store = ParamStore::seeded(config.seed);
    let net = config.network(&store);
    store.load(folder.join("model.safetensors"))?;
    store.eval();

    let input = read_picture(picture, config.size)?.insert_axis(Axis(0)).insert_axis(Axis(0));
    let logits = no_grad(|| net.forward(&Tensor::from(input)));
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
    let picture = image_folder::read_grey(file)?;
    let (rows, columns) = picture.dim();
    let large = image::GrayImage::from_fn(columns as u32, rows as u32, |x, y| {
        image::Luma([(255.0 * picture[(y as usize, x as usize)]).round() as u8])
    });
    let small = image::imageops::thumbnail(&large, width as u32, height as u32);
    let grey =
        Array2::from_shape_fn((height, width), |(y, x)| f32::from(small[(x as u32, y as u32)].0[0]) / 255.0);
    let border =
        |&((y, x), _): &((usize, usize), &f32)| y == 0 || x == 0 || y + 1 == height || x + 1 == width;
    let edge: Vec<f32> = grey.indexed_iter().filter(border).map(|(_, &value)| value).collect();
    let dark_on_bright = edge.iter().sum::<f32>() / edge.len() as f32 > 0.5;
    Ok(if dark_on_bright { grey.mapv(|value| 1.0 - value) } else { grey })
}
