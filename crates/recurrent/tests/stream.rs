//! A stream in steady state: no allocation, the same bits on any threads.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use striate_compute::rng::Rng;
use striate_recurrent::kernels::{Kind, Stream, Weights};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HIDDEN: usize = 256;

fn normal(n: usize) -> Vec<f32> {
    let mut values = vec![0.0; n];
    Rng::new(n as u64).fill_normal(&mut values, 0.0, 0.05);
    values
}

fn stream(kind: Kind) -> Stream {
    let (w, b) = (normal(kind.gates() * HIDDEN * HIDDEN), normal(kind.gates() * HIDDEN));
    let weights = Weights { ih: &w, hh: &w, bias_ih: Some(&b), bias_hh: Some(&b) };
    let first = Stream::new(kind, HIDDEN, HIDDEN, &weights).expect("weights that fit");
    first.then(kind, HIDDEN, &weights).expect("weights that fit")
}

/// One test, since what other tests allocate at the same time would count, too.
#[test]
fn a_step_allocates_nothing_and_has_the_same_bits_on_any_threads() {
    let x = normal(HIDDEN);
    for kind in [Kind::Tanh, Kind::Relu, Kind::Lstm, Kind::Gru] {
        let run = || {
            let mut stream = stream(kind);
            let mut step = || stream.step(&x).expect("an x that fits").to_vec();
            step();
            let y = step();
            // Threads of other pools, as they end, allocate at times: but not during every ten steps.
            let fewest = (0..20).map(|_| {
                let before = Region::new(ALLOCATOR);
                for _ in 0..10 {
                    stream.step(&x).expect("an x that fits");
                }
                before.change().allocations
            });
            assert_eq!(fewest.min(), Some(0), "{kind:?}");
            y
        };
        let outside = run();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            // The pool's threads have started, and allocated what they need, when all have run something.
            pool.broadcast(|_| ());
            assert_eq!(pool.install(run), outside, "{kind:?}, {threads} threads");
        }
    }
}
