//! The criterion benches, as one table beside the machine's measured peaks.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::ceilings::Ceilings;
use crate::command::{cargo, run as run_program, target_directory};
use crate::criterion::{Bench, Work, results};
use crate::table::{digits, table};
use crate::{Result, machine};

/// Runs the benches, prints the table and writes `report.json` and `report.md` into `bench/` of the target folder.
pub(crate) fn run(threads: usize, filter: Option<&str>, quick: bool) -> Result {
    let machine = machine::describe();
    machine::warn_when_busy(&machine);
    let target = target_directory("Cargo.toml")?;
    let ceilings = Ceilings::measure(threads)?;
    // File systems keep times coarsely.
    let start = SystemTime::now() - Duration::from_secs(1);
    let criterion = target.join("criterion");
    let mut benches = cargo(&["bench", "-p", "striate-benches", "--"]);
    benches.args(quick.then_some("--quick")).args(filter);
    benches.env("RAYON_NUM_THREADS", threads.to_string()).env("CRITERION_HOME", &criterion);
    run_program(benches)?;
    let mut benches = if criterion.is_dir() { results(&criterion, start)? } else { Vec::new() };
    if benches.is_empty() {
        return Err(format!("no bench's name contains `{}`", filter.unwrap_or_default()).into());
    }

    if quick {
        // Too few samples to tell.
        benches.iter_mut().for_each(|bench| bench.spread = f64::NAN);
    }
    let head = format!("{}\n{}\n", machine::line(&machine, threads), ceilings.line());
    let lines: Vec<_> = benches.iter().map(|bench| line(bench, &ceilings)).collect();
    let markdown =
        format!("{head}\n{}", table(&["bench", "median", "spread", "rate", "percent of peak"], &lines));
    print!("\n{markdown}");
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("report.md"), markdown)?;
    let report = to_json(&machine, threads, &ceilings, &benches);
    fs::write(folder.join("report.json"), format!("{report:#}\n"))?;
    println!("\nwritten: {}/report.md and report.json", folder.display());
    Ok(())
}

/// The rate of a bench in 10⁹ a second, its unit, and its share of the peak.
fn rate(bench: &Bench, ceilings: &Ceilings) -> Option<(f64, &'static str, f64)> {
    let (work, unit, peak) = match bench.work {
        Work::Operations(operations) => (operations, "GFLOP/s", ceilings.gflops),
        Work::Bytes(bytes) => (bytes, "GB/s", ceilings.gigabytes),
        Work::Unknown => return None,
    };
    let rate = work / bench.median;
    Some((rate, unit, rate / peak))
}

fn line(bench: &Bench, ceilings: &Ceilings) -> Vec<String> {
    let (rate, share) = match rate(bench, ceilings) {
        Some((rate, unit, share)) => (format!("{} {unit}", digits(rate)), format!("{:.0} %", 100.0 * share)),
        None => ("–".into(), "–".into()),
    };
    let spread = match 100.0 * bench.spread / bench.median {
        share if share.is_nan() => "–".into(),
        share => format!("± {share:.1} %"),
    };
    vec![bench.name.clone(), time(bench.median), spread, rate, share]
}

fn time(nanoseconds: f64) -> String {
    let (scale, unit) = match nanoseconds {
        t if t < 1e3 => (1.0, "ns"),
        t if t < 1e6 => (1e3, "µs"),
        t if t < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {unit}", digits(nanoseconds / scale))
}

fn to_json(machine: &Value, threads: usize, ceilings: &Ceilings, benches: &[Bench]) -> Value {
    let row = |bench: &Bench| {
        let mut row = json!({"bench": bench.name, "median_ns": bench.median, "spread_ns": bench.spread});
        if let Some((rate, unit, share)) = rate(bench, ceilings) {
            row["rate"] = json!({"value": rate, "unit": unit, "share_of_peak": share});
        }
        row
    };
    json!({
        "machine": machine,
        "threads": threads,
        "peaks": ceilings.measured,
        "benches": benches.iter().map(row).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second_and_shares_of_the_right_peak() {
        let ceilings = Ceilings { gflops: 100.0, gigabytes: 20.0, measured: Value::Null };
        let bench = |work| Bench { name: "b".into(), median: 2e6, spread: 1e5, work };
        assert_eq!(
            line(&bench(Work::Operations(1e8)), &ceilings),
            ["b", "2.00 ms", "± 5.0 %", "50.0 GFLOP/s", "50 %"]
        );
        assert_eq!(line(&bench(Work::Bytes(2e7)), &ceilings)[3..], ["10.0 GB/s", "50 %"]);
        assert_eq!(line(&bench(Work::Unknown), &ceilings)[3..], ["–", "–"]);
    }
}
