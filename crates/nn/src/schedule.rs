//! Learning rates over time: pure functions of the step.
//!
//! A [`Schedule`] gives the learning rate of step 0, 1, 2, …; what a step is (a batch, an epoch) is the caller's
//! choice. Any function of the step is a schedule. [`ReduceOnPlateau`] alone has a memory, since it follows a metric.
//!
//! ```
//! use striate_nn::schedule::{Cosine, Schedule, Warmup};
//!
//! let schedule = Warmup {
//!     steps: 10,
//!     start_factor: 0.1,
//!     then: Cosine { lr: 1.0, steps: 100, ..Default::default() },
//! };
//! assert_eq!(schedule.lr(0), 0.1);
//! assert_eq!(schedule.lr(10), 1.0);
//! assert!((schedule.lr(60) - 0.5).abs() < 1e-12);
//! ```

use std::f64::consts::PI;

mod one_cycle;
mod plateau;

pub use one_cycle::{Anneal, OneCycle};
pub use plateau::{PlateauMode, PlateauOptions, ReduceOnPlateau, ThresholdMode};

/// The learning rate as a function of the step.
pub trait Schedule: Send + Sync {
    /// The learning rate of step `step`, counted from 0.
    fn lr(&self, step: u64) -> f64;
}

impl<F: Fn(u64) -> f64 + Send + Sync> Schedule for F {
    fn lr(&self, step: u64) -> f64 {
        self(step)
    }
}

/// The same learning rate always. PyTorch: no scheduler, or `ConstantLR`.
#[doc(alias = "ConstantLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    /// The learning rate.
    pub lr: f64,
}

impl Schedule for Constant {
    fn lr(&self, _step: u64) -> f64 {
        self.lr
    }
}

/// η γ^⌊t / s⌋: falls by a factor every s steps. PyTorch's `StepLR`.
#[doc(alias = "StepLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// η, the first learning rate.
    pub lr: f64,
    /// s, steps between two falls, at least 1.
    pub every: u64,
    /// γ, the factor of each fall.
    pub gamma: f64,
}

impl Default for Step {
    fn default() -> Self {
        Step { lr: 1e-3, every: 30, gamma: 0.1 }
    }
}

impl Schedule for Step {
    fn lr(&self, step: u64) -> f64 {
        self.lr * self.gamma.powf((step / self.every.max(1)) as f64)
    }
}

/// η γⁿ for n milestones up to step t. PyTorch's `MultiStepLR`.
#[doc(alias = "MultiStepLR")]
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStep {
    /// η, the first learning rate.
    pub lr: f64,
    /// The steps in which the learning rate falls, in any order.
    pub milestones: Vec<u64>,
    /// γ, the factor of each fall.
    pub gamma: f64,
}

impl Default for MultiStep {
    fn default() -> Self {
        MultiStep { lr: 1e-3, milestones: Vec::new(), gamma: 0.1 }
    }
}

impl Schedule for MultiStep {
    fn lr(&self, step: u64) -> f64 {
        let passed = self.milestones.iter().filter(|&&milestone| milestone <= step).count();
        self.lr * self.gamma.powf(passed as f64)
    }
}

/// η γᵗ. PyTorch's `ExponentialLR`.
#[doc(alias = "ExponentialLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    /// η, the first learning rate.
    pub lr: f64,
    /// γ, the factor of each step.
    pub gamma: f64,
}

impl Schedule for Exponential {
    fn lr(&self, step: u64) -> f64 {
        self.lr * self.gamma.powf(step as f64)
    }
}

/// η_min + (η − η_min) (1 + cos(π t / T)) / 2 (Loshchilov and Hutter 2017). PyTorch's `CosineAnnealingLR`.
///
/// Past step T it stays at η_min (PyTorch's rises again), unless it restarts: then cycles of T, kT, k²T, … steps follow
/// each other. PyTorch's `CosineAnnealingWarmRestarts`.
#[doc(alias = "CosineAnnealingLR")]
#[doc(alias = "CosineAnnealingWarmRestarts")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// η, the largest learning rate, in step 0.
    pub lr: f64,
    /// η_min, the smallest learning rate.
    pub min_lr: f64,
    /// T, steps until it is reached: of the first cycle, at least 1.
    pub steps: u64,
    /// k, each cycle's length over that of the one before, at least 1; `None` for a single cycle.
    pub restarts: Option<u64>,
}

impl Default for Cosine {
    fn default() -> Self {
        Cosine { lr: 1e-3, min_lr: 0.0, steps: 100, restarts: None }
    }
}

impl Schedule for Cosine {
    fn lr(&self, step: u64) -> f64 {
        let (mut t, mut cycle) = (step, self.steps.max(1));
        match self.restarts {
            None => t = t.min(cycle),
            Some(0 | 1) => t %= cycle,
            Some(factor) => {
                while t >= cycle {
                    t -= cycle;
                    cycle = cycle.saturating_mul(factor);
                }
            }
        }
        self.min_lr + (self.lr - self.min_lr) * (1.0 + (PI * t as f64 / cycle as f64).cos()) / 2.0
    }
}

/// Rises linearly for some steps to where another schedule starts, and goes on with that.
/// PyTorch's `LinearLR` before another in `SequentialLR`.
#[doc(alias = "LinearLR")]
#[doc(alias = "SequentialLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup<S> {
    /// Steps of the rise.
    pub steps: u64,
    /// The share of the full learning rate in step 0.
    pub start_factor: f64,
    /// What follows; its step 0 comes after the rise.
    pub then: S,
}

impl<S: Schedule> Schedule for Warmup<S> {
    fn lr(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.then.lr(step - self.steps);
        }
        let share = step as f64 / self.steps as f64;
        self.then.lr(0) * (self.start_factor + (1.0 - self.start_factor) * share)
    }
}
