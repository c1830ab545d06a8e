//! What each term of the evidence lower bound does to a latent plane: the reconstruction alone, the divergence alone, both.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "common/fit.rs"]
mod fit;
#[path = "common/folders.rs"]
mod folders;
#[path = "common/grids.rs"]
mod grids;
#[path = "common/latent_pictures.rs"]
mod latent_pictures;
#[path = "common/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fit::{Plan, fit};
use latent_pictures::{manifold, means, scatter};
use ndarray::Array2;
use program::{Outcome, learning_rate, positive};
use serde::Serialize;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Dataset, Labelled, Split};
use striate::generative::{Objective, Vae, VaeOptions, standard_normal};
use striate::nn::ParamStore;
use striate::tensor::{Tensor, no_grad};
use striate::train::RunFolder;

/// Train variational auto-encoders with a latent plane on the reconstruction alone, on the divergence alone and on both
/// terms of the evidence lower bound, and draw their planes
#[derive(Parser)]
#[command(name = "latent_ablation")]
struct Arguments {
    /// Folder of IDX files (MNIST, Fashion-MNIST) under their official names; the embedded digits when not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Passes over the training pictures [default: 300 for the embedded digits, 10 with --data]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Samples per step
    #[arg(long, default_value_t = 128, value_parser = positive)]
    batch: usize,
    /// First learning rate; it falls to zero along half a cosine
    #[arg(long, default_value_t = 1e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order of the samples, and noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that the pictures go to
    #[arg(long, value_name = "DIR", default_value = "runs/latent_ablation")]
    out: PathBuf,
    /// Print one JSON object per objective
    #[arg(long)]
    json: bool,
}

/// What became of a model: means over test pictures.
#[derive(Serialize)]
struct Run {
    objective: &'static str,
    /// −E\[ln p(x|z)\], nats.
    reconstruction: f64,
    /// D(q‖p), nats.
    divergence: f64,
    /// Of the means μ over all test pictures.
    spread: f64,
    /// σ of the posterior.
    sigma: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || compare(&arguments))
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let (name, split) = folders::read(arguments.data.as_deref())?;
    let folder = RunFolder::create(&arguments.out)?;
    if !arguments.json {
        println!(
            "{name}: {} training and {} test pictures of {:?}; seed {}, {} threads",
            split.train().len(),
            split.test().len(),
            &split.train().images().shape()[1..],
            arguments.seed,
            par::threads(),
        );
        println!("loss            reconstruction, nats  divergence, nats  spread of μ  mean σ");
    }
    let objectives = [
        ("reconstruction", "The reconstruction alone", Objective::RECONSTRUCTION_ONLY),
        ("divergence", "The divergence alone", Objective::KL_ONLY),
        ("both", "Both terms", Objective::default()),
    ];
    for (name, title, objective) in objectives {
        let vae = train(&split, objective, arguments)?;
        let run = measure(name, &vae, split.test(), arguments.seed);
        if arguments.json {
            println!("{}", serde_json::to_string(&run)?);
        } else {
            println!(
                "{name:<16}{:>20.2}{:>18.2}{:>13.3}{:>8.3}",
                run.reconstruction, run.divergence, run.spread, run.sigma
            );
        }
        let codes = samples(&vae, split.test(), arguments.seed);
        scatter(&format!("{title}: z ~ q(z|x) of test pictures"), &codes, split.test())?
            .save(folder.file(format!("{name}_codes.png")))?;
        let title = format!("{title}: decoded quantiles of the prior");
        manifold(&title, &vae, &means(&vae, split.test()))
            .save(folder.file(format!("{name}_manifold.png")))?;
    }
    if !arguments.json {
        println!("pictures are in {}", arguments.out.display());
    }
    Ok(())
}

fn train(split: &Split, objective: Objective, arguments: &Arguments) -> Outcome<Vae> {
    let epochs = arguments.epochs.unwrap_or(if arguments.data.is_some() { 10 } else { 300 });
    let pictures = split.train().images();
    let store = ParamStore::seeded(arguments.seed);
    let options = VaeOptions { latent: 2, ..Default::default() };
    let vae = Vae::new(&store.root(), &pictures.shape()[1..], &options)?;
    vae.check(&pictures.into())?;
    let plan = Plan { epochs, batch: arguments.batch, lr: arguments.lr, seed: arguments.seed };
    fit(&store, split.train(), plan, |x| vae.elbo(x).loss(&objective));
    Ok(vae)
}

/// One z ~ q(z|x) for each picture.
fn samples(vae: &Vae, pictures: &Labelled, seed: u64) -> Array2<f32> {
    let z = no_grad(|| vae.encode(&pictures.images().into()).sample(&mut Rng::named(seed, "codes")));
    z.to_ndarray().into_dimensionality().expect("codes are (N, J)")
}

fn measure(objective: &'static str, vae: &Vae, pictures: &Labelled, seed: u64) -> Run {
    let x = Tensor::from(pictures.images());
    no_grad(|| {
        let noise = standard_normal(&[pictures.len(), vae.latent()], &mut Rng::named(seed, "evaluation"));
        let elbo = vae.elbo_at(&x, &noise);
        let q = vae.encode(&x);
        Run {
            objective,
            reconstruction: -elbo.log_likelihood.item(),
            divergence: elbo.kl.sum().item(),
            spread: q.mean.std_dim(&[0], Default::default()).mean().item(),
            sigma: (q.log_variance * 0.5).exp().mean().item(),
        }
    })
}
