//! One pass over a data set, in batches.

use striate_compute::rng::Rng;

use crate::{Dataset, Prefetch, prefetch};

/// One pass over a data set in batches: an iterator made by [`Dataset::batches`].
///
/// The order is a pure function of seed and epoch, the same on every platform, so training resumes at any batch:
///
/// ```
/// use striate_datasets::{Dataset, digits};
///
/// let epoch = || digits().train().batches(100).seeded(7).shuffled(3);
/// let seventh = epoch().nth(6).unwrap();
/// let resumed = epoch().starting_at(6).next().unwrap();
/// assert_eq!(resumed.labels, seventh.labels);
/// assert_eq!((epoch().len(), epoch().drop_last().len()), (15, 14)); // 1,437 samples
/// ```
#[derive(Clone, Debug)]
pub struct Batches<D> {
    dataset: D,
    size: usize,
    samples: usize,
    seed: u64,
    epoch: Option<u64>,
    order: Option<Vec<usize>>,
    position: usize,
}

impl<D: Dataset> Batches<D> {
    #[track_caller]
    pub(crate) fn new(dataset: D, size: usize) -> Self {
        assert!(size > 0, "batches: the size of a batch must be at least 1");
        let samples = dataset.len();
        Self { dataset, size, samples, seed: 0, epoch: None, order: None, position: 0 }
    }

    /// In a random order, another one in every epoch. PyTorch: `DataLoader(shuffle=True)`.
    pub fn shuffled(self, epoch: u64) -> Self {
        Self { epoch: Some(epoch), order: None, ..self }
    }

    /// The seed of the order (0 without this call).
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, order: None, ..self }
    }

    /// Leaves out the last batch if it is smaller than the others. PyTorch: `DataLoader(drop_last=True)`.
    pub fn drop_last(self) -> Self {
        Self { samples: self.samples / self.size * self.size, ..self }
    }

    /// Goes to batch `position` (from 0) without making the batches before it: for resuming a run.
    pub fn starting_at(self, position: usize) -> Self {
        Self { position, ..self }
    }

    /// The number of the next batch.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Makes up to `depth` batches ahead in a background thread.
    ///
    /// # Panics
    /// When `depth` is 0.
    #[track_caller]
    pub fn prefetch(self, depth: usize) -> Prefetch<D::Batch>
    where
        D: Send + 'static,
        D::Batch: Send + 'static,
    {
        prefetch(self, depth)
    }

    fn batch_count(&self) -> usize {
        self.samples.div_ceil(self.size)
    }
}

impl<D: Dataset> Iterator for Batches<D> {
    type Item = D::Batch;

    fn next(&mut self) -> Option<D::Batch> {
        if self.position >= self.batch_count() {
            return None;
        }
        let start = self.position * self.size;
        let end = self.samples.min(start + self.size);
        self.position += 1;
        let Some(epoch) = self.epoch else {
            return Some(self.dataset.gather(&Vec::from_iter(start..end)));
        };
        let all = self.dataset.len();
        let order = self.order.get_or_insert_with(|| order(self.seed, epoch, all));
        Some(self.dataset.gather(&order[start..end]))
    }

    fn nth(&mut self, n: usize) -> Option<D::Batch> {
        self.position = self.position.saturating_add(n);
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.batch_count().saturating_sub(self.position);
        (rest, Some(rest))
    }
}

impl<D: Dataset> ExactSizeIterator for Batches<D> {}

/// The order of the samples in an epoch.
fn order(seed: u64, epoch: u64, samples: usize) -> Vec<usize> {
    Rng::named(seed, "batches").stream(epoch).permutation(samples)
}
