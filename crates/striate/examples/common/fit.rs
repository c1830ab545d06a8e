//! A training loop for models that a program trains by the dozen.

use striate::datasets::{Batch, Dataset, Labelled};
use striate::nn::ParamStore;
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::{Cosine, Schedule};
use striate::tensor::Tensor;

/// How long a model is trained, and in which order it meets the pictures.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) epochs: u64,
    pub(crate) batch: usize,
    /// First learning rate of Adam; it falls to zero along half a cosine.
    pub(crate) lr: f64,
    pub(crate) seed: u64,
}

/// Minimises the loss of pictures.
pub(crate) fn fit(store: &ParamStore, data: &Labelled, plan: Plan, mut loss: impl FnMut(&Tensor) -> Tensor) {
    let batches = || data.batches(plan.batch).seeded(plan.seed);
    let schedule = Cosine { lr: plan.lr, steps: plan.epochs * batches().len() as u64, ..Default::default() };
    let mut adam = Adam::new(store, AdamOptions::default());
    let all = (0..plan.epochs).flat_map(|epoch| batches().shuffled(epoch));
    for (step, Batch { images, .. }) in (0..).zip(all) {
        adam.set_lr(schedule.lr(step));
        adam.step(&loss(&images.into()).backward());
    }
}
