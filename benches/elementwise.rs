//! Elementary functions on 4 Mi f32, beside a copy of them; throughput counts bytes read and written.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use striate_compute::{Buffer, Real, map, par};

const LEN: usize = 4 << 20;

fn elementwise(c: &mut Criterion) {
    // Half of the arguments below 0, all of them where every function is at work.
    let x = Buffer::from(Vec::from_iter((0..LEN).map(|i| (i % 8191) as f32 / 1024.0 - 4.0)));
    let positive = Buffer::from(Vec::from_iter(x.iter().map(|x| x.abs() + 0.01)));
    let mut y = Buffer::filled(LEN, 0.0_f32);

    let mut group = c.benchmark_group("4Mi f32");
    group.throughput(Throughput::Bytes(2 * size_of_val::<[f32]>(&x) as u64));
    let mut case = |name: &str, x: &[f32], f: fn(&[f32], &mut [f32])| {
        group.bench_function(name, |b| par::install(|| b.iter(|| f(black_box(x), black_box(&mut y)))));
    };
    case("copy", &x, |x, y| map::map(x, y, |x| x));
    case("exp", &x, |x, y| map::map(x, y, Real::exp));
    case("exp_m1", &x, |x, y| map::map(x, y, Real::exp_m1));
    case("ln", &positive, |x, y| map::map(x, y, Real::ln));
    case("ln_1p", &positive, |x, y| map::map(x, y, Real::ln_1p));
    case("tanh", &x, |x, y| map::map(x, y, Real::tanh));
    case("sigmoid", &x, |x, y| map::map(x, y, Real::sigmoid));
    case("erf", &x, |x, y| map::map(x, y, Real::erf));
    group.finish();
}

criterion_group!(benches, elementwise);
criterion_main!(benches);
