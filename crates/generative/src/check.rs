use ndarray::{ArrayRef, Dimension, IntoDimension};
use striate_tensor::Real;

use crate::error::GenerativeError;

/// Whether all numbers are finite.
pub(crate) fn finite<E: Real, D: Dimension>(
    what: &'static str,
    x: &ArrayRef<E, D>,
) -> Result<(), GenerativeError> {
    match x.indexed_iter().find(|(_, x)| !x.f64().is_finite()) {
        Some((index, value)) => {
            let index = index.into_dimension().as_array_view().to_vec();
            Err(GenerativeError::NotFinite { what, index, value: value.f64() })
        }
        None => Ok(()),
    }
}

/// Whether the last axis has as many columns as expected.
pub(crate) fn columns<E>(
    what: &'static str,
    x: &ArrayRef<E, ndarray::Ix2>,
    columns: usize,
) -> Result<(), GenerativeError> {
    if x.ncols() == columns {
        return Ok(());
    }
    let expected = format!("(N, {columns})");
    Err(GenerativeError::Shape { what, expected, shape: x.shape().to_vec() })
}
