//! The machine and the day of a measurement.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Processor, cores, vector instructions, compiler, date, and the load before the measurement (where Linux tells it).
pub(crate) fn describe() -> Value {
    json!({
        "cpu": cpu(),
        "cores": std::thread::available_parallelism().map_or(1, |n| n.get()),
        "isa": isa(),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "rustc": first_line(Command::new("rustc").arg("--version")),
        "load": load(),
        "date": date(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())),
    })
}

/// One line for the head of a report.
pub(crate) fn line(machine: &Value, threads: usize) -> String {
    let text = |key: &str| machine[key].as_str().unwrap_or_default().to_owned();
    format!(
        "{}: {} ({}, {} cores, {}), {threads} threads, {}",
        text("date"),
        text("cpu"),
        text("isa"),
        machine["cores"],
        text("system"),
        text("rustc")
    )
}

/// How many threads of all programs wanted to run in the last minute, on average.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Says so when other programs keep the machine busy: then no time is evidence.
pub(crate) fn warn_when_busy(machine: &Value) {
    if let (Some(load), Some(cores)) = (machine["load"].as_f64(), machine["cores"].as_f64())
        && load > 0.3 * cores
    {
        eprintln!(
            "warning: other programs are at work (load {load} on {cores} cores); these times are no evidence"
        );
    }
}

fn cpu() -> String {
    let linux = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        linux.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1.to_owned()));
    model
        .or_else(|| first_line(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"])))
        .unwrap_or_else(|| "unknown processor".into())
}

#[cfg(target_arch = "x86_64")]
fn isa() -> String {
    let found = [
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("AVX-512", is_x86_feature_detected!("avx512f")),
    ];
    let names: Vec<&str> = found.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    if names.is_empty() { "x86-64".into() } else { names.join(" ") }
}

#[cfg(not(target_arch = "x86_64"))]
fn isa() -> String {
    std::env::consts::ARCH.into()
}

fn first_line(program: &mut Command) -> Option<String> {
    let output = program.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

/// The day (UTC) of a number of seconds since 1970, as YYYY-MM-DD.
fn date(seconds: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut day, mut year) = (seconds / 86_400, 1970);
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_know_leap_years() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(1_709_251_199), "2024-02-29");
        assert_eq!(date(1_767_225_599), "2025-12-31");
    }
}
