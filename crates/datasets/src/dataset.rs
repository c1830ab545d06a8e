//! The one thing that batches need of data.

use std::sync::Arc;

use crate::Batches;

/// Numbered samples that can be gathered into batches.
///
/// Implement `len` and `gather` for own data; [`batches`](Self::batches) then does the rest. Data whose reading can
/// fail take `Result<…>` as their `Batch`. PyTorch: `torch.utils.data.Dataset`, with collation.
///
/// ```
/// use std::sync::Arc;
/// use ndarray::Array2;
/// use striate_datasets::Dataset;
///
/// /// All windows of `length` characters, and the same windows one character later.
/// struct Windows { text: Vec<usize>, length: usize }
///
/// impl Dataset for Windows {
///     type Batch = (Array2<usize>, Array2<usize>);
///
///     fn len(&self) -> usize {
///         self.text.len() - self.length
///     }
///
///     fn gather(&self, indices: &[usize]) -> Self::Batch {
///         let window = |shift: usize| {
///             Array2::from_shape_fn((indices.len(), self.length), |(n, t)| self.text[indices[n] + t + shift])
///         };
///         (window(0), window(1))
///     }
/// }
///
/// let windows = Arc::new(Windows { text: (0..100).collect(), length: 8 });
/// for (inputs, targets) in windows.batches(16).shuffled(0).prefetch(2) {
///     assert_eq!(inputs + 1, targets);
/// }
/// ```
pub trait Dataset {
    /// What a training step gets.
    type Batch;

    /// Number of samples.
    fn len(&self) -> usize;

    /// The samples with these numbers, all below [`len`](Self::len), in this order.
    fn gather(&self, indices: &[usize]) -> Self::Batch;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples once, in batches of `size`, the last one smaller if they do not fit.
    ///
    /// The iterator keeps a clone of the data set, so that a background thread can have it: put own large data into
    /// an [`Arc`]. The clone of a [`Labelled`](crate::Labelled) shares its arrays.
    ///
    /// # Panics
    /// When `size` is 0.
    #[track_caller]
    fn batches(&self, size: usize) -> Batches<Self>
    where
        Self: Sized + Clone,
    {
        Batches::new(self.clone(), size)
    }
}

impl<D: Dataset + ?Sized> Dataset for Arc<D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn gather(&self, indices: &[usize]) -> Self::Batch {
        (**self).gather(indices)
    }
}
