//! Reducing the learning rate when a metric no longer improves.

use serde::{Deserialize, Serialize};

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlateauMode {
    /// Downwards, as a loss.
    #[default]
    Min,
    /// Upwards, as an accuracy.
    Max,
}

/// What the threshold of an improvement is relative to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThresholdMode {
    /// The best value so far.
    #[default]
    Relative,
    /// Nothing: it is a difference.
    Absolute,
}

/// Options of [`ReduceOnPlateau`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauOptions {
    /// Which way the metric improves.
    pub mode: PlateauMode,
    /// What the learning rate is multiplied by.
    pub factor: f64,
    /// Observations without an improvement that are let pass.
    pub patience: u64,
    /// How much better than the best an improvement must be.
    pub threshold: f64,
    /// What the threshold is relative to.
    pub threshold_mode: ThresholdMode,
    /// Observations after a reduction in which none is counted as bad.
    pub cooldown: u64,
    /// The smallest learning rate.
    pub min_lr: f64,
    /// Reductions by less than this are left out.
    pub eps: f64,
}

impl Default for PlateauOptions {
    fn default() -> Self {
        PlateauOptions {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Relative,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }
}

/// Multiplies the learning rate by a factor when a metric has not improved for a while.
/// PyTorch's `ReduceLROnPlateau`.
///
/// All of it is serialisable, so that a run can go on where it stopped.
///
/// ```
/// use striate_nn::schedule::{PlateauOptions, ReduceOnPlateau};
///
/// let mut plateau = ReduceOnPlateau::new(PlateauOptions { patience: 1, ..Default::default() });
/// let mut lr = 1.0;
/// for loss in [0.5, 0.4, 0.4, 0.4] {
///     lr = plateau.observe(loss, lr); // then opt.set_lr(lr)
/// }
/// assert_eq!(lr, 0.1);
/// ```
#[doc(alias = "ReduceLROnPlateau")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceOnPlateau {
    options: PlateauOptions,
    best: Option<f64>,
    bad: u64,
    cooling: u64,
}

impl ReduceOnPlateau {
    /// Nothing observed yet.
    pub fn new(options: PlateauOptions) -> Self {
        ReduceOnPlateau { options, best: None, bad: 0, cooling: 0 }
    }

    /// The best value so far.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// The learning rate to go on with, given the metric's next value and the learning rate so far.
    ///
    /// A value that is no number is no improvement.
    pub fn observe(&mut self, metric: f64, lr: f64) -> f64 {
        let options = &self.options;
        if self.improves(metric) {
            self.best = Some(metric);
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.bad = 0;
        }
        if self.bad <= options.patience {
            return lr;
        }
        self.cooling = options.cooldown;
        self.bad = 0;
        let reduced = (lr * options.factor).max(options.min_lr);
        if lr - reduced > options.eps { reduced } else { lr }
    }

    fn improves(&self, metric: f64) -> bool {
        let PlateauOptions { mode, threshold, threshold_mode, .. } = self.options;
        let Some(best) = self.best else { return !metric.is_nan() };
        match (mode, threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Relative) => metric < best * (1.0 - threshold),
            (PlateauMode::Min, ThresholdMode::Absolute) => metric < best - threshold,
            (PlateauMode::Max, ThresholdMode::Relative) => metric > best * (1.0 + threshold),
            (PlateauMode::Max, ThresholdMode::Absolute) => metric > best + threshold,
        }
    }
}
