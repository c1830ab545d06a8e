//! The metric of the FactorVAE's paper.

use ndarray::{Array2, ArrayView2, Axis};

use super::set::Source;
use crate::error::GenerativeError;
use crate::network::positive;

/// Options of [`factor_vae_metric`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FactorVaeMetricOptions {
    /// Samples that the spread of each dimension is taken from.
    pub spread_samples: usize,
    /// A dimension with a smaller standard deviation says nothing, and is left out.
    pub smallest_std: f64,
    /// L, samples of a vote.
    pub samples: usize,
    /// Votes that the classifier learns from.
    pub learnt: usize,
    /// Votes that its accuracy is of.
    pub held_out: usize,
    /// Of the choice of the factors.
    pub seed: u64,
}

impl Default for FactorVaeMetricOptions {
    fn default() -> Self {
        FactorVaeMetricOptions {
            spread_samples: 2000,
            smallest_std: 0.05,
            samples: 64,
            learnt: 500,
            held_out: 500,
            seed: 0,
        }
    }
}

/// The FactorVAE metric: how well the dimension that varies least tells which factor is fixed.
///
/// A vote is (argminⱼ Var(zⱼ) / sⱼ², k) over L samples that share factor k, sⱼ the standard deviation of zⱼ over all
/// samples. The classifier answers with a dimension's most frequent factor; the score is its accuracy on votes held
/// out, 1/K chance, and 0 when no dimension varies.
///
/// `sizes` says how many values each factor has; `represent` gives the codes (N, J) of the samples that factors (N, K)
/// make. Factors with one value are left out. Kim and Mnih 2018.
///
/// # Errors
/// When no factor has two values, an option is 0, or codes do not fit or are not finite.
///
/// ```
/// use striate_generative::metrics::factor_vae_metric;
///
/// let score = factor_vae_metric(&[8, 8, 5], |factors| factors.mapv(|v| v as f64), Default::default())?;
/// assert_eq!(score, 1.0);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn factor_vae_metric(
    sizes: &[usize],
    represent: impl FnMut(ArrayView2<usize>) -> Array2<f64>,
    options: FactorVaeMetricOptions,
) -> Result<f64, GenerativeError> {
    let FactorVaeMetricOptions { spread_samples, smallest_std, samples, learnt, held_out, seed } = options;
    positive("an option of the FactorVAE metric", &[spread_samples, samples, learnt, held_out])?;
    let mut source = Source::new(sizes, represent, seed)?;
    let all = source.draw(spread_samples);
    let std = source.codes(&all)?.std_axis(Axis(0), 0.0);
    let active: Vec<usize> = (0..std.len()).filter(|&j| std[j] > 0.0 && std[j] >= smallest_std).collect();
    if active.is_empty() {
        return Ok(0.0);
    }
    let mut vote = || {
        let class = source.choose();
        let factor = source.factor(class);
        let mut factors = source.draw(samples);
        let shared = factors[[0, factor]];
        factors.column_mut(factor).fill(shared);
        let spread = source.codes(&factors)?.std_axis(Axis(0), 0.0) / &std;
        let least = active.iter().copied().min_by(|&i, &j| spread[i].total_cmp(&spread[j]));
        Ok::<_, GenerativeError>((least.expect("there is one"), class))
    };
    let mut votes = |count: usize| (0..count).map(|_| vote()).collect::<Result<Vec<_>, _>>();
    let (learnt, held_out) = (votes(learnt)?, votes(held_out)?);
    let mut counts = Array2::<usize>::zeros((std.len(), source.classes()));
    learnt.iter().for_each(|&(dimension, class)| counts[[dimension, class]] += 1);
    let most = |dimension: usize| {
        let row = counts.row(dimension);
        (0..row.len()).rev().max_by_key(|&class| row[class])
    };
    let right = held_out.iter().filter(|&&(dimension, class)| most(dimension) == Some(class)).count();
    Ok(right as f64 / held_out.len() as f64)
}
