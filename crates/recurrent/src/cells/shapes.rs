//! The shapes of a step.

use striate_tensor::{Real, Tensor};

use crate::error::RecurrentError;
use crate::expect::expect;

/// A tensor that is carried from step to step: its letter, itself, and its features.
pub(super) type Carried<'a, E> = (&'static str, &'a Tensor<E>, usize);

/// Checks x (N, I) against `input` features, and that each of `state` is (N, features).
#[track_caller]
pub(super) fn check<E: Real, const S: usize>(
    op: &str,
    x: &Tensor<E>,
    input: usize,
    state: [Carried<'_, E>; S],
) {
    let batch = expect(op, batch(x.shape(), input));
    for (what, tensor, features) in state {
        expect(op, carried(what, tensor.shape(), [batch, features]));
    }
}

/// N of x (N, I).
fn batch(x: &[usize], features: usize) -> Result<usize, RecurrentError> {
    match *x {
        [batch, found] if found == features => Ok(batch),
        _ => Err(RecurrentError::Input { expected: "(N, I)", features, shape: x.to_vec() }),
    }
}

fn carried(what: &'static str, shape: &[usize], expected: [usize; 2]) -> Result<(), RecurrentError> {
    if shape == expected {
        return Ok(());
    }
    Err(RecurrentError::Shape { what, expected: expected.to_vec(), shape: shape.to_vec() })
}
