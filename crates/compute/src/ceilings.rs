//! What this machine can do, measured: what a benchmark's figure is held against.

use std::fmt::{self, Display};
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::isa::{Isa, isa};

/// The measured limits of this machine at a number of threads.
///
/// ```no_run
/// println!("{}", striate_compute::ceilings::Ceilings::measure(2));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    /// At how many threads.
    pub threads: usize,
    /// Multiply-adds in registers, as [`fma_peak_gflops`] counts them.
    pub fma_gflops: f64,
    /// Copying 1 MiB per thread, which the caches hold, in GB/s as [`copy_bandwidth`] counts them.
    pub cache_copy: f64,
    /// Copying 64 MiB, in GB/s as [`copy_bandwidth`] counts them.
    pub memory_copy: f64,
    /// Writing 32 MiB of new memory, in GB/s as [`fresh_bandwidth`] counts them.
    pub fresh_write: f64,
}

impl Ceilings {
    /// Measures all of them: about a second.
    pub fn measure(threads: usize) -> Self {
        Ceilings {
            threads,
            fma_gflops: fma_peak_gflops(threads),
            cache_copy: copy_bandwidth(threads << 19, threads),
            memory_copy: copy_bandwidth(64 << 20, threads),
            fresh_write: fresh_bandwidth(32 << 20, threads),
        }
    }
}

impl Display for Ceilings {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{} threads, {:?}: {:.0} GFLOP/s f32 multiply-add; copy {:.0} GB/s in cache, {:.1} GB/s in memory; \
             {:.1} GB/s into new memory",
            self.threads,
            isa(),
            self.fma_gflops,
            self.cache_copy,
            self.memory_copy,
            self.fresh_write
        )
    }
}

/// Most f32 operations per second, in 10⁹: independent multiply-adds in registers, two operations each.
///
/// Uses the instruction set that [`isa()`] gives: where that is without a fused multiply-add, a product and a sum.
pub fn fma_peak_gflops(threads: usize) -> f64 {
    const ROUNDS: usize = 300_000;
    let (lanes, run): (usize, fn(usize)) = match isa() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `isa` returns an instruction set only when the CPU has all its features.
        Isa::Avx512 => (16, |rounds| unsafe { multiply_add_avx512(rounds) }),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Isa::Avx2 => (8, |rounds| unsafe { multiply_add_avx2(rounds) }),
        _ => (4, multiply_add_portable),
    };
    let seconds = best_seconds(40, threads, || (), |()| run(ROUNDS));
    (2 * CHAINS * lanes * ROUNDS * threads) as f64 / seconds * 1e-9
}

/// Independent multiply-adds under way: enough for a latency of 4 to 5 cycles at 2 per cycle.
const CHAINS: usize = 12;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn multiply_add_avx512(rounds: usize) {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_set1_ps};
    let x = black_box(_mm512_set1_ps(0.5));
    let mut chains = [x; CHAINS];
    for _ in 0..rounds {
        for a in &mut chains {
            *a = _mm512_fmadd_ps(*a, x, x);
        }
    }
    black_box(chains);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_add_avx2(rounds: usize) {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
    let x = black_box(_mm256_set1_ps(0.5));
    let mut chains = [x; CHAINS];
    for _ in 0..rounds {
        for a in &mut chains {
            *a = _mm256_fmadd_ps(*a, x, x);
        }
    }
    black_box(chains);
}

fn multiply_add_portable(rounds: usize) {
    let x = black_box(0.5_f32);
    let mut chains = [[x; 4]; CHAINS];
    for _ in 0..rounds {
        for a in chains.as_flattened_mut() {
            *a = *a * x + x;
        }
    }
    black_box(chains);
}

/// Bytes read plus bytes written per second, in 10⁹, by a copy of `bytes` bytes between warm buffers.
///
/// Each thread copies its own part, `bytes / threads`. With `bytes` small the caches are measured, with `bytes` large the memory.
pub fn copy_bandwidth(bytes: usize, threads: usize) -> f64 {
    let part = bytes / threads;
    let copies = (64_usize << 20).div_ceil(bytes);
    let seconds = best_seconds(
        5,
        threads,
        || (vec![1_u8; part], vec![0_u8; part]),
        |(from, to)| {
            for _ in 0..copies {
                black_box(&mut *to).copy_from_slice(black_box(from));
            }
        },
    );
    (2 * part * threads * copies) as f64 / seconds * 1e-9
}

/// Bytes written per second, in 10⁹, into `bytes` bytes of memory that comes new from the system, page faults included.
///
/// Each thread writes its own part, `bytes / threads`.
pub fn fresh_bandwidth(bytes: usize, threads: usize) -> f64 {
    let part = bytes / threads;
    // What is written is kept to the end, so that nothing comes back from the allocator.
    let seconds = best_seconds(3, threads, Vec::new, |kept| {
        let mut new = vec![0_u8; part];
        black_box(&mut new).fill(1);
        kept.push(new);
    });
    (part * threads) as f64 / seconds * 1e-9
}

/// Runs `run` on `threads` threads at once, `repeats` times, and returns the shortest time that all of them took.
fn best_seconds<S>(
    repeats: usize,
    threads: usize,
    setup: impl Fn() -> S + Sync,
    run: impl Fn(&mut S) + Sync,
) -> f64 {
    let barrier = Barrier::new(threads);
    let work = || {
        let mut state = setup();
        let time = |_| {
            barrier.wait();
            let start = Instant::now();
            run(&mut state);
            barrier.wait();
            start.elapsed().as_secs_f64()
        };
        (0..repeats).map(time).fold(f64::INFINITY, f64::min)
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_positive() {
        let all = [fma_peak_gflops(2), copy_bandwidth(1 << 20, 2), fresh_bandwidth(1 << 20, 2)];
        assert!(all.iter().all(|&x| x > 0.0 && x.is_finite()), "{all:?}");
    }
}
