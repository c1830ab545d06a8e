//! Order, resuming, the last batch, and the background thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ndarray::{Array2, arr2};
use striate_datasets::{Dataset, Labelled, digits, one_hot, prefetch};

/// The numbers themselves; counts how many batches were gathered.
#[derive(Clone)]
struct Numbers {
    count: usize,
    gathered: Arc<AtomicUsize>,
}

impl Numbers {
    fn new(count: usize) -> Self {
        Self { count, gathered: Arc::default() }
    }
}

impl Dataset for Numbers {
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        self.count
    }

    fn gather(&self, indices: &[usize]) -> Vec<usize> {
        self.gathered.fetch_add(1, Ordering::SeqCst);
        assert!(!indices.contains(&1666), "sample 1666 is broken");
        indices.to_vec()
    }
}

#[test]
fn in_order_without_shuffling() {
    let batches: Vec<_> = Numbers::new(7).batches(3).collect();
    assert_eq!(batches, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(Numbers::new(7).batches(3).drop_last().count(), 2);
    assert_eq!(Numbers::new(6).batches(3).drop_last().count(), 2);
    assert_eq!(Numbers::new(0).batches(3).shuffled(0).count(), 0);
    assert_eq!(Numbers::new(2).batches(usize::MAX).count(), 1);
    assert_eq!(Numbers::new(2).batches(3).drop_last().len(), 0);
}

#[test]
fn the_order_of_an_epoch_never_changes() {
    let order = |seed, epoch| Numbers::new(10).batches(10).seeded(seed).shuffled(epoch).next().unwrap();
    assert_eq!(order(0, 0), [9, 2, 3, 4, 6, 7, 0, 1, 5, 8]);
    assert_eq!(order(3, 9), [4, 2, 7, 9, 5, 3, 1, 0, 6, 8]);
}

#[test]
fn every_epoch_and_seed_has_all_samples_in_another_order() {
    let mut seen = Vec::new();
    for (seed, epoch) in [(0, 0), (0, 1), (1, 0), (1, 1), (0, u64::MAX)] {
        let epoch: Vec<usize> = Numbers::new(100).batches(7).shuffled(epoch).seeded(seed).flatten().collect();
        let mut sorted = epoch.clone();
        sorted.sort();
        assert_eq!(sorted, Vec::from_iter(0..100));
        assert!(!seen.contains(&epoch));
        seen.push(epoch);
    }
}

#[test]
fn the_order_does_not_depend_on_the_size_of_a_batch() {
    let epoch = |size| Numbers::new(50).batches(size).shuffled(4).flatten().collect::<Vec<_>>();
    assert_eq!(epoch(7), epoch(50));
}

#[test]
fn the_order_does_not_depend_on_drop_last() {
    let all: Vec<_> = Numbers::new(50).batches(8).shuffled(4).collect();
    assert_eq!(Numbers::new(50).batches(8).shuffled(4).drop_last().collect::<Vec<_>>(), all[..6]);
}

#[test]
fn resuming_makes_no_earlier_batch() {
    let numbers = Numbers::new(100);
    let all: Vec<_> = numbers.batches(8).shuffled(2).collect();
    numbers.gathered.store(0, Ordering::SeqCst);
    let resumed: Vec<_> = numbers.batches(8).shuffled(2).starting_at(9).collect();
    assert_eq!(resumed, all[9..]);
    let skipped: Vec<_> = numbers.batches(8).shuffled(2).skip(9).collect();
    assert_eq!(skipped, all[9..]);
    assert_eq!(numbers.gathered.load(Ordering::SeqCst), 2 * (all.len() - 9));
    assert_eq!(numbers.batches(8).starting_at(99).next(), None);

    let mut batches = numbers.batches(8);
    assert_eq!((batches.position(), batches.len()), (0, 13));
    batches.nth(3);
    assert_eq!((batches.position(), batches.len()), (4, 9));
    assert_eq!(batches.nth(usize::MAX), None);
}

#[test]
fn prefetching_changes_nothing() {
    let numbers = Numbers::new(1000);
    let plain: Vec<_> = numbers.batches(16).shuffled(5).starting_at(3).collect();
    for depth in [1, 2, 100] {
        let ahead = numbers.batches(16).shuffled(5).starting_at(3).prefetch(depth);
        assert_eq!(ahead.len(), plain.len());
        assert_eq!(ahead.collect::<Vec<_>>(), plain);
    }
}

#[test]
fn prefetching_stays_within_its_depth() {
    let numbers = Numbers::new(100);
    let mut ahead = numbers.batches(1).prefetch(3);
    let settled = || {
        let mut last = usize::MAX;
        while last != numbers.gathered.load(Ordering::SeqCst) {
            last = numbers.gathered.load(Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
        }
        last
    };
    assert_eq!(settled(), 3);
    ahead.next();
    assert_eq!(settled(), 4);
}

#[test]
fn stopping_early_ends_the_thread() {
    let numbers = Numbers::new(1_000_000);
    let owners = || Arc::strong_count(&numbers.gathered);
    let before = owners();
    let mut ahead = numbers.batches(1).prefetch(2);
    ahead.next();
    drop(ahead);
    assert_eq!(owners(), before, "the thread has given its data set back");
    assert!(numbers.gathered.load(Ordering::SeqCst) < 10);
}

#[test]
fn a_panic_of_the_data_set_reaches_the_consumer() {
    let mut ahead = Numbers::new(2000).batches(100).prefetch(2);
    for _ in 0..16 {
        assert!(ahead.next().is_some());
    }
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ahead.next())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "sample 1666 is broken");
    assert_eq!(ahead.next(), None, "afterwards it has ended");
    assert_eq!(ahead.len(), 0);
}

