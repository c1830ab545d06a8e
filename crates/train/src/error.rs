use std::path::PathBuf;

use striate_nn::WeightsError;
use striate_nn::checkpoint::CheckpointError;
use striate_nn::clip::NonFiniteNorm;

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
    /// The loss became infinite or not a number.
    #[error(
        "the loss is {loss} at step {step} of epoch {epoch}: try a lower learning rate, or clip the gradients"
    )]
    NonFinite {
        /// The loss.
        loss: f64,
        /// The epoch, from 1.
        epoch: u64,
        /// The step in the epoch, from 1.
        step: usize,
    },
    /// The gradients stopped being finite.
    #[error(transparent)]
    NonFiniteGradient(#[from] NonFiniteNorm),
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Weights could not be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl TrainError {
    pub(crate) fn io(file: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |source| TrainError::Io { file, action, source }
    }
}
