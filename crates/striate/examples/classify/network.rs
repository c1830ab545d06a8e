//! What a network is trained by and measured by, and where its weights come from.

use std::cell::Cell;
use std::path::Path;

use striate::datasets::{Batch, Dataset, Labelled};
use striate::nn::losses::cross_entropy;
use striate::nn::{ParamStore, WeightsError};
use striate::tensor::no_grad;
use striate::train::classification::top_k;
use striate::train::{Metrics, RunningMean, Step};
use striate::vision::{ImageNetwork, classifier_head};

use crate::program::Outcome;

/// Pictures at a time in evaluation.
pub(crate) const BATCH: usize = 128;

/// Cross-entropy of a batch, with that of auxiliary heads where the network has them, and the accuracy.
pub(crate) fn step(net: &dyn ImageNetwork, Batch { images, labels }: &Batch) -> Step {
    let right = Cell::new(None);
    let loss = net.loss(&images.view().into(), &|logits| {
        // The network's own logits come before those of its auxiliary heads.
        right.set(right.get().or_else(|| Some(top_k(logits, labels, 1))));
        cross_entropy(logits, labels)
    });
    let accuracy = right.get().unwrap_or(0) as f64 / labels.len() as f64;
    Step { loss, samples: labels.len(), metrics: vec![("accuracy", accuracy)] }
}

/// Loss, top-1 and top-5 on pictures.
pub(crate) fn measure(net: &dyn ImageNetwork, data: &Labelled) -> Metrics {
    let mut mean = RunningMean::default();
    no_grad(|| {
        for Batch { images, labels } in data.batches(BATCH) {
            let logits = net.forward(&images.into());
            let share = |k| top_k(&logits, &labels, k) as f64 / labels.len() as f64;
            let loss = cross_entropy(&logits, &labels).item();
            mean.add([("loss", loss), ("accuracy", share(1)), ("top5", share(5))], labels.len());
        }
    });
    mean.means()
}

/// Loads all weights, or all but the head when that is for other classes; says which.
pub(crate) fn load(store: &ParamStore, network: &str, file: &Path) -> Outcome<&'static str> {
    match store.load(file) {
        Ok(()) => Ok("all weights from the file"),
        Err(WeightsError::Mismatch { .. }) => {
            let loaded = store.load_except(file, classifier_head(network)?);
            loaded.map_err(|error| format!("{network}: {error}"))?;
            Ok("weights from the file, with a new head")
        }
        Err(error) => Err(error.into()),
    }
}
