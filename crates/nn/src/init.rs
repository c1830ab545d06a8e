//! How parameters start.

use striate_compute::rng::Rng;
use striate_tensor::{Array, Real};

/// The distribution that a parameter is drawn from.
///
/// fan_in is the number of inputs of one output, fan_out the number of outputs of one input:
/// for a weight (out, in, k…) they are in · Πk and out · Πk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// One number everywhere.
    Constant(f64),
    /// U(low, high)
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value, itself excluded.
        high: f64,
    },
    /// N(mean, std²)
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
}

impl Init {
    /// U(−1/√fan_in, 1/√fan_in): what PyTorch's layers start from, weight and bias alike.
    pub fn fan_in(fan_in: usize) -> Self {
        let bound = if fan_in == 0 { 0.0 } else { 1.0 / (fan_in as f64).sqrt() };
        Init::Uniform { low: -bound, high: bound }
    }

    /// Draws an array.
    pub fn draw<E: Real>(&self, shape: &[usize], rng: &mut Rng) -> Array<E> {
        Array::build(shape, |y| match *self {
            Init::Constant(value) => y.fill(E::of(value)),
            Init::Uniform { low, high } => rng.fill_uniform(y, low, high),
            Init::Normal { mean, std } => rng.fill_normal(y, mean, std),
        })
    }
}
