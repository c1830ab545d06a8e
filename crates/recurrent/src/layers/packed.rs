use striate_tensor::{Real, Tensor};

use crate::error::RecurrentError;
use crate::kernels::check_batch_sizes;

/// Sequences of different lengths, without padding: at each step the rows of those that are not over yet, the longest
/// sequence first. PyTorch's `PackedSequence`.
///
/// ```
/// use striate_recurrent::PackedSequence;
/// use striate_tensor::Tensor;
///
/// // Two sequences of one feature, padded to 3 steps: (T, N, F).
/// let x = Tensor::<f32>::from_vec(&[3, 2, 1], vec![1.0, 10.0, 0.0, 20.0, 0.0, 30.0]);
/// let packed = PackedSequence::pack(&x, &[1, 3])?;
/// assert_eq!(packed.data().to_vec(), [10.0, 1.0, 20.0, 30.0]);
/// assert_eq!(packed.batch_sizes(), [2, 1, 1]);
/// assert_eq!(packed.pad().to_vec(), x.to_vec());
/// # Ok::<(), striate_recurrent::RecurrentError>(())
/// ```
#[derive(Clone)]
pub struct PackedSequence<E: Real = f32> {
    data: Tensor<E>,
    batch_sizes: Vec<usize>,
    /// Which sequence of the batch is the i-th longest.
    order: Vec<usize>,
}

impl<E: Real> PackedSequence<E> {
    /// Packs x (T, N, F), of whose sequences only the first `lengths` steps count. Any order of lengths will do.
    /// PyTorch's `pack_padded_sequence(…, enforce_sorted=False)`.
    ///
    /// # Errors
    /// When x is not (T, N, F), there is not one length for each sequence, or a length is not in 1..=T.
    pub fn pack(x: &Tensor<E>, lengths: &[usize]) -> Result<Self, RecurrentError> {
        let &[steps, batch, features] = x.shape() else {
            let (expected, shape) = ("(T, N, F)", x.shape().to_vec());
            return Err(RecurrentError::Axes { what: "x", expected, shape });
        };
        check_lengths(lengths, steps, batch)?;
        let mut order: Vec<usize> = (0..batch).collect();
        order.sort_by_key(|&sequence| std::cmp::Reverse(lengths[sequence]));
        let longest = order.first().map_or(0, |&sequence| lengths[sequence]);
        let batch_sizes: Vec<usize> =
            (0..longest).map(|t| lengths.iter().filter(|&&length| length > t).count()).collect();
        let flat = x.reshape(&[(steps * batch) as isize, features as isize]);
        let packed = PackedSequence { data: flat, batch_sizes, order };
        if packed.is_even() && longest == steps && packed.order.is_sorted() {
            return Ok(packed);
        }
        let rows = packed.rows_of_padded();
        Ok(PackedSequence { data: packed.data.index_select(0, &rows), ..packed })
    }

    /// Sequences that are packed already: `data` (Σ batch_sizes, F), the longest sequence first.
    ///
    /// # Errors
    /// When a size is 0 or larger than the one before, or they do not add up to the rows of `data`.
    pub fn new(data: Tensor<E>, batch_sizes: Vec<usize>) -> Result<Self, RecurrentError> {
        check_batch_sizes(&batch_sizes)?;
        let rows = batch_sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
        match *data.shape() {
            [found, _] if Some(found) == rows => {
                let order = (0..batch_sizes[0]).collect();
                Ok(PackedSequence { data, batch_sizes, order })
            }
            _ => {
                let (expected, shape) = ("(Σ batch_sizes, F)", data.shape().to_vec());
                Err(RecurrentError::Axes { what: "data", expected, shape })
            }
        }
    }

    /// The rows (Σ lengths, F).
    pub fn data(&self) -> &Tensor<E> {
        &self.data
    }

    /// How many sequences there are at each step.
    pub fn batch_sizes(&self) -> &[usize] {
        &self.batch_sizes
    }

    /// Number of sequences.
    pub fn batch(&self) -> usize {
        self.batch_sizes[0]
    }

    /// The length of each sequence, in the order in which they came.
    pub fn lengths(&self) -> Vec<usize> {
        let mut lengths = vec![0; self.batch()];
        for (rank, &sequence) in self.order.iter().enumerate() {
            lengths[sequence] = self.batch_sizes.iter().filter(|&&size| size > rank).count();
        }
        lengths
    }

    /// The sequences (T, N, F) in the order in which they came, with zeros after the end of each.
    /// PyTorch's `pad_packed_sequence`.
    pub fn pad(&self) -> Tensor<E> {
        self.pad_to(self.batch_sizes.len())
    }

    /// [`PackedSequence::pad`] to `steps`, which must not be fewer than there are.
    pub(crate) fn pad_to(&self, steps: usize) -> Tensor<E> {
        let features = self.data.shape()[1];
        let shape = [steps, self.batch(), features].map(|n| n as isize);
        if self.is_even() && steps == self.batch_sizes.len() && self.order.is_sorted() {
            return self.data.reshape(&shape);
        }
        let zeros = Tensor::zeros(&[steps * self.batch(), features]);
        zeros.index_add(0, &self.rows_of_padded(), &self.data).reshape(&shape)
    }

    /// The same sequences with other features: one row for each of these.
    pub(crate) fn with_data(&self, data: Tensor<E>) -> Self {
        PackedSequence { data, batch_sizes: self.batch_sizes.clone(), order: self.order.clone() }
    }

    /// From the order of the batch (…, N, H) to that of the packed rows.
    pub(crate) fn sort(&self, state: &Tensor<E>) -> Tensor<E> {
        if self.order.is_sorted() { state.clone() } else { state.index_select(1, &self.order) }
    }

    /// The way back.
    pub(crate) fn unsort(&self, state: &Tensor<E>) -> Tensor<E> {
        if self.order.is_sorted() {
            return state.clone();
        }
        let mut places = vec![0; self.batch()];
        self.order.iter().enumerate().for_each(|(rank, &sequence)| places[sequence] = rank);
        state.index_select(1, &places)
    }

    /// Whether all sequences are of one length.
    fn is_even(&self) -> bool {
        self.batch_sizes.last() == self.batch_sizes.first()
    }

    /// For each packed row, its row among the T·N of the padded sequences.
    fn rows_of_padded(&self) -> Vec<usize> {
        let batch = self.batch();
        let step = |(t, &size): (usize, &usize)| {
            self.order[..size].iter().map(move |&sequence| t * batch + sequence).collect::<Vec<_>>()
        };
        self.batch_sizes.iter().enumerate().flat_map(step).collect()
    }
}

/// The rule of lengths: one for each sequence, from 1 to the number of steps.
pub(crate) fn check_lengths(lengths: &[usize], steps: usize, batch: usize) -> Result<(), RecurrentError> {
    if steps * batch == 0 {
        return Err(RecurrentError::Empty { what: "x" });
    }
    if lengths.len() != batch {
        return Err(RecurrentError::Lengths { batch, lengths: lengths.len() });
    }
    match lengths.iter().position(|length| !(1..=steps).contains(length)) {
        Some(sequence) => Err(RecurrentError::Length { sequence, length: lengths[sequence], steps }),
        None => Ok(()),
    }
}
