//! How far a run has come, and the checkpoints that hold it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use striate_nn::ParamStore;
use striate_nn::checkpoint::{AnyArray, Arrays, Checkpoint};
use striate_nn::optim::Optimizer;
use striate_tensor::Tensor;

use crate::error::TrainError;
use crate::options::Best;
use crate::record::{Metrics, RunningMean};
use crate::run_folder::RunFolder;

/// The optimiser's section in a checkpoint.
const OPTIMIZER: &str = "optimizer";
/// Those of what the loop carries from batch to batch, and of the position, as JSON.
const CARRIED: &str = "carried";
const POSITION: &str = "position";

/// How far a run has come: with the parameters, the optimiser and the random stream, all that it needs to go on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Epochs that are done.
    pub(crate) epoch: u64,
    /// Batches that are done in the next one.
    pub(crate) batch: usize,
    /// Optimiser steps in all.
    pub(crate) steps: u64,
    /// Means over these batches.
    pub(crate) mean: RunningMean,
    /// Seconds that they took.
    pub(crate) seconds: f64,
    pub(crate) best: Option<BestSoFar>,
}

/// The best evaluation so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BestSoFar {
    value: f64,
    /// Evaluations since.
    pub(crate) since: u64,
}

impl BestSoFar {
    /// Takes one more evaluation; whether it is the best.
    pub(crate) fn update(
        so_far: &mut Option<Self>,
        best: &Best,
        metrics: &Metrics,
    ) -> Result<bool, TrainError> {
        let Some(&value) = metrics.get(&best.metric) else {
            let present = metrics.keys().cloned().collect();
            return Err(TrainError::NoMetric { metric: best.metric.clone(), present });
        };
        let better = |before: f64| if best.larger { value > before } else { value < before };
        match so_far {
            Some(before) if !better(before.value) => {
                before.since += 1;
                Ok(false)
            }
            _ => {
                *so_far = Some(BestSoFar { value, since: 0 });
                Ok(true)
            }
        }
    }
}

/// Writes `last.ckpt`.
pub(crate) fn save(
    run: &RunFolder,
    store: &ParamStore,
    optimizer: &dyn Optimizer,
    position: &Position,
    carried: &[Tensor],
    config: &str,
) -> Result<(), TrainError> {
    let mut checkpoint = Checkpoint::of(store);
    checkpoint.epoch = position.epoch;
    checkpoint.step = position.steps;
    checkpoint.config = config.to_string();
    checkpoint.push(OPTIMIZER, optimizer.state());
    let mut arrays = Arrays::new();
    carried.iter().enumerate().for_each(|(i, tensor)| arrays.push(i.to_string(), tensor.to_ndarray()));
    checkpoint.push(CARRIED, arrays);
    let mut json = Arrays::new();
    json.push("json", Array1::from(serde_json::to_vec(position).expect("plain data")));
    checkpoint.push(POSITION, json);
    Ok(checkpoint.save(run.checkpoint())?)
}

/// Keeps `last.ckpt` as that of an epoch, `keep` of them in all, and perhaps as the best one.
pub(crate) fn keep(run: &RunFolder, epoch: u64, keep: u64, best: bool) -> Result<(), TrainError> {
    if keep > 1 {
        link(&run.checkpoint(), &run.epoch_checkpoint(epoch))?;
        if let Some(old) = epoch.checked_sub(keep) {
            remove(&run.epoch_checkpoint(old))?;
        }
    }
    if best { link(&run.checkpoint(), &run.best_checkpoint()) } else { Ok(()) }
}

/// Makes `to` another name of the file `from`, which is replaced and never written to; a copy where there are no links.
fn link(from: &Path, to: &Path) -> Result<(), TrainError> {
    let new = to.with_extension("new");
    remove(&new)?;
    fs::hard_link(from, &new)
        .or_else(|_| fs::copy(from, &new).map(|_| ()))
        .and_then(|()| fs::rename(&new, to))
        .map_err(TrainError::io(to, "write"))
}

fn remove(file: &Path) -> Result<(), TrainError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TrainError::io(file, "remove")(error)),
        _ => Ok(()),
    }
}

/// Removes all checkpoints of a run.
pub(crate) fn clear(run: &RunFolder) -> Result<(), TrainError> {
    let entries = fs::read_dir(run.folder()).map_err(TrainError::io(run.folder(), "read"))?;
    let old: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    old.iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "ckpt"))
        .try_for_each(|file| remove(file))
}

/// Sets store and optimiser to what `last.ckpt` holds and says how far the run had come, and what it carried.
pub(crate) fn restore(
    run: &RunFolder,
    store: &ParamStore,
    optimizer: &mut dyn Optimizer,
    config: &str,
) -> Result<(Position, Vec<Tensor>), TrainError> {
    let file = run.checkpoint();
    let checkpoint = Checkpoint::read(&file)?;
    if checkpoint.config != config {
        let (expected, found) = differing(config, &checkpoint.config);
        return Err(TrainError::Config { file, expected, found });
    }
    let json: Vec<u8> = match checkpoint.section(POSITION)?.get("json") {
        Some(AnyArray::U8(bytes)) => bytes.iter().copied().collect(),
        _ => Vec::new(),
    };
    let position = serde_json::from_slice(&json).map_err(|source| TrainError::Position { file, source })?;
    checkpoint.restore(store, &mut [(OPTIMIZER, optimizer)])?;
    let carried = checkpoint.section(CARRIED)?.iter().map(|(_, array)| array.to_f32().into()).collect();
    Ok((position, carried))
}

/// The fields in which two configurations differ, when both are JSON objects; else all of both.
fn differing(expected: &str, found: &str) -> (String, String) {
    type Fields = serde_json::Map<String, serde_json::Value>;
    let (Ok(a), Ok(b)) = (serde_json::from_str::<Fields>(expected), serde_json::from_str::<Fields>(found))
    else {
        return (expected.to_string(), found.to_string());
    };
    let list = |own: &Fields, other: &Fields| {
        let fields = own.iter().filter(|(name, value)| other.get(*name) != Some(value));
        fields.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    };
    (list(&a, &b), list(&b, &a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_told_apart_by_their_fields() {
        let (this, other) = (r#"{"batch":7,"lr":0.1,"seed":0}"#, r#"{"batch":64,"seed":0,"size":[8,8]}"#);
        assert_eq!(differing(this, other), ("batch 7, lr 0.1".into(), "batch 64, size [8,8]".into()));
        assert_eq!(differing("batch 7", this), ("batch 7".into(), this.into()));
    }

    #[test]
    fn the_best_is_the_first_of_equals_and_never_nan() {
        let best = Best { metric: "accuracy".into(), larger: true, patience: None };
        let mut so_far = None;
        let mut update = |value| {
            let metrics = Metrics::from([("accuracy".into(), value)]);
            (BestSoFar::update(&mut so_far, &best, &metrics).unwrap(), so_far.as_ref().unwrap().since)
        };
        assert_eq!(update(0.5), (true, 0));
        assert_eq!(update(0.5), (false, 1));
        assert_eq!(update(f64::NAN), (false, 2));
        assert_eq!(update(0.6), (true, 0));
        let error = BestSoFar::update(&mut None, &best, &Metrics::new()).unwrap_err();
        assert!(error.to_string().contains("accuracy"), "{error}");
    }
}
