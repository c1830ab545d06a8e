//! Losses: the negative log-likelihood of the data under the model, each of a named distribution.

mod bernoulli;
mod categorical;
mod cross_entropy;
mod dice;
mod divergence;
mod elementwise;
mod focal;
mod gaussian;
mod regression;
mod targets;

pub use bernoulli::{
    BinaryCrossEntropyOptions, binary_cross_entropy, binary_cross_entropy_from_logits,
    binary_cross_entropy_from_logits_with, binary_cross_entropy_with,
};
pub use categorical::{CategoricalNllOptions, categorical_nll, categorical_nll_with};
pub use cross_entropy::{CrossEntropyOptions, cross_entropy, cross_entropy_with};
pub use dice::{DiceOptions, DiceOver, dice_loss};
pub use divergence::{DiagonalGaussian, kl_categorical, kl_gaussian, kl_standard_normal};
pub use focal::{BinaryFocalOptions, FocalOptions, binary_focal_loss, focal_loss};
pub use gaussian::{GaussianNllOptions, gaussian_nll};
pub use regression::{
    SmoothAbsoluteErrorOptions, absolute_error, absolute_error_with, smooth_absolute_error, squared_error,
    squared_error_with,
};

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
