//! What is known of a step and of an epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// Figures by name, such as `loss` and `accuracy`.
pub type Metrics = BTreeMap<String, f64>;

/// A mean over samples that arrive in batches.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunningMean {
    #[serde(deserialize_with = "with_missing")]
    sums: Metrics,
    samples: usize,
}

impl RunningMean {
    /// Adds the means over a batch of `samples`.
    pub fn add<'a>(&mut self, means: impl IntoIterator<Item = (&'a str, f64)>, samples: usize) {
        self.samples += samples;
        for (name, mean) in means {
            *self.sums.entry(name.to_string()).or_default() += mean * samples as f64;
        }
    }

    /// Samples so far.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The means over all samples so far.
    pub fn means(&self) -> Metrics {
        let count = self.samples.max(1) as f64;
        self.sums.iter().map(|(name, sum)| (name.clone(), sum / count)).collect()
    }
}

/// One optimiser step, as callbacks see it.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The step in the epoch, from 1.
    pub step: usize,
    /// Steps in the epoch.
    pub steps: usize,
    /// Means over the epoch so far.
    pub means: Metrics,
    /// Samples per second over the epoch so far.
    pub samples_per_second: f64,
}

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Means over the training samples as the model met them.
    #[serde(deserialize_with = "with_missing")]
    pub train: Metrics,
    /// The evaluation after the epoch.
    #[serde(deserialize_with = "with_missing")]
    pub test: Metrics,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// Wall time of the epoch's training, evaluation left out.
    pub seconds: f64,
    /// Training samples per second.
    pub samples_per_second: f64,
}

/// JSON has no number for NaN and infinities: they are written as null, and read as NaN.
fn with_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metrics, D::Error> {
    let metrics = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
    Ok(metrics.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}
