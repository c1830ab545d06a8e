//! Codes with their factors, and factors that are chosen.

use ndarray::{Array2, ArrayView2};
use striate_nn::Rng;

use crate::check::finite;
use crate::error::GenerativeError;

/// What the values of a factor mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// They have an order and distances: a scale, a place.
    Ordinal,
    /// They are names: a shape.
    Categorical,
}

/// Whether codes (N, J) and factors (N, K) can be compared: at least two samples, a dimension, a factor, finite codes,
/// and for each factor more than one value.
pub(super) fn check(codes: ArrayView2<f64>, factors: ArrayView2<usize>) -> Result<(), GenerativeError> {
    finite("codes", &codes)?;
    let shape = || factors.shape().to_vec();
    if factors.nrows() != codes.nrows() || factors.ncols() == 0 {
        let expected = format!("({}, K) with K ≥ 1", codes.nrows());
        return Err(GenerativeError::Shape { what: "factors", expected, shape: shape() });
    }
    if codes.ncols() == 0 {
        return Err(GenerativeError::Zero { what: "the number of latent dimensions" });
    }
    if codes.nrows() < 2 {
        let found = codes.nrows();
        return Err(GenerativeError::Samples { what: "a metric of disentanglement", needed: 2, found });
    }
    let constant = |factor: &usize| {
        let values = factors.column(*factor);
        values.iter().all(|value| *value == values[0])
    };
    match (0..factors.ncols()).find(constant) {
        Some(factor) => Err(GenerativeError::ConstantFactor { factor }),
        None => Ok(()),
    }
}

/// Whether there is a kind for each factor.
pub(super) fn check_kinds(kinds: &[FactorKind], factors: ArrayView2<usize>) -> Result<(), GenerativeError> {
    if kinds.len() == factors.ncols() {
        return Ok(());
    }
    let expected = format!("one for each of {} factors", factors.ncols());
    Err(GenerativeError::Shape { what: "kinds", expected, shape: vec![kinds.len()] })
}

/// The gap between the largest and the second largest number of a column; to 0 where there is one row.
pub(super) fn gap(column: ndarray::ArrayView1<f64>) -> f64 {
    let mut scores = column.to_vec();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores[0] - scores.get(1).copied().unwrap_or(0.0)
}

/// Factors with so many values each, and what encodes the samples that they make.
pub(super) struct Source<'a, F> {
    sizes: &'a [usize],
    represent: F,
    /// Factors that can differ.
    varying: Vec<usize>,
    rng: Rng,
}

impl<'a, F: FnMut(ArrayView2<usize>) -> Array2<f64>> Source<'a, F> {
    pub(super) fn new(sizes: &'a [usize], represent: F, seed: u64) -> Result<Self, GenerativeError> {
        if sizes.contains(&0) {
            return Err(GenerativeError::Zero { what: "the number of a factor's values" });
        }
        let varying: Vec<usize> = (0..sizes.len()).filter(|&factor| sizes[factor] > 1).collect();
        if varying.is_empty() {
            return Err(GenerativeError::ConstantFactor { factor: 0 });
        }
        Ok(Source { sizes, represent, varying, rng: Rng::new(seed) })
    }

    /// Factors (N, K) at random.
    pub(super) fn draw(&mut self, samples: usize) -> Array2<usize> {
        Array2::from_shape_fn((samples, self.sizes.len()), |(_, k)| self.rng.below(self.sizes[k]))
    }

    /// The number of a factor that can differ, among these: a class for classifiers.
    pub(super) fn choose(&mut self) -> usize {
        self.rng.below(self.varying.len())
    }

    pub(super) fn classes(&self) -> usize {
        self.varying.len()
    }

    /// The factor of a class.
    pub(super) fn factor(&self, class: usize) -> usize {
        self.varying[class]
    }

    /// The codes of factors.
    pub(super) fn codes(&mut self, factors: &Array2<usize>) -> Result<Array2<f64>, GenerativeError> {
        let codes = (self.represent)(factors.view());
        if codes.nrows() != factors.nrows() || codes.ncols() == 0 {
            let expected = format!("({}, J) with J ≥ 1", factors.nrows());
            return Err(GenerativeError::Shape { what: "codes", expected, shape: codes.shape().to_vec() });
        }
        finite("codes", &codes)?;
        Ok(codes)
    }
}
