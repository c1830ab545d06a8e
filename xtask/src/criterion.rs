//! The results that criterion leaves in its folder.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::Result;

/// What a bench says it does in one iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    /// Floating-point operations (criterion's `Throughput::Elements`).
    Operations(f64),
    /// Bytes read and written (criterion's `Throughput::Bytes`).
    Bytes(f64),
    /// Nothing said.
    Unknown,
}

/// One bench's result.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) name: String,
    /// Nanoseconds of an iteration.
    pub(crate) median: f64,
    /// The median absolute deviation of the samples, scaled to a standard deviation, in nanoseconds.
    pub(crate) spread: f64,
    pub(crate) work: Work,
}

/// The results in criterion's `folder` that are not older than `since`, by name.
pub(crate) fn results(folder: &Path, since: SystemTime) -> Result<Vec<Bench>> {
    let mut found = Vec::new();
    collect(folder, since, &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn collect(folder: &Path, since: SystemTime, found: &mut Vec<Bench>) -> Result {
    for entry in fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))? {
        let path = entry?.path();
        let estimates = path.join("estimates.json");
        if path.ends_with("new") && estimates.is_file() {
            if fs::metadata(&estimates)?.modified()? >= since {
                found.push(parse(&read(&path.join("benchmark.json"))?, &read(&estimates)?));
            }
        } else if path.is_dir() {
            collect(&path, since, found)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{} is no JSON: {e}", path.display()).into())
}

fn parse(benchmark: &Value, estimates: &Value) -> Bench {
    let number = |key: &str| benchmark["throughput"][key].as_f64();
    let work = match (number("Elements"), number("Bytes")) {
        (Some(operations), _) => Work::Operations(operations),
        (None, Some(bytes)) => Work::Bytes(bytes),
        (None, None) => Work::Unknown,
    };
    let estimate = |key: &str| estimates[key]["point_estimate"].as_f64().unwrap_or(f64::NAN);
    Bench {
        name: benchmark["full_id"].as_str().unwrap_or("?").to_owned(),
        median: estimate("median"),
        spread: estimate("median_abs_dev"),
        work,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_is_read_from_its_two_files() {
        let folder = std::env::temp_dir().join(format!("striate-xtask-{}", std::process::id()));
        let new = folder.join("matmul/256/new");
        fs::create_dir_all(&new).unwrap();
        let benchmark = json!({"full_id": "matmul/256", "throughput": {"Elements": 1000}});
        let estimates =
            json!({"median": {"point_estimate": 50.0}, "median_abs_dev": {"point_estimate": 2.0}});
        fs::write(new.join("benchmark.json"), benchmark.to_string()).unwrap();
        fs::write(new.join("estimates.json"), estimates.to_string()).unwrap();
        let found = results(&folder, SystemTime::UNIX_EPOCH).unwrap();
        let later = results(&folder, SystemTime::now() + std::time::Duration::from_secs(60)).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((found.len(), later.len()), (1, 0));
        assert_eq!((found[0].name.as_str(), found[0].median, found[0].spread), ("matmul/256", 50.0, 2.0));
        assert_eq!(found[0].work, Work::Operations(1000.0));
    }
}
