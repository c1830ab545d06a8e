//! Development tasks: `cargo xtask bench | ci | golden | package | sanitize | tidy`.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod bench;
mod ceilings;
mod command;
mod criterion;
mod machine;
mod package;
mod peers;
mod statistics;
mod table;

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::{Args, Parser, Subcommand};

/// What a task returns: nothing, or a sentence for the person who started it.
type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Development tasks of the Striate workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the benches and print one table; with --peers, beside PyTorch, JAX and Rust crates.
    Bench(BenchOptions),
    /// Run what a change must pass: formatting, lints, docs, tests.
    Ci,
    /// Regenerate the golden files of the tests from PyTorch and numpy.
    Golden,
    /// Check the rules that no compiler checks: crate edges, unsafe, paths, file lengths, quoted figures.
    Tidy,
    /// Run the tests of every kernel with `unsafe` code under the address sanitizer, with a nightly toolchain.
    Sanitize,
    /// Package and verify each crate as for publishing, in dependency order.
    Package,
}

#[derive(Args)]
struct BenchOptions {
    /// Run only the benches whose name contains this.
    #[arg(long, conflicts_with = "peers")]
    filter: Option<String>,
    /// Stop each bench as soon as its time is known roughly.
    #[arg(long, conflicts_with = "peers")]
    quick: bool,
    /// Number of threads [default: all cores].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Take turns with PyTorch, JAX and Rust crates on the same rows (see benches/peers/README.md).
    #[arg(long)]
    peers: bool,
    /// With --peers: run only the rows whose name contains this.
    #[arg(long, requires = "peers", value_name = "FILTER")]
    rows: Option<String>,
    /// With --peers: number of rounds; fewer than 15 are no evidence.
    #[arg(long, requires = "peers", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Bench(options) => bench(&options),
        Task::Ci => command::run(Command::new(root().join(".ci/run"))),
        Task::Golden => golden(),
        Task::Tidy => command::run(command::cargo(&["test", "--quiet", "-p", "xtask", "--test", "tidy"])),
        Task::Package => package::run(),
        Task::Sanitize => sanitize(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace")
}

fn bench(options: &BenchOptions) -> Result {
    let threads = match options.threads {
        Some(n) => n.into(),
        None => std::thread::available_parallelism()?.get(),
    };
    if options.peers {
        return peers::run(threads, options.rows.as_deref().unwrap_or(""), options.rounds.into());
    }
    bench::run(threads, options.filter.as_deref(), options.quick)
}

/// The crates with `unsafe` code and those whose kernels call it, on slices alone.
fn sanitize() -> Result {
    const CRATES: [&str; 3] = ["striate-compute", "striate-conv", "striate-recurrent"];
    const TESTS: [&str; 3] = ["gemm", "pool", "fuzz"];
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV");
    let version = command::output(rustc)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    // `cargo` of this process is that of a toolchain; the one of rustup chooses another.
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    // The threads of rayon's pool end with the process, and so does what they hold.
    cargo.env("ASAN_OPTIONS", "detect_leaks=0");
    cargo.env("RUSTFLAGS", "-Zsanitizer=address").env("CARGO_TARGET_DIR", root().join("target/sanitize"));
    cargo.args(["+nightly", "test", "--no-default-features", "--lib", "--target", host]);
    TESTS.iter().for_each(|name| _ = cargo.args(["--test", name]));
    CRATES.iter().for_each(|name| _ = cargo.args(["-p", name]));
    command::run(cargo)
}

fn golden() -> Result {
    let packages = ["torch", "safetensors", "numpy", "ml_dtypes"];
    let import = format!("import {}", packages.join(", "));
    if !command::succeeds(Command::new("python3").args(["-c", &import])) {
        let packages = packages.join(" ");
        return Err(format!(
            "the golden files need Python packages; install them with: pip install {packages}"
        )
        .into());
    }
    for script in ["crates/testkit/golden/generate.py", "crates/formats/tests/golden/make.py"] {
        let mut python = Command::new("python3");
        python.arg(root().join(script));
        command::run(python)?;
    }
    Ok(())
}