#[test]
fn errors_are_items() {
    let items = [Ok(1), Err("disk"), Ok(3)].into_iter();
    assert_eq!(prefetch(items, 1).collect::<Vec<_>>(), [Ok(1), Err("disk"), Ok(3)]);
}

#[test]
#[should_panic(expected = "the size of a batch must be at least 1")]
fn batches_of_nothing() {
    Numbers::new(3).batches(0);
}

#[test]
#[should_panic(expected = "the depth must be at least 1")]
fn prefetching_nothing() {
    Numbers::new(3).batches(1).prefetch(0);
}

#[test]
fn batches_hold_the_rows_of_their_samples() {
    let train = digits().train();
    let order: Vec<usize> = Numbers::new(train.len()).batches(64).shuffled(1).flatten().collect();
    for (batch, indices) in train.batches(64).shuffled(1).zip(order.chunks(64)) {
        for (n, &i) in indices.iter().enumerate() {
            assert_eq!(batch.labels[n], train.labels()[i]);
            let (row, sample) = (batch.images.index_axis(ndarray::Axis(0), n), train.images());
            assert_eq!(row, sample.index_axis(ndarray::Axis(0), i));
        }
    }
}

#[test]
fn samples_in_another_layout_are_rearranged() {
    let features = arr2(&[[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]).reversed_axes();
    let data = Labelled::new(features.into_dyn(), vec![0, 1, 0], ["a", "b"]).unwrap();
    assert_eq!(data.gather(&[2, 0]).images, arr2(&[[3.0, 6.0], [1.0, 4.0]]).into_dyn());
    assert_eq!(data.select(&[1]).labels(), [1]);
}

#[test]
#[should_panic(expected = "gather: sample 3, there are 2")]
fn a_sample_that_is_not_there() {
    Labelled::new(Array2::zeros((2, 2)).into_dyn(), vec![0, 0], ["a"]).unwrap().gather(&[3]);
}

#[test]
#[should_panic(expected = "one_hot: label 3, there are 3 classes")]
fn a_label_that_is_no_class() {
    one_hot(&[3], 3);
}
