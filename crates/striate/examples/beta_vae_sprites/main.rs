//! β-variational auto-encoders on sprites whose factors are known: what a larger β costs, and what it gains.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "../common/grids.rs"]
mod grids;
mod model;
mod pictures;
#[path = "../common/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use model::{Measured, measure, train};
use program::{Outcome, learning_rate, positive};
use serde::Serialize;
use striate::compute::par;
use striate::datasets::{Dataset, Sprites};
use striate::train::RunFolder;

/// Train β-variational auto-encoders on sprites, each β from several starts: traversals of their latent dimensions, and
/// mutual information gap and reconstruction against β
#[derive(Parser)]
#[command(name = "beta_vae_sprites")]
struct Arguments {
    /// Weights of the divergence
    #[arg(long, value_delimiter = ',', default_value = "1,4,16", value_parser = weight)]
    betas: Vec<f64>,
    /// Models of each β, from different starts and with other sprites
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    repeats: u64,
    /// Latent dimensions
    #[arg(long, default_value_t = 10, value_parser = positive)]
    latent: usize,
    /// Optimiser steps for each model
    #[arg(long, default_value_t = 8000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    steps: u64,
    /// Sprites per step
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=64))]
    batch: u64,
    /// First learning rate; it falls to zero along half a cosine
    #[arg(long, default_value_t = 1e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of the first start; the others follow it
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/beta_vae_sprites")]
    out: PathBuf,
    /// Print one JSON object per model
    #[arg(long)]
    json: bool,
}

fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight > 0.0);
    weight.ok_or_else(|| "expected a number above 0, such as 4".into())
}

/// What became of one model.
#[derive(Serialize)]
struct Run {
    beta: f64,
    seed: u64,
    #[serde(flatten)]
    measured: Measured,
    seconds: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || compare(&arguments))
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let sprites = Sprites::default();
    let folder = RunFolder::create(&arguments.out)?;
    if !arguments.json {
        println!(
            "{} sprites of {:?} values of {:?}; {} steps, seed {}, {} models of each β, {} threads",
            sprites.len(),
            sprites.sizes(),
            Sprites::FACTORS,
            arguments.steps,
            arguments.seed,
            arguments.repeats,
            par::threads(),
        );
        println!("     β  seed  reconstruction, nats  divergence, nats     MIG  seconds");
    }
    let mut runs = Vec::new();
    for repeat in 0..arguments.repeats {
        for &beta in &arguments.betas {
            let seed = arguments.seed.wrapping_add(repeat);
            let start = Instant::now();
            let vae = train(&sprites, beta, seed, arguments)?;
            let seconds = start.elapsed().as_secs_f64();
            let measured = measure(&vae, &sprites)?;
            if repeat == 0 {
                pictures::draw(&vae, &sprites, beta, &measured, &folder)?;
            }
            let run = Run { beta, seed, measured, seconds };
            if arguments.json {
                println!("{}", serde_json::to_string(&run)?);
            } else {
                let Measured { reconstruction, divergences, mig, .. } = &run.measured;
                let divergence: f64 = divergences.iter().sum();
                println!(
                    "{beta:>6}{seed:>6}{reconstruction:>22.2}{divergence:>18.2}{mig:>8.3}{seconds:>9.0}"
                );
            }
            runs.push(run);
        }
        // After every round of seeds, since a series is long.
        pictures::against_beta(&runs, &arguments.betas, &folder)?;
    }
    if !arguments.json {
        println!("pictures are in {}", arguments.out.display());
    }
    Ok(())
}
