use std::path::{Path, PathBuf};

use striate_nn::WeightsError;
use striate_nn::checkpoint::CheckpointError;
use striate_nn::clip::NonFiniteNorm;
use striate_tensor::watch;

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A file of the run could not be written or read.
    #[error("{file}: cannot {action}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a metrics file is not a record.
    #[error("{file}, line {line}: expected the record of an epoch as JSON: {source}")]
    Record {
        /// The file.
        file: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A checkpoint does not say how far its run had come.
    #[error("{}: section position: expected the position of a run as JSON: {source}", file.display())]
    Position {
        /// The checkpoint.
        file: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The run to go on from was another one.
    #[error("{}: belongs to another run: it has {found}, this run is {expected}; use the same options, or another folder", file.display())]
    Config {
        /// The checkpoint.
        file: PathBuf,
        /// The configuration of this run, as far as it differs.
        expected: String,
        /// That of the checkpoint, as far as it differs.
        found: String,
    },
    /// The records of a run do not go with its checkpoint.
    #[error("{}: {epochs} epochs are done, but metrics.jsonl has those numbered {found:?}; start the run anew", file.display())]
    History {
        /// The checkpoint.
        file: PathBuf,
        /// Epochs that it says are done.
        epochs: u64,
        /// Epochs that have a record.
        found: Vec<u64>,
    },
    /// A picture could not be drawn or written.
    #[error("{file}: cannot draw: {reason}")]
    Figure {
        /// The file.
        file: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The loss or a gradient became infinite or not a number.
    #[error("{what} at batch {batch} of epoch {epoch}{}: try a lower learning rate, or clip the gradients", at(origin.as_ref()))]
    NonFinite {
        /// The loss or the gradients.
        what: NonFinite,
        /// The epoch, from 1.
        epoch: u64,
        /// The batch in the epoch, from 1.
        batch: usize,
        /// Where the number came from, when the batch run again shows it.
        origin: Option<Origin>,
    },
    /// The run was asked to stop.
    #[error("stopped after batch {batch} of epoch {epoch}; {}", on(checkpoint.as_deref()))]
    Stopped {
        /// The epoch, from 1.
        epoch: u64,
        /// Batches of the epoch that are done.
        batch: usize,
        /// What the run can go on from.
        checkpoint: Option<PathBuf>,
    },
    /// The evaluation has no such metric.
    #[error("the best epoch is to be that of {metric}, but the evaluation gives {}", present.join(", "))]
    NoMetric {
        /// What was asked for.
        metric: String,
        /// What there is.
        present: Vec<String>,
    },
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Weights could not be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// What is not finite.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NonFinite {
    /// The loss.
    #[error("the loss is {0}")]
    Loss(f64),
    /// The gradients, though the loss is finite.
    #[error(transparent)]
    Gradients(NonFiniteNorm),
}

/// The operation and the layer that first gave out a number that is not finite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The operation.
    pub op: watch::NonFinite,
    /// The layer that it is in or before; none after the last layer, as in a loss.
    pub layer: Option<String>,
}

fn at(origin: Option<&Origin>) -> String {
    origin.map_or_else(String::new, |Origin { op, layer }| {
        let layer = layer
            .as_ref()
            .map_or_else(|| "after the last layer".into(), |layer| format!("in or before layer {layer}"));
        format!(" (first in {op}, {layer})")
    })
}

fn on(checkpoint: Option<&Path>) -> String {
    checkpoint.map_or_else(|| "nothing was kept".into(), |file| format!("{} holds all of it", file.display()))
}

impl TrainError {
    pub(crate) fn io(file: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |source| TrainError::Io { file, action, source }
    }
}
