//! Simple and complex cells: what they respond to, and how well a linear layer reads digits from them.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "../common/folders.rs"]
mod folders;
mod pictures;
#[path = "../common/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use program::{Outcome, learning_rate, positive};
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::conv::upsample_bilinear2d;
use striate::datasets::{Augment, Dataset, Labelled, Per, RandomAffine, Standardize};
use striate::generative::latent::encode_set;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::nn::{Linear, Module, ParamStore};
use striate::tensor::{Tensor, no_grad};
use striate::train::{Metrics, RunFolder, Trainer, TrainerOptions, classification};
use striate::vision::{Hmax, HmaxOptions, HmaxPrototypes, ImageNetwork};

/// Draw what simple and complex cells respond to, and read digits from the cells of HMAX by a linear layer.
#[derive(Parser)]
#[command(name = "hmax")]
struct Arguments {
    /// Folder of IDX files under their official names, .gz or raw; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Prototypes of each size, 2×2 and 4×4 complex cells, sampled from training pictures
    #[arg(long, default_value_t = 500, value_parser = positive)]
    prototypes: usize,
    /// σ: how far from its prototype a simple cell still responds
    #[arg(long, default_value_t = 1.0, value_parser = learning_rate)]
    sigma: f64,
    /// Passes of the linear layer over the training set
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: u64,
    /// Learning rate of the linear layer at the start; it falls to zero along half a cosine
    #[arg(long, default_value_t = 3e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of prototypes, initial weights and order of the samples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/hmax")]
    out: PathBuf,
    /// Print one JSON object with the final figures
    #[arg(long)]
    json: bool,
}

/// Pixels that the shifted test pictures are moved by, along each axis, at most.
const SHIFT: f64 = 4.0;
/// Pictures at a time.
const BATCH: usize = 256;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || run(&arguments))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let (name, split) = folders::read(arguments.data.as_deref())?;
    let folder = RunFolder::create(&arguments.out)?;
    let set = |size| HmaxPrototypes { size, count: arguments.prototypes };
    let options =
        HmaxOptions { prototypes: vec![set(2), set(4)], sigma: arguments.sigma, ..Default::default() };
    let store = ParamStore::seeded(arguments.seed);
    let hmax = Hmax::with(&store.root().sub("hmax"), &options);

    let smallest = hmax.input().smallest;
    let (train, test) = (scaled(split.train(), smallest)?, scaled(split.test(), smallest)?);
    hmax.check_input(train.images().shape()).map_err(|error| format!("{name}: {error}"))?;
    if !arguments.json {
        println!(
            "{name}: {} training and {} test pictures, scaled to {:?}; {} prototypes, seed {}, {} threads",
            train.len(),
            test.len(),
            &train.images().shape()[2..],
            hmax.prototypes(),
            arguments.seed,
            par::threads(),
        );
    }
    let start = Instant::now();
    let sample = Rng::named(arguments.seed, "prototypes").permutation(train.len());
    hmax.sample_prototypes(&train.gather(&sample[..sample.len().min(1000)]).images.into());
    pictures::draw(&hmax, &options, &test, &folder)?;

    let moved = shifted(&test, arguments.seed);
    let read = |features: &dyn Fn(&Tensor) -> Tensor| {
        read_out([&train, &test, &moved].map(|part| seen_by(features, part)), arguments)
    };
    let accuracies = [("pixels", read(&|x| x.flatten(1, -1))?), ("HMAX", read(&|x| hmax.forward(x))?)];
    let seconds = start.elapsed().as_secs_f64();
    if arguments.json {
        let object = serde_json::json!({
            "seed": arguments.seed, "prototypes": hmax.prototypes(), "seconds": seconds,
            "accuracy": accuracies.iter().map(|&(name, [_, test, moved])| {
                (name, serde_json::json!({ "test": test, "shifted": moved }))
            }).collect::<std::collections::BTreeMap<_, _>>(),
        });
        println!("{object}");
        return Ok(());
    }
    println!("a linear layer on   test accuracy, %   shifted by up to {SHIFT} pixels, %");
    for (name, [_, test, moved]) in accuracies {
        println!("{name:<18}{:>18.2}{:>33.2}", 100.0 * test, 100.0 * moved);
    }
    println!("{seconds:.1} s; pictures are in {}", arguments.out.display());
    Ok(())
}

/// Pictures that are too small for the cells become as large as 32 × 32 pixels, by linear interpolation.
fn scaled(data: &Labelled, smallest: usize) -> Outcome<Labelled> {
    let images = Tensor::from(data.images());
    let &[_, _, height, width] = images.shape() else { return Err("the data are not pictures".into()) };
    let side = height.min(width).max(1);
    if side >= smallest {
        return Ok(data.clone());
    }
    let larger = no_grad(|| upsample_bilinear2d(&images, 32usize.div_ceil(side), false));
    Ok(Labelled::new(larger.to_ndarray(), data.labels().to_vec(), data.classes().to_vec())?)
}

/// The same pictures, each moved at random.
fn shifted(data: &Labelled, seed: u64) -> Labelled {
    let mut images = data.images().to_owned();
    let affine = RandomAffine { shift: SHIFT, ..Default::default() };
    Augment { affine, ..Default::default() }.apply(&mut images, &mut Rng::named(seed, "shift"));
    Labelled::new(images, data.labels().to_vec(), data.classes().to_vec()).expect("as many as before")
}

/// The features (N, D) of pictures.
fn seen_by(features: &dyn Fn(&Tensor) -> Tensor, data: &Labelled) -> Labelled {
    let all = encode_set(&data.images().into(), BATCH, features).into_dyn();
    Labelled::new(all, data.labels().to_vec(), data.classes().to_vec()).expect("as many as before")
}

/// The accuracies of a linear layer that learned the first part.
fn read_out(parts: [Labelled; 3], arguments: &Arguments) -> Outcome<[f64; 3]> {
    let standardize = Standardize::fit(&parts[0], Per::Feature);
    let parts = parts.map(|part| standardize.apply(&part));
    let train = &parts[0];
    let store = ParamStore::seeded(arguments.seed);
    let features = train.features().ncols();
    let linear = Linear::new(&store.root().sub("fc"), features, train.classes().len());
    let adam = Adam::new(&store, AdamOptions { lr: arguments.lr, ..Default::default() });
    let steps = arguments.epochs * train.batches(BATCH).len() as u64;
    let options = TrainerOptions { epochs: arguments.epochs, ..Default::default() };
    let mut trainer = Trainer::new(&store, Box::new(adam), options).schedule(Cosine {
        lr: arguments.lr,
        steps,
        ..Default::default()
    });
    trainer.fit(
        |epoch| train.batches(BATCH).seeded(arguments.seed).shuffled(epoch),
        |batch| classification::step(&linear, &batch),
        Metrics::new,
    )?;
    Ok(parts.map(|part| classification::evaluate(&linear, &part, BATCH).confusion.accuracy()))
}
