//! The loop.

use std::fs;
use std::time::Instant;

use striate_nn::checkpoint::Checkpoint;
use striate_nn::optim::Optimizer;
use striate_nn::schedule::Schedule;
use striate_nn::{ParamStore, clip};
use striate_tensor::Tensor;

use crate::callback::Callback;
use crate::error::TrainError;
use crate::record::{EpochRecord, Metrics, RunningMean, StepRecord};
use crate::run_folder::RunFolder;

/// What a forward gives the loop.
pub struct Step {
    /// The loss to go down, one number: a mean over the batch.
    pub loss: Tensor,
    /// Samples in the batch.
    pub samples: usize,
    /// Other means over the batch, by name.
    pub metrics: Vec<(&'static str, f64)>,
}

/// Options of a [`Trainer`].
#[derive(Clone, Debug, Default)]
pub struct TrainerOptions {
    /// Epochs in all, those before a resume included.
    pub epochs: u64,
    /// Largest norm of all gradients together; not clipped when `None`.
    pub clip_norm: Option<f64>,
    /// Where metrics and a checkpoint after every epoch go; nowhere when `None`.
    pub run: Option<RunFolder>,
    /// Go on from the run folder's checkpoint, when there is one; otherwise an old one is removed.
    pub resume: bool,
    /// What must be the same when a run goes on, such as the data and the network as JSON: kept in the checkpoint.
    pub config: String,
}

/// The optimiser's section in a checkpoint.
const OPTIMIZER: &str = "optimizer";

/// One loop for every kind of training: the batches, the loss and the evaluation are the caller's.
pub struct Trainer {
    store: ParamStore,
    optimizer: Box<dyn Optimizer>,
    options: TrainerOptions,
    schedule: Option<Box<dyn Schedule>>,
    callbacks: Vec<Box<dyn Callback>>,
}

impl Trainer {
    /// A trainer of the parameters in `store` that `optimizer` steps.
    pub fn new(store: &ParamStore, optimizer: Box<dyn Optimizer>, options: TrainerOptions) -> Self {
        Trainer { store: store.clone(), optimizer, options, schedule: None, callbacks: Vec::new() }
    }

    /// Adds a callback.
    pub fn callback(mut self, callback: impl Callback + 'static) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Sets the learning rate of every step, counted from 0 over all epochs.
    pub fn schedule(mut self, schedule: impl Schedule + 'static) -> Self {
        self.schedule = Some(Box::new(schedule));
        self
    }

    /// Trains, each layer in the mode that it is in: for every epoch (numbered from 0) its `batches`, for every batch the `step`, after every epoch the
    /// evaluation, which runs with the store in evaluation mode. Returns the record of all epochs.
    ///
    /// # Errors
    /// When the loss stops being finite, or a file of the run cannot be written or read.
    pub fn fit<B, I: ExactSizeIterator<Item = B>>(
        &mut self,
        batches: impl Fn(u64) -> I,
        step: impl Fn(B) -> Step,
        evaluate: impl Fn() -> Metrics,
    ) -> Result<Vec<EpochRecord>, TrainError> {
        let mut history = self.resume()?;
        let mut metrics = match &self.options.run {
            Some(run) => Some(run.metrics_writer(&history)?),
            None => None,
        };
        for epoch in history.len() as u64..self.options.epochs {
            let record = self.epoch(epoch, batches(epoch), &step, &evaluate)?;
            for callback in &mut self.callbacks {
                callback.epoch(&record, self.options.epochs).map_err(TrainError::io("output", "write"))?;
            }
            if let (Some(run), Some(metrics)) = (&self.options.run, &mut metrics) {
                metrics
                    .epoch(&record, self.options.epochs)
                    .map_err(TrainError::io("metrics.jsonl", "write"))?;
                let mut checkpoint = Checkpoint::of(&self.store);
                checkpoint.epoch = epoch + 1;
                checkpoint.config = self.options.config.clone();
                checkpoint.push(OPTIMIZER, self.optimizer.state());
                checkpoint.save(run.checkpoint())?;
            }
            history.push(record);
        }
        Ok(history)
    }

    /// The records of the epochs that are done: the checkpoint says how many.
    fn resume(&mut self) -> Result<Vec<EpochRecord>, TrainError> {
        let Some(run) = &self.options.run else { return Ok(Vec::new()) };
        let file = run.checkpoint();
        if !file.exists() {
            return Ok(Vec::new());
        }
        if !self.options.resume {
            fs::remove_file(&file).map_err(TrainError::io(&file, "remove"))?;
            return Ok(Vec::new());
        }
        let checkpoint = Checkpoint::read(&file)?;
        if checkpoint.config != self.options.config {
            let (expected, found) = differing(&self.options.config, &checkpoint.config);
            return Err(TrainError::Config { file, expected, found });
        }
        let mut history = run.read_metrics()?;
        history.retain(|record| record.epoch <= checkpoint.epoch);
        if !history.iter().map(|record| record.epoch).eq(1..=checkpoint.epoch) {
            let found = history.iter().map(|record| record.epoch).collect();
            return Err(TrainError::History { file, epochs: checkpoint.epoch, found });
        }
        checkpoint.restore(&self.store, &mut [(OPTIMIZER, &mut *self.optimizer)])?;
        Ok(history)
    }

    fn epoch<B, I: ExactSizeIterator<Item = B>>(
        &mut self,
        epoch: u64,
        batches: I,
        step: &impl Fn(B) -> Step,
        evaluate: &impl Fn() -> Metrics,
    ) -> Result<EpochRecord, TrainError> {
        let steps = batches.len();
        let start = Instant::now();
        let mut mean = RunningMean::default();
        for (index, batch) in batches.enumerate() {
            if let Some(schedule) = &self.schedule {
                self.optimizer.set_lr(schedule.lr(epoch * steps as u64 + index as u64));
            }
            let Step { loss, samples, metrics } = step(batch);
            let value = loss.item();
            if !value.is_finite() {
                return Err(TrainError::NonFinite { loss: value, epoch: epoch + 1, step: index + 1 });
            }
            let mut gradients = loss.backward();
            if let Some(limit) = self.options.clip_norm {
                clip::global_norm(&mut gradients, &self.store, limit)?;
            }
            self.optimizer.step(&gradients);
            mean.add([("loss", value)].into_iter().chain(metrics), samples);
            let step = StepRecord {
                epoch: epoch + 1,
                step: index + 1,
                steps,
                means: mean.means(),
                samples_per_second: mean.samples() as f64 / start.elapsed().as_secs_f64(),
            };
            self.callbacks.iter_mut().for_each(|callback| callback.step(&step));
        }
        let seconds = start.elapsed().as_secs_f64();
        Ok(EpochRecord {
            epoch: epoch + 1,
            train: mean.means(),
            test: self.store.in_evaluation(evaluate),
            learning_rate: self.optimizer.lr(),
            seconds,
            samples_per_second: mean.samples() as f64 / seconds,
        })
    }
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
    use super::differing;

    #[test]
    fn configurations_are_told_apart_by_their_fields() {
        let (this, other) = (r#"{"batch":7,"lr":0.1,"seed":0}"#, r#"{"batch":64,"seed":0,"size":[8,8]}"#);
        assert_eq!(differing(this, other), ("batch 7, lr 0.1".into(), "batch 64, size [8,8]".into()));
        assert_eq!(differing("batch 7", this), ("batch 7".into(), this.into()));
    }
}
