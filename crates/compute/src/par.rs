//! Parallel loops with a fixed cut.
//!
//! Work is cut by its size alone, never by the number of threads, and every piece writes its own place or
//! returns its own partial result: so results have the same bits at any thread count. Threads are rayon's;
//! a loop that runs inside a rayon pool (see [`install`]) starts faster than one called from outside.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Elements per piece of an elementwise loop. Shorter loops never leave the calling thread.
pub const PIECE: usize = 1 << 15;

/// Most threads that one loop runs on.
const MOST_WORKERS: usize = 128;

/// Runs `f(0)`, …, `f(tasks − 1)`, each once, in any order, on the threads of the current rayon pool.
pub fn each(tasks: usize, f: impl Fn(usize) + Sync) {
    each_task(tasks, &f);
}

/// [`each`], compiled once: there are hundreds of loops over it.
fn each_task(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    let workers = rayon::current_num_threads().min(tasks).min(MOST_WORKERS);
    if workers <= 1 {
        return (0..tasks).for_each(f);
    }
    // Every worker has a run of neighbouring tasks, which streams memory best, and then helps with the others' runs.
    let start = |run: usize| run * tasks / workers;
    let next: [AtomicUsize; MOST_WORKERS] =
        std::array::from_fn(|run| AtomicUsize::new(if run < workers { start(run) } else { tasks }));
    let work = |worker: usize| {
        for run in (worker..workers).chain(0..worker) {
            loop {
                let task = next[run].fetch_add(1, Ordering::Relaxed);
                if task >= start(run + 1) {
                    break;
                }
                f(task);
            }
        }
    };
    // A thread that waits for the others may run any job of the pool meanwhile.
    with_context(0, || fork(0, workers, &work));
}

/// Runs `work(first)`, …, `work(end − 1)` on as many threads as are free.
fn fork(first: usize, end: usize, work: &(dyn Fn(usize) + Sync)) {
    if end - first == 1 {
        return work(first);
    }
    let middle = first.midpoint(end);
    rayon::join(|| fork(first, middle, work), || fork(middle, end, work));
}

/// A place that several threads write to, each its own part.
struct Start<T>(*mut T);

// SAFETY: `pieces_mut` gives every thread other elements, and T may go to other threads.
unsafe impl<T: Send> Sync for Start<T> {}

impl<T> Start<T> {
    /// The `n` elements from the `first` on.
    ///
    /// # Safety
    /// They lie in the slice that this is the start of, and nothing else uses them meanwhile.
    #[allow(clippy::mut_from_ref, reason = "the caller keeps the parts apart")]
    unsafe fn part(&self, first: usize, n: usize) -> &mut [T] {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), n) }
    }
}

/// Calls `f(i, piece)` for the `i`-th piece of `piece` elements of `y` (the last may be shorter); never for an empty `y`.
///
/// # Panics
/// When `piece` is 0.
pub fn pieces_mut<T: Send>(y: &mut [T], piece: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    let (start, len) = (Start(y.as_mut_ptr()), y.len());
    each_task(len.div_ceil(piece), &|i| {
        let first = i * piece;
        // SAFETY: every i comes once, so the pieces lie in y and apart; y is borrowed until all are done.
        f(i, unsafe { start.part(first, piece.min(len - first)) });
    });
}

/// The results of `f(0)`, …, `f(tasks − 1)` in that order.
pub fn collect<T: Send>(tasks: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    let mut results: Vec<Option<T>> = (0..tasks).map(|_| None).collect();
    pieces_mut(&mut results, 1, |i, result| result[0] = Some(f(i)));
    results.into_iter().map(|result| result.expect("every task ran")).collect()
}

/// Runs `f` inside the current rayon pool, where starting a parallel loop costs least: wrap a training loop in it.
pub fn install<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let context = context();
    rayon::join(|| with_context(context, f), || ()).0
}

/// Whether this thread belongs to a rayon pool, where starting a loop takes about a microsecond instead of tens.
pub fn inside() -> bool {
    rayon::current_thread_index().is_some()
}

thread_local! {
    static CONTEXT: Cell<u8> = const { Cell::new(0) };
}

/// A number that belongs to what this thread computes at the moment, 0 at first: a crate above keeps a mode in it.
///
/// A thread-local of that crate would leak: a thread that waits inside a parallel loop runs other jobs of the pool.
pub fn context() -> u8 {
    CONTEXT.get()
}

/// Runs `f` with another [`context`].
pub fn with_context<R>(context: u8, f: impl FnOnce() -> R) -> R {
    struct Restore(u8);
    impl Drop for Restore {
        fn drop(&mut self) {
            CONTEXT.set(self.0);
        }
    }
    let _restore = Restore(CONTEXT.replace(context));
    f()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_comes_once_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for (len, piece) in [(0, 3), (1, 3), (3, 3), (10, 3), (1000, 1), (7, 100)] {
                let mut y = vec![0; len];
                pool.install(|| {
                    pieces_mut(&mut y, piece, |i, part| {
                        assert!(part.len() == piece || (i + 1) * piece > len);
                        part.iter_mut().enumerate().for_each(|(j, y)| *y += i * piece + j + 1);
                    });
                });
                assert!(y.iter().copied().eq(1..=len), "{len} in pieces of {piece}");
            }
            assert_eq!(pool.install(|| collect(100, |i| i * i)), (0..100).map(|i| i * i).collect::<Vec<_>>());
        }
    }
}
