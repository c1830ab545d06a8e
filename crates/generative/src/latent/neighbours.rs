//! The samples of a set that are nearest to others.

use ndarray::{Array2, ArrayView2, Axis};
use striate_tensor::Real;

use crate::check::{columns, finite};
use crate::error::GenerativeError;

/// The nearest rows of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// Their numbers (Q, k), the nearest first; of equals the first.
    pub indices: Array2<usize>,
    /// Their Euclidean distances (Q, k).
    pub distances: Array2<f64>,
}

/// The `count` nearest of all rows x (N, D) to each query (Q, D): whether a model copies what it has been trained on.
///
/// # Errors
/// When the rows have different lengths, a number is not finite, or there are fewer rows than are asked for.
///
/// ```
/// use ndarray::array;
/// use striate_generative::latent::nearest;
///
/// let x = array![[0.0f32, 0.0], [3.0, 4.0], [1.0, 0.0]];
/// let found = nearest(array![[0.0, 0.0]].view(), x.view(), 3)?;
/// assert_eq!(found.indices, array![[0, 2, 1]]);
/// assert_eq!(found.distances, array![[0.0, 1.0, 5.0]]);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn nearest<E: Real>(
    queries: ArrayView2<E>,
    x: ArrayView2<E>,
    count: usize,
) -> Result<Neighbours, GenerativeError> {
    columns("queries", &queries, x.ncols())?;
    finite("queries", &queries)?;
    finite("x", &x)?;
    if x.nrows() < count {
        return Err(GenerativeError::Samples { what: "nearest", needed: count, found: x.nrows() });
    }
    let (queries, x) = (queries.as_standard_layout(), x.as_standard_layout());
    let shape = (queries.nrows(), count);
    let mut found = Neighbours { indices: Array2::zeros(shape), distances: Array2::zeros(shape) };
    for (q, query) in queries.axis_iter(Axis(0)).enumerate() {
        let query = query.to_slice().expect("standard layout");
        let distance = |row: ndarray::ArrayView1<E>| squared(query, row.to_slice().expect("standard layout"));
        let distances: Vec<f64> = x.axis_iter(Axis(0)).map(distance).collect();
        let mut order: Vec<usize> = (0..distances.len()).collect();
        order.sort_by(|&i, &j| distances[i].total_cmp(&distances[j]));
        for (k, &i) in order[..count].iter().enumerate() {
            (found.indices[[q, k]], found.distances[[q, k]]) = (i, distances[i].sqrt());
        }
    }
    Ok(found)
}

/// Σ (a − b)², in lanes.
fn squared<E: Real>(a: &[E], b: &[E]) -> f64 {
    const LANES: usize = 16;
    let (blocks, rest) = a.as_chunks::<LANES>();
    let (other_blocks, other_rest) = b.as_chunks::<LANES>();
    let mut sums = [E::zero(); LANES];
    for (a, b) in blocks.iter().zip(other_blocks) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (a - b) * (a - b);
        }
    }
    let tail: f64 = rest.iter().zip(other_rest).map(|(&a, &b)| (a - b).f64().powi(2)).sum();
    sums.iter().map(|sum| sum.f64()).sum::<f64>() + tail
}
