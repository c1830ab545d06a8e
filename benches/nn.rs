//! Elementwise operations on 4 Mi elements, softmax cross-entropy, and training steps of a multi-layer perceptron:
//! forward and backward apart. Throughput is bytes read and written, or floating-point operations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use striate_compute::par;
use striate_compute::rng::Rng;
use striate_nn::losses::cross_entropy;
use striate_nn::models::mlp::Mlp;
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Module, ParamStore};
use striate_tensor::{GradOptions, Tensor, no_grad};

const ELEMENTS: usize = 1 << 22;
const F32: u64 = 4;

/// Numbers in −2..2 that are no ramp.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut values = vec![0.0; shape.iter().product()];
    Rng::new(seed).fill_uniform(&mut values, -2.0, 2.0);
    Tensor::from_vec(shape, values) + 0.0
}

/// The time of `iterations` backward passes, each over a tape that `forward` records untimed.
fn backward_time(iterations: u64, forward: impl Fn() -> Tensor, dy: &Tensor) -> Duration {
    (0..iterations)
        .map(|_| {
            let y = forward();
            let start = Instant::now();
            black_box(y.backward_from(dy, GradOptions::default()));
            start.elapsed()
        })
        .sum()
}

fn elementwise(c: &mut Criterion) {
    type Call = fn(&[Tensor]) -> Tensor;
    // Name, inputs, arrays that backward reads and writes.
    let calls: [(&str, usize, u64, Call); 6] = [
        ("add", 2, 0, |x| &x[0] + &x[1]),
        ("mul", 2, 6, |x| &x[0] * &x[1]),
        ("relu", 1, 3, |x| x[0].relu()),
        ("tanh", 1, 3, |x| x[0].tanh()),
        ("sigmoid", 1, 3, |x| x[0].sigmoid()),
        ("gelu", 1, 3, |x| x[0].gelu()),
    ];
    let mut group = c.benchmark_group("tensor");
    let dy = numbers(&[ELEMENTS], 9);
    for (name, inputs, moved, call) in calls {
        let x: Vec<Tensor> = (0..inputs as u64).map(|i| numbers(&[ELEMENTS], i).requires_grad()).collect();
        group.throughput(Throughput::Bytes((inputs as u64 + 1) * F32 * ELEMENTS as u64));
        group.bench_function(format!("{name}-4m/forward"), |b| b.iter(|| no_grad(|| call(&x))));
        if moved > 0 {
            group.throughput(Throughput::Bytes(moved * F32 * ELEMENTS as u64));
            group.bench_function(format!("{name}-4m/backward"), |b| {
                b.iter_custom(|iterations| backward_time(iterations, || call(&x), &dy));
            });
        }
    }
    group.finish();
}

fn softmax_cross_entropy(c: &mut Criterion) {
    let (rows, classes) = (4096, 1000);
    let x = numbers(&[rows, classes], 1).requires_grad();
    let labels: Vec<usize> = (0..rows).map(|i| 7 * i % classes).collect();
    let mut group = c.benchmark_group("loss");
    group.throughput(Throughput::Bytes(F32 * (rows * classes) as u64));
    group.bench_function("softmax-cross-entropy-4096x1000/forward", |b| {
        b.iter(|| no_grad(|| cross_entropy(&x, &labels)));
    });
    group.throughput(Throughput::Bytes(2 * F32 * (rows * classes) as u64));
    group.bench_function("softmax-cross-entropy-4096x1000/backward", |b| {
        b.iter_custom(|iterations| {
            backward_time(iterations, || cross_entropy(&x, &labels), &Tensor::scalar(1.0))
        });
    });
    group.finish();
}

fn perceptron(c: &mut Criterion) {
    let widths = [784, 512, 256, 10];
    let weights: u64 = widths.windows(2).map(|w| (w[0] * w[1]) as u64).sum();
    let first = (widths[0] * widths[1]) as u64;
    let mut group = c.benchmark_group("mlp-784-512-256-10");
    for batch in [1, 8, 128] {
        let store = ParamStore::<f32>::seeded(0);
        let net = Mlp::new(&store.root(), &widths);
        let mut adam = Adam::new(&store, AdamOptions::default());
        let x = numbers(&[batch, widths[0]], 2);
        let labels: Vec<usize> = (0..batch).map(|i| 7 * i % 10).collect();
        let loss = || cross_entropy(&net.forward(&x), &labels);
        let products = batch as u64 * weights;
        group.throughput(Throughput::Elements(2 * products));
        group.bench_function(format!("batch-{batch}/forward"), |b| b.iter(|| no_grad(loss)));
        // The gradient of the input is not asked for.
        let backward = 4 * products - 2 * batch as u64 * first;
        group.throughput(Throughput::Elements(backward));
        group.bench_function(format!("batch-{batch}/backward"), |b| {
            b.iter_custom(|iterations| backward_time(iterations, loss, &Tensor::scalar(1.0)));
        });
        group.throughput(Throughput::Elements(2 * products + backward));
        group.bench_function(format!("batch-{batch}/step"), |b| b.iter(|| adam.step(&loss().backward())));
    }
    group.finish();
}

fn main() {
    par::install(|| {
        let mut criterion = Criterion::default().configure_from_args();
        elementwise(&mut criterion);
        softmax_cross_entropy(&mut criterion);
        perceptron(&mut criterion);
        criterion.final_summary();
    });
}
