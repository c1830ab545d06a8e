//! Losses: the negative log-likelihood of the data under the model, each of a named distribution.

mod cross_entropy;
mod targets;

pub use cross_entropy::{CrossEntropyOptions, cross_entropy, cross_entropy_with};

/// How the losses of single elements become the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean, weighted by class weights where a loss has them.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// None: the losses of single elements.
    None,
}
