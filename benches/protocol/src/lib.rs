//! The line protocol of the side-by-side benchmark, as `benches/peers/README.md` states it.
//!
//! A peer builds a [`Peer`] with its rows and calls [`Peer::serve`].

pub mod conv;
pub mod data;
mod gemm;
pub mod models;
pub mod recurrent;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use conv::conv_rows;
pub use gemm::gemm_rows;
pub use recurrent::recurrent_rows;

/// A row made ready: its step, and the numbers that every peer must agree on.
pub struct Row {
    /// One measured step of the row.
    pub step: Box<dyn FnMut()>,
    /// Trainable parameters of the row's model; 0 for single operations.
    pub parameters: usize,
    /// What the first step computed (losses, mean magnitudes of outputs and gradients): equal up to 1e-4 of their size.
    pub check: Vec<f64>,
}

/// Makes a row ready: builds its inputs and runs its first step.
pub type Prepare = Box<dyn Fn() -> Row>;

/// One process of the benchmark.
pub struct Peer {
    /// The peer's name in tables.
    pub name: &'static str,
    /// The version measured.
    pub version: String,
    /// What it can run.
    pub rows: Vec<(String, Prepare)>,
}

/// The number of threads that the driver asks for: `--threads N`, else 1.
///
/// # Panics
/// When the number is missing or none.
pub fn threads() -> usize {
    let mut args = std::env::args().skip_while(|arg| arg != "--threads");
    match args.next() {
        Some(_) => args.next().and_then(|n| n.parse().ok()).expect("--threads takes a number"),
        None => 1,
    }
}

impl Peer {
    /// Says hello, then answers one line for each line on standard input, until it ends.
    pub fn serve(self) {
        let names: Vec<&str> = self.rows.iter().map(|(name, _)| name.as_str()).collect();
        answer(&json!({"peer": self.name, "version": self.version, "rows": names}));
        let mut ready = BTreeMap::new();
        for line in std::io::stdin().lock().lines() {
            let line = line.expect("standard input");
            let request: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
            answer(&self.reply(&request, &mut ready));
        }
    }

    fn reply(&self, request: &Value, ready: &mut BTreeMap<String, Row>) -> Value {
        if let Some(name) = request["row"].as_str() {
            let Some((_, prepare)) = self.rows.iter().find(|(known, _)| known == name) else {
                return json!({"peer": self.name, "row": name, "error": "no such row"});
            };
            let row = prepare();
            let reply =
                json!({"peer": self.name, "row": name, "parameters": row.parameters, "check": row.check});
            ready.insert(name.to_owned(), row);
            return reply;
        }
        let Some(name) = request["run"].as_str() else {
            return json!({"peer": self.name, "error": format!("not a request: {request}")});
        };
        let Some(row) = ready.get_mut(name) else {
            return json!({"peer": self.name, "row": name, "error": "not made ready"});
        };
        let budget = Duration::from_secs_f64(request["budget_ms"].as_f64().unwrap_or(100.0) / 1e3);
        let (ms, steps) = time(&mut row.step, budget);
        json!({"peer": self.name, "row": name, "ms": ms, "steps": steps})
    }
}

/// The median time in milliseconds of the steps that fit into `budget` (at least one), after one that is not timed.
fn time(step: &mut dyn FnMut(), budget: Duration) -> (f64, usize) {
    step();
    let mut times = Vec::new();
    let start = Instant::now();
    while times.is_empty() || start.elapsed() < budget {
        let before = Instant::now();
        step();
        times.push(before.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times.len())
}

fn answer(value: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}").and_then(|()| out.flush()).expect("standard output");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(request: &Value, ready: &mut BTreeMap<String, Row>) -> Value {
        let prepare: Prepare = Box::new(|| Row {
            step: Box::new(|| std::thread::sleep(Duration::from_millis(2))),
            parameters: 3,
            check: vec![0.5],
        });
        Peer { name: "p", version: "1".into(), rows: vec![("nap".into(), prepare)] }.reply(request, ready)
    }

    #[test]
    fn a_row_is_prepared_once_and_then_run_for_its_budget() {
        let mut ready = BTreeMap::new();
        let prepared = reply(&json!({"row": "nap"}), &mut ready);
        assert_eq!(prepared, json!({"peer": "p", "row": "nap", "parameters": 3, "check": [0.5]}));
        let run = reply(&json!({"run": "nap", "budget_ms": 20}), &mut ready);
        assert!(run["ms"].as_f64().unwrap() >= 2.0);
        assert!((1..=10).contains(&run["steps"].as_u64().unwrap()));
        let single = reply(&json!({"run": "nap", "budget_ms": 0}), &mut ready);
        assert_eq!(single["steps"], 1);
    }

    #[test]
    fn what_a_peer_cannot_do_it_answers_with_an_error() {
        let mut ready = BTreeMap::new();
        for request in [json!({"run": "nap"}), json!({"row": "sleep"}), json!({}), Value::Null] {
            assert!(reply(&request, &mut ready)["error"].is_string(), "{request}");
        }
    }
}
