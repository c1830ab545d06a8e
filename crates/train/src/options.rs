//! What a run is to do.

use crate::health::HealthOptions;
use crate::run_folder::RunFolder;
use crate::stop::Stop;

/// Options of a [`Trainer`](crate::Trainer).
#[derive(Clone, Debug)]
pub struct TrainerOptions {
    /// Epochs in all, those before a resume included.
    pub epochs: u64,
    /// Optimiser steps in all, if they end the run before its epochs do.
    pub steps: Option<u64>,
    /// Batches of a step: it takes the mean of their gradients.
    pub accumulate: usize,
    /// Largest norm of all gradients together; not clipped when `None`.
    pub clip_norm: Option<f64>,
    /// What to do about a loss or a gradient that is not finite.
    pub non_finite: NonFinitePolicy,
    /// What to warn of.
    pub health: Option<HealthOptions>,
    /// Epochs from one evaluation to the next; the last epoch is evaluated in any case.
    pub evaluate_every: u64,
    /// Which epoch is the best one, and how long to wait for a better one.
    pub best: Option<Best>,
    /// Where metrics and a checkpoint after every epoch go; nowhere when `None`.
    pub run: Option<RunFolder>,
    /// Steps from one checkpoint to the next within an epoch; none when `None`.
    pub checkpoint_every: Option<u64>,
    /// Epochs whose checkpoints are kept, the last one and those before it.
    pub keep: u64,
    /// Go on from the run folder's checkpoint, when there is one; otherwise old ones are removed.
    pub resume: bool,
    /// What must be the same when a run goes on, such as the data and the network as JSON: kept in the checkpoint.
    pub config: String,
    /// Ends the run after the step that it is in.
    pub stop: Stop,
}

impl Default for TrainerOptions {
    fn default() -> Self {
        TrainerOptions {
            epochs: 0,
            steps: None,
            accumulate: 1,
            clip_norm: None,
            non_finite: NonFinitePolicy::default(),
            health: Some(HealthOptions::default()),
            evaluate_every: 1,
            best: None,
            run: None,
            checkpoint_every: None,
            keep: 1,
            resume: false,
            config: String::new(),
            stop: Stop::default(),
        }
    }
}

/// What to do about a loss or a gradient that is not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonFinitePolicy {
    /// End the run with an error that names the first operation and layer that gave out such a number.
    #[default]
    Stop,
    /// Warn, and leave the step out.
    Skip,
}

/// The best epoch of a run: its checkpoint is kept as `best.ckpt`.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The metric of the evaluation that is compared.
    pub metric: String,
    /// Whether larger is better, as for an accuracy.
    pub larger: bool,
    /// Evaluations in a row without a better one after which the run ends early; never when `None`.
    pub patience: Option<u64>,
}

impl Default for Best {
    /// The smallest loss, without an early end.
    fn default() -> Self {
        Best { metric: "loss".into(), larger: false, patience: None }
    }
}
