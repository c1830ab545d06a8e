//! The same work in Striate, PyTorch, JAX and Rust crates, by turns. `benches/peers/README.md` states the protocol.

mod process;
mod report;

use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ceilings::{Ceilings, build_runner};
use crate::command::{cargo, run as run_program, target_directory};
use crate::{Result, machine, root};
use process::Peer;
use report::{Row, Run};

const MANIFEST: &str = "benches/peers/Cargo.toml";
/// The peers written in Rust: the binary of each crate.
const CRATES: [&str; 4] = ["peer-burn", "peer-candle", "peer-gemm", "peer-matrixmultiply"];
/// glibc keeps what is freed: no block from the system but the heap, never given back, grown in large steps.
const KEEP: [(&str, &str); 4] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
    ("MALLOC_TOP_PAD_", "268435456"),
];
/// How long a peer runs a row in one round.
const BUDGET_MS: f64 = 100.0;
/// How long the threads of one peer have to fall asleep before the next one runs.
const REST: Duration = Duration::from_millis(10);
/// Results may differ by this share of their size.
const TOLERANCE: f64 = 1e-4;

/// Runs the rows whose name contains `filter`, prints the table and writes the report.
pub(crate) fn run(threads: usize, filter: &str, rounds: usize) -> Result {
    let machine = machine::describe();
    machine::warn_when_busy(&machine);
    let ceilings = Ceilings::measure(threads)?;
    let mut peers = start(threads, filter)?;
    let mut rows: Vec<Row> = Vec::new();
    for name in peers.iter().flat_map(|peer| &peer.rows) {
        if rows.iter().all(|row| row.name != *name) {
            rows.push(Row { name: name.clone(), ..Row::default() });
        }
    }
    if rows.is_empty() {
        return Err(format!("no peer has a row whose name contains `{filter}`").into());
    }
    prepare(&mut peers, &mut rows)?;
    take_turns(&mut peers, &mut rows, rounds)?;
    let peers = peers.iter().map(|peer| (peer.name.clone(), peer.version.clone())).collect();
    report::write(&Run { machine, ceilings, threads, rounds, peers }, &rows)
}

/// Starts Striate's runner, which comes first, and every peer that is there and has a row that `filter` keeps.
fn start(threads: usize, filter: &str) -> Result<Vec<Peer>> {
    let mut peers = vec![Peer::start(Command::new(build_runner()?), threads)?];

    let torch = |name: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        let mut script = script("torch_rows.py");
        script.args(["--name", name]).args(arguments).envs(environment.iter().copied());
        script
    };
    let mut scripts = vec![torch("pytorch", &[], &[]), torch("pytorch-fused", &["--fused"], &[])];
    if cfg!(target_os = "linux") {
        scripts.push(torch("pytorch-keep", &[], &KEEP));
        scripts.push(torch("pytorch-fused-keep", &["--fused"], &KEEP));
    }
    scripts.push(script("jax_rows.py"));
    for script in scripts {
        match Peer::start(script, threads) {
            Ok(peer) => peers.push(peer),
            Err(error) => eprintln!("left out: {error}"),
        }
    }

    match run_program(cargo(&["build", "--release", "--manifest-path", MANIFEST])) {
        Ok(()) => {
            let folder = target_directory(MANIFEST)?.join("release");
            for name in CRATES {
                peers.push(Peer::start(Command::new(folder.join(name)), threads)?);
            }
        }
        Err(error) => eprintln!("left out, the Rust peers: {error}"),
    }
    for peer in &mut peers {
        peer.rows.retain(|row| row.contains(filter));
    }
    let mut index = 0;
    peers.retain(|peer| {
        index += 1;
        index == 1 || !peer.rows.is_empty()
    });
    Ok(peers)
}

fn script(name: &str) -> Command {
    let mut script = Command::new("python3");
    script.arg(root().join(Path::new("benches/peers")).join(name));
    script
}

/// Prepares every row in every peer that has it, and compares what they computed with Striate. A peer that alone
/// computes something else is wrong and has no time; Striate stops the run when no peer agrees with it.
fn prepare(peers: &mut [Peer], rows: &mut [Row]) -> Result {
    for row in rows {
        let mut reference: Option<(String, Value)> = None;
        for (index, peer) in peers.iter_mut().enumerate() {
            if !peer.rows.contains(&row.name) {
                continue;
            }
            progress(&format!("prepare {} in {}", row.name, peer.name));
            let answer = peer.ask(&json!({"row": row.name}))?;
            let Some((name, first)) = &reference else {
                row.peers.push((index, Vec::new()));
                reference = Some((peer.name.clone(), answer));
                continue;
            };
            match same(first, &answer) {
                Ok(()) => row.peers.push((index, Vec::new())),
                Err(e) => row
                    .wrong
                    .push((index, format!("{} differs between {name} and {}: {e}", row.name, peer.name))),
            }
        }
        if let ([_], [(_, error), ..]) = (&row.peers[..], &row.wrong[..]) {
            return Err(error.clone().into());
        }
        let (_, first) = reference.expect("a row is some peer's");
        row.parameters = first["parameters"].as_u64().unwrap_or(0);
        row.check = numbers(&first["check"]);
        for (_, error) in &row.wrong {
            progress(&format!("{error}\n"));
        }
    }
    progress("all others compute the same");
    Ok(())
}

fn same(a: &Value, b: &Value) -> std::result::Result<(), String> {
    if a["parameters"] != b["parameters"] {
        return Err(format!("{} and {} parameters", a["parameters"], b["parameters"]));
    }
    let (x, y) = (numbers(&a["check"]), numbers(&b["check"]));
    let close = |(x, y): (&f64, &f64)| (x - y).abs() <= TOLERANCE * x.abs().max(y.abs());
    if x.len() != y.len() || !x.iter().zip(&y).all(close) {
        return Err(format!("the first step computed {x:?} and {y:?}"));
    }
    Ok(())
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// In each round every row, and in each row every peer once, starting with another peer each time.
fn take_turns(peers: &mut [Peer], rows: &mut [Row], rounds: usize) -> Result {
    let start = Instant::now();
    for round in 0..rounds {
        for row in rows.iter_mut() {
            for turn in 0..row.peers.len() {
                let index = (round + turn) % row.peers.len();
                let (peer, times) = &mut row.peers[index];
                std::thread::sleep(REST);
                let answer = peers[*peer].ask(&json!({"run": row.name, "budget_ms": BUDGET_MS}))?;
                times.push(answer["ms"].as_f64().ok_or("an answer without a time")?);
            }
        }
        let left = start.elapsed().mul_f64((rounds - round - 1) as f64 / (round + 1) as f64).as_secs();
        progress(&format!("round {} of {rounds}, {left} s left", round + 1));
    }
    eprintln!();
    Ok(())
}

/// Shows what is going on: one line that changes on a terminal, plain lines elsewhere.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    } else {
        eprintln!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_compared_by_their_size() {
        let answer = |parameters: u64, check: [f64; 2]| json!({"parameters": parameters, "check": check});
        assert!(same(&answer(5, [1000.0, 1e-7]), &answer(5, [1000.05, 1e-7])).is_ok());
        assert!(same(&answer(5, [1000.0, 1e-7]), &answer(5, [1000.0, 1.1e-7])).is_err());
        assert!(same(&answer(5, [1.0, 1.0]), &answer(6, [1.0, 1.0])).is_err());
        assert!(same(&answer(5, [1.0, 1.0]), &answer(5, [1.0, f64::NAN])).is_err());
        assert!(same(&json!({"check": [1.0]}), &json!({"check": [1.0, 2.0]})).is_err());
    }
}
