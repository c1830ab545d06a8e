//! Gradients that vanish and explode, seen: the norm of ∂h_t/∂h_k against t − k for plain recurrent networks, whose bound
//! is (‖W_hh‖ max |φ'|)^(t−k), and for LSTM and GRU.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::nn::{Init, ParamStore};
use striate::recurrent::diagnostics::{Jacobians, RnnTrace, spectral_norm, spectral_radius};
use striate::recurrent::{Cell, CellOptions, GruCell, LstmCell, RnnCell, RnnCellOptions};
use striate::tensor::Tensor;
use striate::train::RunFolder;
use striate::train::figures::{Curve, Plot, save_plots};

/// Plot how the gradient through time shrinks or grows in untrained recurrent networks that read random numbers.
#[derive(Parser)]
#[command(name = "vanishing_gradients")]
struct Arguments {
    /// T: steps of the sequences
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1000))]
    steps: u32,
    /// H: units of a network
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    hidden: u32,
    /// Networks of each kind, each with a sequence of its own
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: u32,
    /// Seed of the first network and sequence; the others follow it
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder that the picture goes to
    #[arg(long, value_name = "DIR", default_value = "runs/vanishing_gradients")]
    out: PathBuf,
}

/// Features of x_t, drawn from N(0, 1).
const INPUT: usize = 8;

/// ‖∂h_T/∂h_k‖ for T − k = 0, …, T.
type Norms = Vec<f64>;

struct Experiment {
    steps: usize,
    hidden: usize,
    seeds: Vec<u64>,
}

impl Experiment {
    /// Geometric means, over the seeds, of what `run` gives for a store and a sequence x (T, 1, I).
    fn mean(&self, run: impl Fn(&ParamStore<f64>, &Tensor<f64>) -> Norms + Sync + Send) -> Norms {
        let runs = par::collect(self.seeds.len(), |index| {
            let seed = self.seeds[index];
            let mut x = vec![0.0; self.steps * INPUT];
            Rng::named(seed, "x").fill_normal(&mut x, 0.0, 1.0);
            run(&ParamStore::seeded(seed), &Tensor::from_vec(&[self.steps, 1, INPUT], x))
        });
        let mean =
            |lag| (runs.iter().map(|norms| f64::ln(norms[lag])).sum::<f64>() / runs.len() as f64).exp();
        (0..=self.steps).map(mean).collect()
    }

    fn norms<C: Cell<f64>>(&self, cell: &C, x: &Tensor<f64>) -> Norms {
        let jacobians = Jacobians::new(cell, x, &cell.initial(1));
        let last = self.steps;
        (0..=last).map(|lag| spectral_norm(&jacobians.between(last, last - lag))).collect()
    }

    /// W_hh is orthogonal times `gain`, so that its spectral radius and its norm are both that.
    fn rnn(&self, store: &ParamStore<f64>, gain: f64) -> RnnCell<f64> {
        let recurrent_init = Some(Init::Orthogonal { gain });
        RnnCell::with(
            &store.root(),
            INPUT,
            self.hidden,
            RnnCellOptions { recurrent_init, ..Default::default() },
        )
    }

    fn lstm(&self, store: &ParamStore<f64>, forget_bias: Option<f64>) -> LstmCell<f64> {
        let options = CellOptions { forget_bias, ..Default::default() };
        LstmCell::with(&store.root(), INPUT, self.hidden, options)
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    par::install(run)
}

fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    let folder = RunFolder::create(&arguments.out)?;
    let experiment = &Experiment {
        steps: arguments.steps as usize,
        hidden: arguments.hidden as usize,
        seeds: (0..u64::from(arguments.repeats)).map(|repeat| arguments.seed.wrapping_add(repeat)).collect(),
    };
    println!(
        "seed {}: {} networks of each kind, {} units, {} steps",
        arguments.seed, arguments.repeats, arguments.hidden, arguments.steps
    );

    let mut plain = Vec::new();
    for (index, gain) in [0.5, 1.0, 1.5].into_iter().enumerate() {
        let w = experiment.rnn(&ParamStore::seeded(arguments.seed), gain).parameters.weight_hh.to_ndarray();
        let w = w.into_dimensionality()?;
        println!(
            "W_hh of the RNN: spectral radius {:.6}, norm {:.6}",
            spectral_radius(&w)?,
            spectral_norm(&w)
        );
        let norms = experiment.mean(|store, x| experiment.norms(&experiment.rnn(store, gain), x));
        let bounds = experiment.mean(|store, x| {
            let cell = experiment.rnn(store, gain);
            let trace = RnnTrace::new(&cell, x, &cell.initial(1));
            (0..=experiment.steps).map(|lag| trace.bound(lag)).collect()
        });
        plain.push(curve(format!("radius and norm {gain}"), norms, index));
        plain.push(Curve { dashed: true, ..curve(format!("bound for {gain}"), bounds, index) });
    }
    let lstm =
        |forget_bias| experiment.mean(|store, x| experiment.norms(&experiment.lstm(store, forget_bias), x));
    let gru = experiment
        .mean(|store, x| experiment.norms(&GruCell::new(&store.root(), INPUT, experiment.hidden), x));
    let gated = vec![
        Curve { name: "RNN, radius and norm 1".into(), ..plain[2].clone() },
        curve("LSTM".into(), lstm(None), 3),
        curve("LSTM, forget bias 1".into(), lstm(Some(1.0)), 4),
        curve("LSTM, forget bias 4".into(), lstm(Some(4.0)), 5),
        curve("GRU".into(), gru, 0),
    ];

    print_table(&plain);
    print_table(&gated);
    let plot = |title: &str, curves| Plot {
        title: title.into(),
        x_label: "t − k, steps back".into(),
        y_label: "spectral norm of ∂h(t)/∂h(k)".into(),
        curves,
        log_y: true,
        ..Default::default()
    };
    let picture = folder.file("vanishing_gradients.png");
    save_plots(
        &picture,
        &[plot("Plain RNN, tanh: norms and their bounds", plain), plot("With gates, as they start", gated)],
    )?;
    println!("the picture is {}", picture.display());
    Ok(())
}

fn curve(name: String, norms: Norms, colour: usize) -> Curve {
    let points = norms.into_iter().enumerate().map(|(lag, norm)| (lag as f64, norm)).collect();
    Curve { name, points, colour: Some(colour), dashed: false }
}

/// The norms at some lags.
fn print_table(curves: &[Curve]) {
    let steps = curves[0].points.len() - 1;
    let lags: Vec<usize> = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
        .into_iter()
        .filter(|&lag| lag < steps)
        .chain([steps])
        .collect();
    println!("\n{:<24}{}", "t − k", lags.iter().map(|lag| format!("{lag:>10}")).collect::<String>());
    for curve in curves {
        let row: String = lags.iter().map(|&lag| format!("{:>10.1e}", curve.points[lag].1)).collect();
        println!("{:<24}{row}", curve.name);
    }
}
