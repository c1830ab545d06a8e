//! A training step in steady state asks the system for nothing large.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use striate_nn::losses::cross_entropy;
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Linear, Module, ParamStore, Sequential};
use striate_tensor::Tensor;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_warm_training_step_allocates_only_crumbs() {
    let store = ParamStore::<f32>::seeded(0);
    let root = store.root();
    let net = Sequential::new()
        .then(Linear::new(&root.sub("fc1"), 784, 512))
        .then(Tensor::relu)
        .then(Linear::new(&root.sub("fc2"), 512, 256))
        .then(Tensor::relu)
        .then(Linear::new(&root.sub("fc3"), 256, 10));
    let mut adam = Adam::new(&store, AdamOptions::default());
    let (x, labels) = (Tensor::ones(&[128, 784]), vec![3; 128]);
    let mut step = || adam.step(&cross_entropy(&net.forward(&x), &labels).backward());
    (0..5).for_each(|_| step());

    let region = Region::new(ALLOCATOR);
    let steps = 20;
    (0..steps).for_each(|_| step());
    let bytes = region.change().bytes_allocated / steps;
    // The weights alone are 2.1 MB, and a hidden layer's activations 262 kB.
    assert!(bytes < 64 << 10, "{bytes} bytes a step");
}
