//! Universal approximation, seen: the largest error of a network with one hidden layer of sigmoids,
//! g(x) = Σ vᵢ σ(wᵢ x + bᵢ) + c, on a continuous function over [0, 1], against the number of hidden units.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::nn::losses::squared_error;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::{Cosine, Schedule};
use striate::nn::{Linear, Module, ParamStore};
use striate::tensor::{Tensor, no_grad};
use striate::train::RunFolder;
use striate::train::figures::{Curve, Plot, save_plots};

/// Fit one-hidden-layer sigmoid networks of growing width to a continuous function and plot their largest error.
#[derive(Parser)]
#[command(name = "universal_approximation")]
struct Arguments {
    /// Largest number of hidden units: widths are 1, 2, 4, … up to it
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    width: u32,
    /// Optimiser steps for each network
    #[arg(long, default_value_t = 6000, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Networks of each width, from different starts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// Seed of the first start; the others follow it
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder that the picture goes to
    #[arg(long, value_name = "DIR", default_value = "runs/universal_approximation")]
    out: PathBuf,
}

/// Continuous, but with a kink: no polynomial, and steep in places.
fn target(x: f64) -> f64 {
    (4.0 * std::f64::consts::PI * x).sin() * (1.0 - x) + (x - 0.6).abs()
}

const SAMPLES: usize = 256;

struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    /// Sigmoids whose steps are spread over [0, 1]: σ(w (x − t)) with t uniform and w about as steep as the steps are dense.
    fn new(store: &ParamStore, width: usize) -> Self {
        let root = store.root();
        let (hidden, output) =
            (Linear::new(&root.sub("hidden"), 1, width), Linear::new(&root.sub("output"), width, 1));
        let mut rng = Rng::named(store.seed(), "steps");
        let steepness = 6.0 + 2.0 * width as f64;
        let w: Vec<f64> =
            (0..width).map(|_| steepness * if rng.uniform() < 0.5 { 1.0 } else { -1.0 }).collect();
        let b: Vec<f32> = w.iter().map(|w| (-w * rng.uniform()) as f32).collect();
        hidden.weight.update(|weight| {
            weight.make_mut().iter_mut().zip(&w).for_each(|(weight, &w)| *weight = w as f32)
        });
        hidden.bias.as_ref().expect("a bias").update(|bias| bias.make_mut().copy_from_slice(&b));
        Network { hidden, output }
    }
}

impl Module for Network {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.output.forward(&self.hidden.forward(x).sigmoid())
    }
}

/// A column of points and a column of what `f` gives there.
fn column(points: usize, f: impl Fn(f64) -> f64) -> Tensor {
    Tensor::from_vec(&[points, 1], (0..points).map(|i| f(i as f64 / (points - 1) as f64) as f32).collect())
}

fn fit(width: usize, steps: u32, seed: u64) -> Network {
    let store = ParamStore::seeded(seed);
    let network = Network::new(&store, width);
    let (x, y) = (column(SAMPLES, |x| x), column(SAMPLES, target));
    let schedule = Cosine { lr: 3e-2, steps: u64::from(steps), ..Default::default() };
    let mut adam = Adam::new(&store, AdamOptions::default());
    for step in 0..steps {
        adam.set_lr(schedule.lr(u64::from(step)));
        adam.step(&squared_error(&network.forward(&x), &y).backward());
    }
    network
}

/// max |g − f| over a grid four times finer than the samples.
fn sup_error(network: &Network) -> f64 {
    let (x, y) = (column(4 * SAMPLES - 3, |x| x), column(4 * SAMPLES - 3, target));
    no_grad(|| (network.forward(&x) - y).abs().max().item())
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    par::install(run)
}

fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    let folder = RunFolder::create(&arguments.out)?;
    println!(
        "seed {}: {} networks of each width, {} steps each",
        arguments.seed, arguments.repeats, arguments.steps
    );
    println!("hidden units   largest error: median   (least to most)");
    let widths: Vec<u32> =
        (0..).map(|power| 1 << power).take_while(|&width| width <= arguments.width).collect();
    let (mut median, mut least, mut most) = (vec![], vec![], vec![]);
    let mut fits = vec![];
    for &width in &widths {
        let seeds = (0..u64::from(arguments.repeats)).map(|repeat| arguments.seed.wrapping_add(repeat));
        let mut runs: Vec<(f64, Network)> = seeds
            .map(|seed| fit(width as usize, arguments.steps, seed))
            .map(|network| (sup_error(&network), network))
            .collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (low, middle, high) = (runs[0].0, runs[runs.len() / 2].0, runs[runs.len() - 1].0);
        println!("{width:>12}   {middle:>21.4}   ({low:.4} to {high:.4})");
        median.push((f64::from(width), middle));
        least.push((f64::from(width), low));
        most.push((f64::from(width), high));
        let middle = runs.len() / 2;
        fits.push((width, runs.swap_remove(middle).1));
    }

    let curve = |name: &str, points| Curve { name: name.into(), points, ..Default::default() };
    let errors = Plot {
        title: "Largest error of Σ vᵢ σ(wᵢx + bᵢ) + c".replace("ᵢ", ""),
        x_label: "hidden units".into(),
        y_label: "largest |g(x) − f(x)| on [0, 1]".into(),
        curves: vec![curve("median", median), curve("least", least), curve("most", most)],
        log_x: true,
        log_y: true,
        dots: true,
    };
    let points = 400;
    let grid: Vec<f64> = (0..points).map(|i| i as f64 / (points - 1) as f64).collect();
    let mut curves = vec![curve("f(x)", grid.iter().map(|&x| (x, target(x))).collect())];
    for (width, network) in fits.iter().filter(|(width, _)| [1, 4, 16].contains(width)) {
        let y = no_grad(|| network.forward(&column(points, |x| x))).to_vec();
        curves.push(curve(
            &format!("{width} units"),
            grid.iter().copied().zip(y.into_iter().map(f64::from)).collect(),
        ));
    }
    let functions = Plot {
        title: "The function and its approximations".into(),
        x_label: "x".into(),
        y_label: "f(x), g(x)".into(),
        curves,
        ..Default::default()
    };
    let picture = folder.file("universal_approximation.png");
    save_plots(&picture, &[errors, functions])?;
    println!("the picture is {}", picture.display());
    Ok(())
}
