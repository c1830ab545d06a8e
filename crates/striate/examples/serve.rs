//! Serves a network from many threads on shared weights, checks every request first, and watches its own memory.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[allow(dead_code, reason = "this program has no learning rate")]
#[path = "common/program.rs"]
mod program;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use program::{Outcome, positive};
use striate::compute::rng::Rng;
use striate::nn::ParamStore;
use striate::tensor::{Tensor, no_grad};
use striate::vision::{ImageNetwork, resnet20};

/// Send requests to a ResNet-20 from many threads, some of them wrong, and report speed and memory
#[derive(Parser)]
struct Arguments {
    /// Requests in all
    #[arg(long, default_value_t = 100_000, value_parser = positive)]
    requests: usize,
    /// Threads that serve
    #[arg(long, default_value_t = 2, value_parser = positive)]
    threads: usize,
    /// Weights of a ResNet-20 in safetensors, npz or PyTorch's own format [default: random ones]
    #[arg(long, value_name = "FILE")]
    weights: Option<std::path::PathBuf>,
    /// Classes of the network
    #[arg(long, default_value_t = 10, value_parser = positive)]
    classes: usize,
    /// Seed of weights and pictures
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // One thread each: requests are small, and there are many.
    program::run(Some(1), || serve(&arguments))
}

/// One request in this many is not for this network.
const WRONG: usize = 50;
/// Memory that may come and go, in MiB.
const SLACK: f64 = 16.0;

/// The class of a picture, or why it is none of the network's.
fn answer(net: &dyn ImageNetwork, picture: &Tensor) -> Result<usize, String> {
    net.check_input(picture.shape()).map_err(|error| error.to_string())?;
    Ok(no_grad(|| net.forward(picture)).argmax())
}

fn serve(arguments: &Arguments) -> Outcome<()> {
    let &Arguments { requests, threads, classes, seed, .. } = arguments;
    let store = ParamStore::<f32>::seeded(seed);
    let _trained = resnet20(&store.root(), classes);
    if let Some(file) = &arguments.weights {
        store.load(file)?;
    }
    // A snapshot never changes and takes no lock; the fused network is faster still.
    let net = resnet20(&store.snapshot().root(), classes).fuse();
    let mut rng = Rng::named(seed, "pictures");
    let mut picture = |shape: &[usize]| {
        let numbers = (0..shape.iter().product()).map(|_| rng.normal() as f32).collect();
        Tensor::from(ndarray::ArrayD::from_shape_vec(shape, numbers).expect("as many as the shape has"))
    };
    let pictures: Vec<Tensor> = (0..16).map(|_| picture(&[1, 3, 32, 32])).collect();
    let wrong = picture(&[1, 1, 32, 32]);
    let expected: Vec<usize> = pictures.iter().map(|x| answer(&*net, x)).collect::<Result<_, _>>()?;
    println!(
        "{requests} requests on {threads} threads, seed {seed}; one in {WRONG} has another number of channels"
    );

    let (next, refused, differing) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Instant::now();
    let worker = || {
        let mut latencies = Vec::with_capacity(requests / threads * 2);
        loop {
            let request = next.fetch_add(1, Ordering::Relaxed);
            if request >= requests {
                return latencies;
            }
            let before = Instant::now();
            if request % WRONG == WRONG - 1 {
                refused.fetch_add(usize::from(answer(&*net, &wrong).is_err()), Ordering::Relaxed);
            } else {
                let i = request % pictures.len();
                let differs = answer(&*net, &pictures[i]) != Ok(expected[i]);
                differing.fetch_add(usize::from(differs), Ordering::Relaxed);
                latencies.push(before.elapsed().as_secs_f32());
            }
            if (request + 1) % requests.div_ceil(10) == 0 {
                let resident = resident().unwrap_or(f64::NAN);
                let rate = (request + 1) as f64 / start.elapsed().as_secs_f64();
                println!("{:>8} answers  {rate:>7.0} a second  {resident:.1} MiB resident", request + 1);
            }
        }
    };
    let before = resident();
    let mut latencies: Vec<f32> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker never panics")).collect()
    });
    latencies.sort_by(f32::total_cmp);
    let at = |share: f64| 1e3 * latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!(
        "median {:.2} ms, 99 % within {:.2} ms, slowest {:.2} ms; {} refused",
        at(0.5),
        at(0.99),
        at(1.0),
        refused.load(Ordering::Relaxed),
    );
    if differing.load(Ordering::Relaxed) > 0 {
        return Err(format!("{} answers differ from those of one thread", differing.into_inner()).into());
    }
    match (before, resident()) {
        (Some(before), Some(after)) if after > before + SLACK => {
            Err(format!("memory grew from {before:.1} to {after:.1} MiB").into())
        }
        _ => Ok(()),
    }
}

/// Memory of this process in MiB, where the system says.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}
