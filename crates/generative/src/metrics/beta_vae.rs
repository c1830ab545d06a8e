//! The metric of the β-VAE's paper.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::classifier::accuracy;
use super::set::Source;
use crate::error::GenerativeError;
use crate::network::positive;

/// Options of [`beta_vae_metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BetaVaeMetricOptions {
    /// L, pairs of samples whose differences are averaged.
    pub pairs: usize,
    /// Averages that the classifier learns from.
    pub learnt: usize,
    /// Averages that its accuracy is of.
    pub held_out: usize,
    /// Of the choice of the factors.
    pub seed: u64,
}

impl Default for BetaVaeMetricOptions {
    fn default() -> Self {
        BetaVaeMetricOptions { pairs: 64, learnt: 500, held_out: 500, seed: 0 }
    }
}

/// The β-VAE metric: how well a linear classifier tells which factor two samples share, from the distances of their
/// codes in each dimension.
///
/// One point is 1/L Σ |z − z′| (J) over L pairs of samples, all of them with one factor equal in the pair, the others
/// random; its class is that factor. The score is the accuracy on points held out; 1/K is chance.
///
/// `sizes` says how many values each factor has; `represent` gives the codes (N, J) of the samples that factors (N, K)
/// make. Factors with one value are left out. Higgins et al. 2017.
///
/// # Errors
/// When no factor has two values, an option is 0, or codes do not fit or are not finite.
///
/// ```
/// use striate_generative::metrics::{BetaVaeMetricOptions, beta_vae_metric};
///
/// let few = BetaVaeMetricOptions { learnt: 100, held_out: 50, ..Default::default() };
/// let score = beta_vae_metric(&[8, 8, 5], |factors| factors.mapv(|v| v as f64), few)?;
/// assert_eq!(score, 1.0);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn beta_vae_metric(
    sizes: &[usize],
    represent: impl FnMut(ArrayView2<usize>) -> Array2<f64>,
    options: BetaVaeMetricOptions,
) -> Result<f64, GenerativeError> {
    let BetaVaeMetricOptions { pairs, learnt, held_out, seed } = options;
    positive("an option of the β-VAE metric", &[pairs, learnt, held_out])?;
    let mut source = Source::new(sizes, represent, seed)?;
    let mut points = |count: usize| {
        let mut rows = Vec::with_capacity(count);
        let mut labels = Vec::with_capacity(count);
        for _ in 0..count {
            let class = source.choose();
            let factor = source.factor(class);
            let first = source.draw(pairs);
            let mut second = source.draw(pairs);
            second.column_mut(factor).assign(&first.column(factor));
            let distances = (source.codes(&first)? - source.codes(&second)?).mapv(f64::abs);
            rows.push(distances.mean_axis(Axis(0)).expect("there are pairs"));
            labels.push(class);
        }
        let views: Vec<_> = rows.iter().map(|row: &Array1<f64>| row.view()).collect();
        Ok::<_, GenerativeError>((ndarray::stack(Axis(0), &views).expect("codes have one length"), labels))
    };
    let (x, labels) = points(learnt)?;
    let (other, expected) = points(held_out)?;
    Ok(accuracy(source.classes(), (&x, &labels), (&other, &expected)))
}
