//! The adding problem: of a long sequence of numbers two are marked, and their sum is asked for at the end. Loss curves of
//! an LSTM, a GRU and a plain RNN.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::nn::losses::squared_error;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::{Linear, Module, ParamStore, clip};
use striate::recurrent::layers::{Architecture, GruArchitecture, LstmArchitecture, TanhArchitecture};
use striate::recurrent::{SequenceLayer, State};
use striate::tensor::{Tensor, no_grad};
use striate::train::RunFolder;
use striate::train::figures::{Curve, Plot};

/// Train an LSTM, a GRU and a plain RNN on the adding problem and plot their losses.
#[derive(Parser)]
#[command(name = "adding_problem")]
struct Arguments {
    /// T: steps of the sequences
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    length: u32,
    /// Optimiser steps for each network
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Networks of each kind, from different starts and with sequences of their own
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// Seed of the first start; the others follow it
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder that the picture goes to
    #[arg(long, value_name = "DIR", default_value = "runs/adding_problem")]
    out: PathBuf,
}

const HIDDEN: usize = 64;
const BATCH: usize = 64;
const LEARNING_RATE: f64 = 2e-3;
/// Steps from one test to the next.
const EVERY: u32 = 100;
const TEST_SEQUENCES: usize = 4000;

/// The variance of the sum of two numbers from U(0, 1): the loss of always saying their mean, 1.
const BASELINE: f64 = 1.0 / 6.0;

/// A loss that needs both numbers.
const SOLVED: f64 = 0.01;

/// x (T, N, 2), numbers from U(0, 1) and marks, and the sums of the marked numbers (N, 1); one mark is in the first half
/// of a sequence, one in the second.
fn sequences(length: usize, count: usize, rng: &mut Rng) -> (Tensor, Tensor) {
    let (mut x, mut sums) = (vec![0.0; length * count * 2], vec![0.0; count]);
    x.as_chunks_mut().0.iter_mut().for_each(|[number, _]| *number = rng.uniform() as f32);
    for (n, sum) in sums.iter_mut().enumerate() {
        let half = length / 2;
        for t in [rng.below(half), half + rng.below(length - half)] {
            let [number, mark] = &mut x.as_chunks_mut().0[t * count + n];
            *mark = 1.0;
            *sum += *number;
        }
    }
    (Tensor::from_vec(&[length, count, 2], x), Tensor::from_vec(&[count, 1], sums))
}

/// A recurrent layer that reads the sequence, and a read-out of its last state.
struct Adder<A: Architecture> {
    recurrent: SequenceLayer<A>,
    read_out: Linear,
}

impl<A: Architecture> Adder<A> {
    fn new(store: &ParamStore) -> Self {
        let root = store.root();
        Adder {
            recurrent: SequenceLayer::new(&root.sub("recurrent"), 2, HIDDEN),
            read_out: Linear::new(&root.sub("read_out"), HIDDEN, 1),
        }
    }
}

impl<A: Architecture> Module for Adder<A> {
    fn forward(&self, x: &Tensor) -> Tensor {
        let (_, state) = self.recurrent.run(x, &self.recurrent.zero_state(x.shape()[1]));
        self.read_out.forward(&state.hidden().select(0, -1))
    }
}

/// Trains from a seed and gives the loss on the test sequences along the way, (step, loss).
type Train = fn(u64, &Arguments, &(Tensor, Tensor)) -> Result<Vec<(f64, f64)>, clip::NonFiniteNorm>;

/// A [`Train`].
fn train<A: Architecture>(
    seed: u64,
    &Arguments { length, steps, .. }: &Arguments,
    (x, sums): &(Tensor, Tensor),
) -> Result<Vec<(f64, f64)>, clip::NonFiniteNorm> {
    let store = ParamStore::seeded(seed);
    let net = Adder::<A>::new(&store);
    let mut adam = Adam::new(&store, AdamOptions { lr: LEARNING_RATE, ..Default::default() });
    let test = || no_grad(|| squared_error(&net.forward(x), sums).item());
    let mut losses = vec![(0.0, test())];
    for step in 1..=steps {
        let mut rng = Rng::named(seed, "training sequences").stream(step.into());
        let (x, sums) = sequences(length as usize, BATCH, &mut rng);
        let mut gradients = squared_error(&net.forward(&x), &sums).backward();
        clip::global_norm(&mut gradients, &store, 1.0)?;
        adam.step(&gradients);
        if step.is_multiple_of(EVERY) || step == steps {
            losses.push((step.into(), test()));
        }
    }
    Ok(losses)
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    par::install(run)
}

fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = &Arguments::parse();
    let folder = RunFolder::create(&arguments.out)?;
    println!(
        "seed {}: {} networks of each kind, {HIDDEN} units, {} steps of {BATCH} sequences of {} numbers, {} threads",
        arguments.seed,
        arguments.repeats,
        arguments.steps,
        arguments.length,
        par::threads(),
    );
    let test = sequences(arguments.length as usize, TEST_SEQUENCES, &mut Rng::named(0, "test sequences"));
    let always_one = squared_error(&Tensor::ones(test.1.shape()), &test.1).item();
    println!(
        "always 1: {BASELINE:.4} in expectation, {always_one:.4} on the {TEST_SEQUENCES} test sequences"
    );
    println!("network   seed   last test loss   first below 0.01 at step   seconds");
    let kinds: [(&str, Train); 3] = [
        ("LSTM", train::<LstmArchitecture>),
        ("GRU", train::<GruArchitecture>),
        ("plain RNN", train::<TanhArchitecture>),
    ];
    let mut curves = Vec::new();
    for (kind, (name, train)) in kinds.into_iter().enumerate() {
        for repeat in 0..u64::from(arguments.repeats) {
            let (seed, start) = (arguments.seed.wrapping_add(repeat), Instant::now());
            let points = train(seed, arguments, &test)?;
            let below = points.iter().find(|(_, loss)| *loss < SOLVED);
            println!(
                "{name:<9}{seed:>6}{:>17.5}{:>27}{:>10.1}",
                points[points.len() - 1].1,
                below.map_or("never".into(), |(step, _)| step.to_string()),
                start.elapsed().as_secs_f64(),
            );
            let name = if repeat == 0 { name.into() } else { String::new() };
            curves.push(Curve { name, points, colour: Some(kind), dashed: false });
        }
    }
    let last = f64::from(arguments.steps);
    let points = vec![(0.0, BASELINE), (last, BASELINE)];
    let name = format!("always 1: {BASELINE:.3}, here {always_one:.3}");
    curves.push(Curve { name, points, colour: Some(6), dashed: true });
    let plot = Plot {
        title: format!("The adding problem, {} numbers", arguments.length),
        x_label: format!("optimiser steps, {BATCH} sequences each"),
        y_label: "test loss: mean squared error".into(),
        curves,
        log_y: true,
        ..Default::default()
    };
    let picture = folder.file("adding_problem.png");
    plot.save(&picture)?;
    println!("the picture is {}", picture.display());
    Ok(())
}
