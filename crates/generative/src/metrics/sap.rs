//! Separated attribute predictability.

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::set::{FactorKind, check, check_kinds, gap};
use crate::error::GenerativeError;

/// What [`sap`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Sap {
    /// The mean of the gaps.
    pub score: f64,
    /// For each factor (K), the gap between the two dimensions that predict it best.
    pub gaps: Vec<f64>,
    /// How well each dimension alone predicts each factor (J, K).
    pub predictability: Array2<f64>,
}

/// Separated attribute predictability: how much better the best dimension predicts a factor than the second best.
///
/// SAP = 1/K Σ_k (S₍₁₎ₖ − S₍₂₎ₖ)
///
/// Sⱼₖ is the squared correlation of zⱼ with an ordinal factor, which is the R² of linear regression, and for a
/// categorical one the accuracy, averaged over the classes, of thresholds halfway between their means. Codes (N, J),
/// factors (N, K). Kumar, Sattigeri and Balakrishnan 2018.
///
/// # Errors
/// When the shapes do not fit, a code is not finite, or a factor has one value alone.
///
/// ```
/// use ndarray::Array2;
/// use striate_generative::metrics::{FactorKind, sap};
///
/// let factors = Array2::from_shape_fn((100, 2), |(n, k)| if k == 0 { n / 10 } else { n % 10 });
/// let codes = factors.mapv(|value| -2.0 * value as f64);
/// let found = sap(codes.view(), factors.view(), &[FactorKind::Ordinal; 2])?;
/// assert!((found.score - 1.0).abs() < 1e-12);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn sap(
    codes: ArrayView2<f64>,
    factors: ArrayView2<usize>,
    kinds: &[FactorKind],
) -> Result<Sap, GenerativeError> {
    check(codes, factors)?;
    check_kinds(kinds, factors)?;
    let predictability = Array2::from_shape_fn((codes.ncols(), factors.ncols()), |(j, k)| {
        let (z, v) = (codes.column(j), factors.column(k));
        match kinds[k] {
            FactorKind::Ordinal => squared_correlation(z, v),
            FactorKind::Categorical => threshold_accuracy(z, v),
        }
    });
    let gaps: Vec<f64> = predictability.columns().into_iter().map(gap).collect();
    Ok(Sap { score: gaps.iter().sum::<f64>() / gaps.len() as f64, gaps, predictability })
}

/// cov(z, v)² / (var(z) var(v)), 0 where z does not vary.
fn squared_correlation(z: ArrayView1<f64>, v: ArrayView1<usize>) -> f64 {
    let v = v.mapv(|v| v as f64);
    let mean = |x: ArrayView1<f64>| x.sum() / x.len() as f64;
    let (z, v) = (&z - mean(z), &v - mean(v.view()));
    let variance = z.dot(&z);
    if variance > 0.0 { z.dot(&v).powi(2) / (variance * v.dot(&v)) } else { 0.0 }
}

/// The mean over the classes of the share of their samples whose code is nearest to their own mean.
fn threshold_accuracy(z: ArrayView1<f64>, v: ArrayView1<usize>) -> f64 {
    let classes = v.iter().max().map_or(0, |&most| most + 1);
    let (mut counts, mut means, mut right) = (vec![0.0; classes], vec![0.0; classes], vec![0.0; classes]);
    for (&z, &v) in z.iter().zip(v) {
        counts[v] += 1.0;
        means[v] += z;
    }
    let present: Vec<usize> = (0..classes).filter(|&class| counts[class] > 0.0).collect();
    present.iter().for_each(|&class| means[class] /= counts[class]);
    for (&z, &v) in z.iter().zip(v) {
        let distance = |class: &usize| (z - means[*class]).abs();
        let predicted = present.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        right[v] += if predicted == Some(v) { 1.0 } else { 0.0 };
    }
    present.iter().map(|&class| right[class] / counts[class]).sum::<f64>() / present.len() as f64
}
