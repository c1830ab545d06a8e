//! A matrix that holds only the places that may differ from 0.

use ndarray::Array2;
use striate_compute::{Real, map, par};

use super::{DENSE_LIMIT, MatrixError, TOO_LARGE};

/// A sparse matrix by rows (CSR): columns and values of each row's weights, columns rising.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseMatrix<E> {
    columns: usize,
    /// Row r has the weights from `starts[r]` to `starts[r + 1]`.
    starts: Vec<usize>,
    places: Vec<u32>,
    values: Vec<E>,
}

/// The most runs of rows that [`SparseMatrix::transpose_matvec`] sums apart.
const RUNS: usize = 16;

impl<E: Real> SparseMatrix<E> {
    /// No rows yet, with room for this many rows and weights.
    pub(super) fn with_capacity(rows: usize, columns: usize, weights: usize) -> Result<Self, MatrixError> {
        let mut matrix = SparseMatrix { columns, starts: Vec::new(), places: Vec::new(), values: Vec::new() };
        let reserved = (matrix.starts.try_reserve_exact(rows + 1))
            .and_then(|()| matrix.places.try_reserve_exact(weights))
            .and_then(|()| matrix.values.try_reserve_exact(weights));
        reserved.map_err(|_| TOO_LARGE)?;
        matrix.starts.push(0);
        Ok(matrix)
    }

    /// One more weight in the current row.
    pub(super) fn push(&mut self, column: usize, value: E) {
        debug_assert!(column < self.columns);
        self.places.push(column as u32);
        self.values.push(value);
    }

    pub(super) fn end_row(&mut self) {
        self.starts.push(self.values.len());
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of weights that are held.
    pub fn weights(&self) -> usize {
        self.values.len()
    }

    /// Columns, rising, and values of row `r`.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn row(&self, r: usize) -> impl Iterator<Item = (usize, E)> {
        let held = self.starts[r]..self.starts[r + 1];
        let (places, values) = (&self.places[held.clone()], &self.values[held]);
        places.iter().zip(values).map(|(&place, &value)| (place as usize, value))
    }

    /// y = W · x: the forward pass of a convolution.
    ///
    /// # Panics
    /// When x has not one element for each column.
    #[track_caller]
    pub fn matvec(&self, x: &[E]) -> Vec<E> {
        assert_eq!(x.len(), self.columns, "matvec: x must have one element for each column");
        let mut y = vec![E::zero(); self.rows()];
        let mean = self.weights() / self.rows().max(1);
        let piece = (par::PIECE / mean.max(1)).max(1);
        par::pieces_mut(&mut y, piece, |task, y| {
            for (r, y) in y.iter_mut().enumerate() {
                *y = self.row(task * piece + r).map(|(place, value)| value * x[place]).sum();
            }
        });
        y
    }

    /// dx = Wᵀ · dy: the gradient of a convolution with respect to its input.
    ///
    /// # Panics
    /// When dy has not one element for each row.
    #[track_caller]
    pub fn transpose_matvec(&self, dy: &[E]) -> Vec<E> {
        assert_eq!(dy.len(), self.rows(), "transpose_matvec: dy must have one element for each row");
        // Runs of rows sum for themselves, as long as that is less work than to add up their sums.
        let runs = (self.weights() / self.columns.max(par::PIECE)).clamp(1, RUNS);
        let start = |run: usize| run * self.rows() / runs;
        let sums = par::collect(runs, |run| {
            let mut sum = vec![E::zero(); self.columns];
            for (r, &dy) in (start(run)..start(run + 1)).zip(&dy[start(run)..]) {
                self.row(r).for_each(|(place, value)| sum[place] += value * dy);
            }
            sum
        });
        let add = |mut dx: Vec<E>, sum: Vec<E>| {
            map::update(&mut dx, &sum, |dx, sum| dx + sum);
            dx
        };
        sums.into_iter().reduce(add).expect("at least one run")
    }

    /// All elements, zeros too: (rows, columns).
    ///
    /// # Errors
    /// When there are more than [`DENSE_LIMIT`].
    pub fn to_dense(&self) -> Result<Array2<E>, MatrixError> {
        let size = self.rows().checked_mul(self.columns).filter(|&size| size <= DENSE_LIMIT);
        size.ok_or(MatrixError::TooLarge { what: "the dense matrix", unit: "elements", limit: DENSE_LIMIT })?;
        let mut dense = Array2::zeros((self.rows(), self.columns));
        for r in 0..self.rows() {
            self.row(r).for_each(|(column, value)| dense[(r, column)] = value);
        }
        Ok(dense)
    }
}
