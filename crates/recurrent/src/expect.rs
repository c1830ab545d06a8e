//! Shapes that do not fit, at the caller's line.

use crate::error::RecurrentError;

/// Unwraps a shape rule inside a step.
///
/// # Panics
/// With the operation's name and the error's text, at the caller's line.
#[track_caller]
pub(crate) fn expect<T>(op: &str, result: Result<T, RecurrentError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{op}: {error}"),
    }
}
