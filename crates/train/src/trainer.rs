//! The loop.

use std::time::Instant;

use striate_nn::optim::Optimizer;
use striate_nn::schedule::Schedule;
use striate_nn::{ParamStore, clip, observe};
use striate_tensor::{Gradients, Tensor};

use crate::callback::Callback;
use crate::error::{NonFinite, Origin, TrainError};
use crate::health::Health;
use crate::options::{NonFinitePolicy, TrainerOptions};
use crate::position::{self, BestSoFar, Position};
use crate::record::{EpochRecord, Metrics, StepRecord};

/// What a forward gives the loop.
pub struct Step {
    /// The loss to go down, one number: a mean over the batch.
    pub loss: Tensor,
    /// Samples in the batch.
    pub samples: usize,
    /// Other means over the batch, by name.
    pub metrics: Vec<(&'static str, f64)>,
}

/// A batch that is being trained on, from 1, and the random stream before it.
#[derive(Clone, Copy)]
struct Place {
    epoch: u64,
    batch: usize,
    stream: u64,
}

/// One loop for every kind of training: the batches, the loss and the evaluation are the caller's.
pub struct Trainer {
    store: ParamStore,
    optimizer: Box<dyn Optimizer>,
    options: TrainerOptions,
    schedule: Option<Box<dyn Schedule>>,
    callbacks: Vec<Box<dyn Callback>>,
    health: Health,
    carry: Option<Carry>,
}

/// What the caller carries from batch to batch.
struct Carry {
    save: Box<dyn Fn() -> Vec<Tensor>>,
    restore: Box<dyn Fn(Vec<Tensor>)>,
}

impl Trainer {
    /// A trainer of the parameters in `store` that `optimizer` steps.
    ///
    /// # Panics
    /// When `accumulate` or `evaluate_every` is 0.
    #[track_caller]
    pub fn new(store: &ParamStore, optimizer: Box<dyn Optimizer>, options: TrainerOptions) -> Self {
        assert!(options.accumulate > 0, "Trainer: a step takes at least one batch, accumulate is 0");
        assert!(options.evaluate_every > 0, "Trainer: evaluate_every is 0 epochs, at least 1 is needed");
        let store = store.clone();
        Trainer {
            store,
            optimizer,
            options,
            schedule: None,
            callbacks: Vec::new(),
            health: Health::default(),
            carry: None,
        }
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

    /// Keeps in checkpoints what a step hands to the next one beside the parameters, such as the state of a recurrent
    /// network: `save` gives it, `restore` takes it back when a run goes on within an epoch, after the epoch's batches
    /// were asked for.
    pub fn carrying(
        mut self,
        save: impl Fn() -> Vec<Tensor> + 'static,
        restore: impl Fn(Vec<Tensor>) + 'static,
    ) -> Self {
        self.carry = Some(Carry { save: Box::new(save), restore: Box::new(restore) });
        self
    }

    /// Trains, each layer in the mode that it is in: for every epoch (numbered from 0) its `batches`, for every batch
    /// the `step`, after an epoch the evaluation, which runs with the store in evaluation mode. Returns the record of
    /// all epochs.
    ///
    /// `batches` must give the same batches whenever it is asked for an epoch: then a run that was interrupted in the
    /// middle of one goes on with the same bits as if it had never stopped.
    ///
    /// # Errors
    /// When the loss or a gradient is not finite, the run was asked to [stop](crate::Stop), or a file of the run cannot
    /// be written or read.
    pub fn fit<B, I: ExactSizeIterator<Item = B>>(
        &mut self,
        batches: impl Fn(u64) -> I,
        step: impl Fn(B) -> Step,
        evaluate: impl Fn() -> Metrics,
    ) -> Result<Vec<EpochRecord>, TrainError> {
        let (mut history, mut position, mut carried) = self.start()?;
        let mut metrics = match &self.options.run {
            Some(run) => Some(run.metrics_writer(&history)?),
            None => None,
        };
        while !self.is_over(&position) {
            self.epoch(&mut position, std::mem::take(&mut carried), &batches, &step)?;
            let record = self.end_epoch(&mut position, &evaluate);
            for callback in &mut self.callbacks {
                callback.epoch(&record, self.options.epochs).map_err(TrainError::io("output", "write"))?;
            }
            let best = match &self.options.best {
                Some(best) if !record.test.is_empty() => {
                    BestSoFar::update(&mut position.best, best, &record.test)?
                }
                _ => false,
            };
            if let (Some(run), Some(metrics)) = (&self.options.run, &mut metrics) {
                metrics
                    .epoch(&record, self.options.epochs)
                    .map_err(TrainError::io("metrics.jsonl", "write"))?;
                self.save(&position)?;
                position::keep(run, position.epoch, self.options.keep, best)?;
            }
            history.push(record);
        }
        Ok(history)
    }

    /// The records of the epochs that are done, how far the run has come and what it carried: its checkpoint knows.
    fn start(&mut self) -> Result<(Vec<EpochRecord>, Position, Vec<Tensor>), TrainError> {
        let Some(run) = &self.options.run else { return Ok(Default::default()) };
        if !self.options.resume {
            position::clear(run)?;
        }
        if !run.checkpoint().exists() {
            return Ok(Default::default());
        }
        let mut history = run.read_metrics()?;
        let (position, carried) =
            position::restore(run, &self.store, &mut *self.optimizer, &self.options.config)?;
        history.retain(|record| record.epoch <= position.epoch);
        if !history.iter().map(|record| record.epoch).eq(1..=position.epoch) {
            let found = history.iter().map(|record| record.epoch).collect();
            return Err(TrainError::History { file: run.checkpoint(), epochs: position.epoch, found });
        }
        Ok((history, position, carried))
    }

    /// Whether the run has come to its end.
    fn is_over(&self, position: &Position) -> bool {
        let patience = self.options.best.as_ref().and_then(|best| best.patience);
        let waited = position.best.as_ref().map_or(0, |best| best.since);
        position.epoch >= self.options.epochs
            || self.steps_are_done(position)
            || patience.is_some_and(|patience| waited > 0 && waited >= patience)
    }

    fn steps_are_done(&self, position: &Position) -> bool {
        self.options.steps.is_some_and(|steps| position.steps >= steps)
    }

    /// The batches of an epoch that are not done yet.
    fn epoch<B, I: ExactSizeIterator<Item = B>>(
        &mut self,
        position: &mut Position,
        carried: Vec<Tensor>,
        batches: &impl Fn(u64) -> I,
        step: &impl Fn(B) -> Step,
    ) -> Result<(), TrainError> {
        let accumulate = self.options.accumulate;
        let epoch = batches(position.epoch);
        let count = epoch.len();
        if let Some(carry) = self.carry.as_ref().filter(|_| position.batch > 0) {
            (carry.restore)(carried);
        }
        let start = Instant::now();
        let before = position.seconds;
        let mut sum: Option<Gradients> = None;
        for (index, batch) in epoch.enumerate().skip(position.batch) {
            if let Some(schedule) = &self.schedule {
                self.optimizer.set_lr(schedule.lr(position.steps));
            }
            let place =
                Place { epoch: position.epoch + 1, batch: index + 1, stream: self.store.stream().position() };
            let again = || batches(position.epoch).nth(index).map(step);
            let Step { loss, samples, metrics } = step(batch);
            let value = loss.item();
            if value.is_finite() {
                let share = accumulate.min(count - index / accumulate * accumulate);
                let gradients = if share > 1 { (loss / share as f64).backward() } else { loss.backward() };
                position.mean.add([("loss", value)].into_iter().chain(metrics), samples);
                match &mut sum {
                    Some(sum) => sum.accumulate(gradients),
                    None => sum = Some(gradients),
                }
            } else {
                drop(loss);
                self.non_finite(NonFinite::Loss(value), place, again)?;
            }
            if (index + 1) % accumulate > 0 && index + 1 < count {
                continue;
            }
            if let Some(gradients) = sum.take() {
                self.update(gradients, position.steps, place, again)?;
            }
            position.steps += 1;
            position.batch = index + 1;
            position.seconds = before + start.elapsed().as_secs_f64();
            let record = StepRecord {
                epoch: position.epoch + 1,
                step: index + 1,
                steps: count,
                means: position.mean.means(),
                samples_per_second: position.mean.samples() as f64 / position.seconds,
            };
            self.callbacks.iter_mut().for_each(|callback| callback.step(&record));
            self.pause(position, index + 1 == count)?;
            if self.steps_are_done(position) {
                break;
            }
        }
        Ok(())
    }

    /// One optimiser step.
    fn update(
        &mut self,
        mut gradients: Gradients,
        steps: u64,
        place: Place,
        again: impl FnOnce() -> Option<Step>,
    ) -> Result<(), TrainError> {
        let limit = self.options.clip_norm.unwrap_or(f64::INFINITY);
        if let Err(norm) = clip::global_norm(&mut gradients, &self.store, limit) {
            return self.non_finite(NonFinite::Gradients(norm), place, again);
        }
        if let Some(health) = self.options.health.filter(|health| steps.is_multiple_of(health.every.max(1))) {
            for warning in self.health.look(&health, &self.store, &gradients) {
                self.warn(&warning);
            }
        }
        self.optimizer.step(&gradients);
        Ok(())
    }

    /// Ends the run, or warns and goes on. The batch is run `again` to find where the number came from.
    fn non_finite(
        &mut self,
        what: NonFinite,
        place: Place,
        again: impl FnOnce() -> Option<Step>,
    ) -> Result<(), TrainError> {
        let Place { epoch, batch, stream } = place;
        if self.options.non_finite == NonFinitePolicy::Skip {
            self.warn(&format!("{what} at batch {batch} of epoch {epoch}: the step is left out"));
            return Ok(());
        }
        self.store.stream().set_position(stream);
        let (_, first) = observe::first_non_finite(|| again().map(|step| step.loss.backward()));
        let origin = first.map(|(op, layer)| Origin { op, layer });
        Err(TrainError::NonFinite { what, epoch, batch, origin })
    }

    /// Between two steps: writes a checkpoint when one is due, and ends the run when that was asked for.
    fn pause(&self, position: &Position, last: bool) -> Result<(), TrainError> {
        let due =
            self.options.checkpoint_every.is_some_and(|every| position.steps.is_multiple_of(every.max(1)));
        let stop = self.options.stop.requested();
        let run = self.options.run.as_ref();
        if run.is_some() && (stop || due && !last) {
            self.save(position)?;
        }
        if !stop {
            return Ok(());
        }
        let (epoch, batch, checkpoint) =
            (position.epoch + 1, position.batch, run.map(|run| run.checkpoint()));
        Err(TrainError::Stopped { epoch, batch, checkpoint })
    }

    fn save(&self, position: &Position) -> Result<(), TrainError> {
        let Some(run) = &self.options.run else { return Ok(()) };
        let carried = self.carry.as_ref().map_or_else(Vec::new, |carry| (carry.save)());
        position::save(run, &self.store, &*self.optimizer, position, &carried, &self.options.config)
    }

    /// Closes an epoch whose batches are done.
    fn end_epoch(&self, position: &mut Position, evaluate: &impl Fn() -> Metrics) -> EpochRecord {
        position.epoch += 1;
        let last = position.epoch == self.options.epochs || self.steps_are_done(position);
        let due = last || position.epoch.is_multiple_of(self.options.evaluate_every);
        let test = if due { self.store.in_evaluation(evaluate) } else { Metrics::new() };
        let (mean, seconds) = (std::mem::take(&mut position.mean), std::mem::take(&mut position.seconds));
        position.batch = 0;
        EpochRecord {
            epoch: position.epoch,
            train: mean.means(),
            test,
            learning_rate: self.optimizer.lr(),
            seconds,
            samples_per_second: mean.samples() as f64 / seconds,
        }
    }

    fn warn(&mut self, text: &str) {
        self.callbacks.iter_mut().for_each(|callback| callback.warning(text));
    }
}
