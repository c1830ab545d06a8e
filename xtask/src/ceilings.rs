//! What the machine can do at most, measured by Striate's runner.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::command::{cargo, output, run, target_directory};
use crate::table::digits;

/// What the machine can do at most with the threads of a run.
pub(crate) struct Ceilings {
    /// Fused multiply-adds in single precision, in 10⁹ operations a second.
    pub(crate) gflops: f64,
    /// Copying large memory, read plus written, in 10⁹ bytes a second.
    pub(crate) gigabytes: f64,
    /// All that was measured.
    pub(crate) measured: Value,
}

impl Ceilings {
    /// Builds the runner and measures.
    pub(crate) fn measure(threads: usize) -> Result<Self> {
        let mut program = Command::new(build_runner()?);
        eprintln!("measuring the machine's peaks");
        program.args(["--ceilings", "--threads", &threads.to_string()]);
        program.env("RAYON_NUM_THREADS", threads.to_string());
        let measured: Value = serde_json::from_str(&output(program)?)?;
        let number = |key: &str| {
            measured[key].as_f64().ok_or_else(|| format!("the runner measured no {key}: {measured}"))
        };
        let (gflops, gigabytes) = (number("fma_gflops")?, number("memory_copy")?);
        Ok(Ceilings { gflops, gigabytes, measured })
    }

    /// One line for the head of a report.
    pub(crate) fn line(&self) -> String {
        let (gflops, gigabytes) = (digits(self.gflops), digits(self.gigabytes));
        format!("measured peaks: {gflops} GFLOP/s (multiply-add), {gigabytes} GB/s (copy in memory)")
    }
}

/// Builds Striate's runner of the rows; its path.
pub(crate) fn build_runner() -> Result<PathBuf> {
    run(cargo(&["build", "--release", "-p", "striate-benches", "--bin", "rows"]))?;
    Ok(target_directory("Cargo.toml")?.join("release/rows"))
}
