//! The one-cycle policy.

use std::f64::consts::PI;

use super::Schedule;

/// The curve between two learning rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anneal {
    /// Half a cosine wave.
    #[default]
    Cosine,
    /// A line.
    Linear,
}

impl Anneal {
    /// From `start` at 0 to `end` at 1.
    fn between(self, start: f64, end: f64, at: f64) -> f64 {
        match self {
            Anneal::Cosine => end + (start - end) / 2.0 * (1.0 + (PI * at).cos()),
            Anneal::Linear => start + (end - start) * at,
        }
    }
}

/// Rises from η / `div_factor` to η and falls to η / (`div_factor` · `final_div_factor`), while momentum falls and rises
/// (Smith and Topin 2018). PyTorch's `OneCycleLR`.
///
/// ```
/// use striate_nn::schedule::{OneCycle, Schedule};
///
/// let schedule = OneCycle { lr: 1.0, steps: 11, ..Default::default() };
/// assert!((schedule.lr(0) - 0.04).abs() < 1e-12);
/// assert!((schedule.lr(10) - 4e-6).abs() < 1e-12);
/// assert!((schedule.momentum(0) - 0.95).abs() < 1e-12);
/// ```
#[doc(alias = "OneCycleLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// η, the largest learning rate.
    pub lr: f64,
    /// Steps of the whole cycle.
    pub steps: u64,
    /// The share of the steps in which the learning rate rises.
    pub rise: f64,
    /// The curve.
    pub anneal: Anneal,
    /// η over the first learning rate.
    pub div_factor: f64,
    /// The first learning rate over the last.
    pub final_div_factor: f64,
    /// Whether the learning rate falls to its first value in as many steps as it rose, and only then to its last.
    pub three_phase: bool,
    /// The smallest momentum, where the learning rate is largest.
    pub base_momentum: f64,
    /// The largest momentum, at the ends.
    pub max_momentum: f64,
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle {
            lr: 1e-3,
            steps: 100,
            rise: 0.3,
            anneal: Anneal::Cosine,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
            base_momentum: 0.85,
            max_momentum: 0.95,
        }
    }
}

impl OneCycle {
    /// The momentum of step `step` (Adam's β₁), for [`Fused::set_options`](crate::optim::Fused::set_options).
    pub fn momentum(&self, step: u64) -> f64 {
        let (low, high) = (self.base_momentum, self.max_momentum);
        self.at(step, [high, low, high, high])
    }

    /// The curve through `values`: at the start, at the top, at the end of the fall (three phases), at the end.
    fn at(&self, step: u64, [start, top, back, end]: [f64; 4]) -> f64 {
        let (last, rise) = (self.steps as f64 - 1.0, self.rise * self.steps as f64 - 1.0);
        let phases: &[(f64, f64, f64)] = if self.three_phase {
            &[(rise, start, top), (2.0 * rise, top, back), (last, back, end)]
        } else {
            &[(rise, start, top), (last, top, end)]
        };
        let (step, mut begin) = (step as f64, 0.0);
        for &(until, from, to) in phases {
            if step <= until {
                let at = if until > begin { (step - begin) / (until - begin) } else { 1.0 };
                return self.anneal.between(from, to, at);
            }
            begin = until;
        }
        end
    }
}

impl Schedule for OneCycle {
    fn lr(&self, step: u64) -> f64 {
        let first = self.lr / self.div_factor;
        self.at(step, [first, self.lr, first, first / self.final_div_factor])
    }
}
