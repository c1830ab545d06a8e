//! One step of an optimiser on the parameters of an MLP 784-512-256-10, 535,818 numbers; throughput counts bytes read
//! and written: parameter and state twice, gradient once.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use striate_compute::par;
use striate_nn::optim::{Adam, AdamOptions, AdamW, AdamWOptions, Fused, Rule, Sgd, SgdOptions};
use striate_nn::{Linear, Module, ParamStore, Sequential};
use striate_tensor::{Gradients, Tensor};

fn mlp() -> (ParamStore, Gradients) {
    let store = ParamStore::seeded(0);
    let root = store.root();
    let net = Sequential::new()
        .then(Linear::new(&root.sub("fc1"), 784, 512))
        .then(Tensor::relu)
        .then(Linear::new(&root.sub("fc2"), 512, 256))
        .then(Tensor::relu)
        .then(Linear::new(&root.sub("fc3"), 256, 10));
    let gradients = net.forward(&Tensor::ones(&[2, 784])).sum().backward();
    (store, gradients)
}

/// A thousand parameters of 16 numbers: the cost of a parameter itself.
fn many() -> (ParamStore, Gradients) {
    let store = ParamStore::seeded(0);
    let layers: Vec<_> = (0..1000)
        .map(|i| store.root().parameter(&i.to_string(), &[16], striate_nn::Init::fan_in(16)))
        .collect();
    let loss = layers.iter().map(|w| (w * w).sum()).reduce(|a, b| a + b).expect("a thousand");
    (store, loss.backward())
}

fn optimizers(c: &mut Criterion) {
    step(c, "mlp", mlp());
    step(c, "1000x16", many());
}

fn step(c: &mut Criterion, name: &str, (store, gradients): (ParamStore, Gradients)) {
    let adam = Adam::new(&store, AdamOptions::default());
    let adamw = AdamW::new(&store, AdamWOptions::default());
    let sgd = Sgd::new(&store, SgdOptions::default());
    let momentum = Sgd::new(&store, SgdOptions { momentum: 0.9, ..Default::default() });
    bench(c, name, "adam", 7, &store, &gradients, adam);
    bench(c, name, "adamw", 7, &store, &gradients, adamw);
    bench(c, name, "sgd", 3, &store, &gradients, sgd);
    bench(c, name, "sgd momentum", 5, &store, &gradients, momentum);
}

fn bench<R: Rule>(
    c: &mut Criterion,
    model: &str,
    name: &str,
    arrays: usize,
    store: &ParamStore,
    gradients: &Gradients,
    mut opt: Fused<R>,
) {
    let mut group = c.benchmark_group(format!("step {model}"));
    group.throughput(Throughput::Bytes((arrays * store.parameters().count() * size_of::<f32>()) as u64));
    group.bench_function(name, |b| par::install(|| b.iter(|| opt.step(gradients))));
    group.finish();
}

criterion_group!(benches, optimizers);
criterion_main!(benches);
