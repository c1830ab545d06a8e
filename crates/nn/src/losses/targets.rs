//! Class labels against scores (N, C, …).

use striate_tensor::shape::{ShapeError, elements, expect};
use striate_tensor::{Array, Real};

use super::Reduction;
use crate::indices::{Indices, check_labels};

/// Labels, one per position of scores seen as (n, classes, inner), with the weights of their classes.
pub(super) struct Targets<E> {
    pub(super) labels: Vec<usize>,
    pub(super) classes: usize,
    /// Positions per sample: 1 for (N, C), the pixels for (N, C, H, W).
    pub(super) inner: usize,
    pub(super) weights: Option<Vec<E>>,
    pub(super) reduction: Reduction,
    ignore: Option<usize>,
    shape: Vec<usize>,
}

/// The shape of the losses: the scores' without the axis of classes.
fn positions(op: &'static str, scores: &[usize], labels: &[usize]) -> Result<Vec<usize>, ShapeError> {
    let fail = |rule| Err(ShapeError::new(op, rule, &[("scores", scores), ("labels", labels)]));
    let &[samples, _, ref rest @ ..] = scores else {
        return fail("scores must be (N, C, …)".to_string());
    };
    let shape: Vec<usize> = [samples].iter().chain(rest).copied().collect();
    if labels != shape && labels != [elements(&shape)] {
        return fail(format!("labels must be {shape:?}, or as many in one axis"));
    }
    Ok(shape)
}

impl<E: Real> Targets<E> {
    #[track_caller]
    pub(super) fn new(
        op: &'static str,
        scores: &[usize],
        labels: &(impl Indices + ?Sized),
        ignore: Option<usize>,
        weights: Option<&[f64]>,
        reduction: Reduction,
    ) -> Self {
        let shape = expect(positions(op, scores, &labels.lengths()));
        let classes = scores[1];
        if let Err(error) = check_labels(labels, classes, ignore) {
            panic!("{op}: {error}");
        }
        if let Some(weights) = weights {
            assert_eq!(weights.len(), classes, "{op}: one weight per class, there are {classes} classes");
        }
        Targets {
            labels: labels.values().into_owned(),
            classes,
            inner: elements(&scores[2..]),
            weights: weights.map(|weights| weights.iter().map(|&w| E::of(w)).collect()),
            reduction,
            ignore,
            shape,
        }
    }

    /// w of a class.
    pub(super) fn weight(&self, class: usize) -> E {
        self.weights.as_ref().map_or(E::one(), |weights| weights[class])
    }

    /// w of the class at position `i`; `None` when that position is ignored.
    pub(super) fn weight_at(&self, i: usize) -> Option<E> {
        let label = self.labels[i];
        (Some(label) != self.ignore).then(|| self.weight(label))
    }

    /// w of the class at every position, 0 where it is ignored.
    pub(super) fn position_weights(&self) -> Vec<E> {
        (0..self.labels.len()).map(|i| self.weight_at(i).unwrap_or(E::zero())).collect()
    }

    /// Where the score of `class` for position `i` stands.
    pub(super) fn index(&self, i: usize, class: usize) -> usize {
        (i / self.inner * self.classes + class) * self.inner + i % self.inner
    }

    /// What a mean divides by: the sum of the weights of all labels.
    pub(super) fn total(&self) -> E {
        E::of((0..self.labels.len()).filter_map(|i| self.weight_at(i)).map(E::f64).sum())
    }

    /// The result from the weighted losses at all positions.
    pub(super) fn reduce(&self, losses: Array<E>) -> Array<E> {
        let sum = || striate_compute::map::sum(losses.as_slice().expect("the losses are contiguous"));
        match self.reduction {
            Reduction::None => losses.reshape(&self.shape),
            Reduction::Sum => Array::full(&[], sum()),
            Reduction::Mean => Array::full(&[], sum() / self.total()),
        }
    }

    /// dL/d(loss at each position), given dL/d(result).
    pub(super) fn scales(&self, dy: &Array<E>) -> Array<E> {
        let len = self.labels.len();
        match self.reduction {
            Reduction::None => dy.contiguous().reshape(&[len]),
            Reduction::Sum => Array::full(&[len], dy.data()[0]).contiguous(),
            Reduction::Mean => Array::full(&[len], dy.data()[0] / self.total()).contiguous(),
        }
    }
}
