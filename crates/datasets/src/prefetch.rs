//! Making batches ahead, in a background thread.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// The items of an iterator that runs in a background thread, a bounded number of them ahead.
///
/// The order is the iterator's. A panic of the iterator goes on in the thread that asks for the next item. Dropping
/// this ends the thread, after the item that it is making.
#[derive(Debug)]
pub struct Prefetch<T> {
    items: Option<Receiver<T>>,
    maker: Option<JoinHandle<()>>,
    left: usize,
}

/// Runs an iterator in a background thread, which makes up to `depth` items ahead.
///
/// # Panics
/// When `depth` is 0.
///
/// ```
/// use striate_datasets::{Dataset, digits, prefetch};
///
/// let batches = digits().train().batches(64).shuffled(0);
/// let noisy = batches.map(|mut batch| { batch.images *= 0.9; batch });
/// assert_eq!(prefetch(noisy, 2).map(|batch| batch.labels.len()).sum::<usize>(), 1437);
/// ```
#[track_caller]
pub fn prefetch<I>(items: I, depth: usize) -> Prefetch<I::Item>
where
    I: ExactSizeIterator + Send + 'static,
    I::Item: Send + 'static,
{
    assert!(depth > 0, "prefetch: the depth must be at least 1");
    let left = items.len();
    // The maker holds one finished item while it waits for room.
    let (sender, receiver) = sync_channel(depth - 1);
    let make = move || {
        for item in items {
            if sender.send(item).is_err() {
                break;
            }
        }
    };
    let maker = std::thread::Builder::new().name("prefetch".into()).spawn(make);
    let maker = maker.expect("the system starts a thread");
    Prefetch { items: Some(receiver), maker: Some(maker), left }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self.items.as_ref()?.recv() {
            Ok(item) => {
                self.left -= 1;
                Some(item)
            }
            Err(_) => {
                self.items = None;
                self.left = 0;
                if let Some(Err(panic)) = self.maker.take().map(JoinHandle::join) {
                    resume_unwind(panic);
                }
                None
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Prefetch<T> {}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.items = None; // a waiting maker wakes up and ends
        if let Some(maker) = self.maker.take() {
            let _ = maker.join();
        }
    }
}
