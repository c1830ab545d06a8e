//! Parallel loops with a fixed cut.
//!
//! Work is cut by its size alone, never by the number of threads, and every piece writes its own place or
//! returns its own partial result: so results have the same bits at any thread count. Threads are rayon's;
//! a loop that runs inside a rayon pool (see [`install`]) starts faster than one called from outside.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// Elements per piece of an elementwise loop. Shorter loops never leave the calling thread.
pub const PIECE: usize = 1 << 15;

/// Runs `f(0)`, …, `f(tasks − 1)`, each once, in any order, on the threads of the current rayon pool.
pub fn each(tasks: usize, f: impl Fn(usize) + Sync) {
    let workers = rayon::current_num_threads().min(tasks);
    if workers <= 1 {
        return (0..tasks).for_each(f);
    }
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            f(task);
        }
    };
    fork(workers, &work);
}

fn fork(workers: usize, work: &(impl Fn() + Sync)) {
    if workers == 1 {
        return work();
    }
    rayon::join(|| fork(workers / 2, work), || fork(workers - workers / 2, work));
}

/// Calls `f(i, piece)` for the `i`-th piece of `piece` elements of `y` (the last may be shorter).
pub fn pieces_mut<T: Send>(y: &mut [T], piece: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    if y.len() <= piece {
        return f(0, y);
    }
    y.par_chunks_mut(piece).enumerate().for_each(|(i, y)| f(i, y));
}

/// The results of `f(0)`, …, `f(tasks − 1)` in that order.
pub fn collect<T: Send>(tasks: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if tasks <= 1 {
        return (0..tasks).map(f).collect();
    }
    (0..tasks).into_par_iter().map(f).collect()
}

/// Runs `f` inside the current rayon pool, where starting a parallel loop costs least: wrap a training loop in it.
pub fn install<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    rayon::join(f, || ()).0
}

/// How many threads parallel loops run on.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Sets the number of threads for the whole process: call it before the first parallel loop.
///
/// # Errors
/// When the threads run already.
pub fn set_threads(threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()
}
