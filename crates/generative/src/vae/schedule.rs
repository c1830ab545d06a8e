//! Weights and capacities over time: pure functions of the step.

/// A straight line from one number to another, which stays there: KL annealing (Bowman et al. 2016) with β from 0 to 1,
/// or a capacity that grows.
///
/// ```
/// use striate_generative::Ramp;
///
/// let beta = Ramp { start: 0.0, end: 1.0, steps: 100 };
/// assert_eq!([0, 50, 100, 500].map(|step| beta.at(step)), [0.0, 0.5, 1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// The number at step 0.
    pub start: f64,
    /// The number from step `steps` on.
    pub end: f64,
    /// Steps of the way; with 0 it is at the end from the first step on.
    pub steps: u64,
}

impl Ramp {
    /// The number at a step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.end;
        }
        self.start + (self.end - self.start) * step as f64 / self.steps as f64
    }
}

/// A [`Ramp`] that starts again after each period: cyclical annealing (Fu et al. 2019).
///
/// ```
/// use striate_generative::{Cycle, Ramp};
///
/// let beta = Cycle { ramp: Ramp { start: 0.0, end: 1.0, steps: 50 }, period: 100 };
/// assert_eq!([25, 75, 125].map(|step| beta.at(step)), [0.5, 1.0, 0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// What happens in each period.
    pub ramp: Ramp,
    /// Steps of a period, at least 1.
    pub period: u64,
}

impl Cycle {
    /// The number at a step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        self.ramp.at(step % self.period.max(1))
    }
}
