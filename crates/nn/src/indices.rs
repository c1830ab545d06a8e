//! Labels and indices: plain `usize` arrays of any rank.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, Dimension};

/// Labels of classes, or indices of an embedding's rows: a slice, a vector, or an `ndarray` array of `usize`.
pub trait Indices {
    /// Lengths of the axes.
    fn lengths(&self) -> Vec<usize>;
    /// The numbers in row-major order.
    fn values(&self) -> Cow<'_, [usize]>;
}

impl Indices for [usize] {
    fn lengths(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn values(&self) -> Cow<'_, [usize]> {
        Cow::Borrowed(self)
    }
}

impl Indices for Vec<usize> {
    fn lengths(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn values(&self) -> Cow<'_, [usize]> {
        Cow::Borrowed(self)
    }
}

impl<const N: usize> Indices for [usize; N] {
    fn lengths(&self) -> Vec<usize> {
        vec![N]
    }

    fn values(&self) -> Cow<'_, [usize]> {
        Cow::Borrowed(self)
    }
}

impl<S: Data<Elem = usize>, D: Dimension> Indices for ArrayBase<S, D> {
    fn lengths(&self) -> Vec<usize> {
        self.shape().to_vec()
    }

    fn values(&self) -> Cow<'_, [usize]> {
        self.as_slice().map_or_else(|| self.iter().copied().collect(), Cow::Borrowed)
    }
}

/// A label or an index that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label {label} at position {position} is out of range: there are {classes} classes")]
pub struct LabelError {
    /// Where it stands, in row-major order.
    pub position: usize,
    /// The label.
    pub label: usize,
    /// How many classes, or rows, there are.
    pub classes: usize,
}

/// Checks labels that come from outside, before a loss or an embedding panics on them.
///
/// Every label must be below `classes`, or be `ignore_index`.
///
/// # Errors
/// With the first label that is not.
///
/// ```
/// use striate_nn::check_labels;
///
/// assert!(check_labels(&[0, 2, 255], 3, Some(255)).is_ok());
/// let error = check_labels(&[0, 3], 3, None).unwrap_err();
/// assert_eq!(error.to_string(), "label 3 at position 1 is out of range: there are 3 classes");
/// ```
pub fn check_labels(
    labels: &(impl Indices + ?Sized),
    classes: usize,
    ignore_index: Option<usize>,
) -> Result<(), LabelError> {
    let fits = |&label: &usize| label < classes || Some(label) == ignore_index;
    match labels.values().iter().enumerate().find(|(_, label)| !fits(label)) {
        Some((position, &label)) => Err(LabelError { position, label, classes }),
        None => Ok(()),
    }
}
