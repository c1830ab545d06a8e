//! The mutual information gap.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::set::{check, gap};
use crate::error::GenerativeError;

/// Cells of a code's histogram.
const BINS: usize = 20;

/// What [`mig`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Mig {
    /// The mean of the gaps.
    pub score: f64,
    /// For each factor (K): (I(z₍₁₎; v) − I(z₍₂₎; v)) / H(v), the gap between the two dimensions that know most of it.
    pub gaps: Vec<f64>,
    /// I(zⱼ; v_k), in nats (J, K).
    pub information: Array2<f64>,
}

/// The mutual information gap: how much more the best dimension knows of a factor than the second best.
///
/// MIG = 1/K Σ_k (I(z₍₁₎; v_k) − I(z₍₂₎; v_k)) / H(v_k)
///
/// Codes (N, J) and factors (N, K). The information is that of the counts, with codes in 20 cells of equal width.
/// Chen et al. 2018; the histogram is that of Locatello et al. 2019.
///
/// # Errors
/// When the shapes do not fit, a code is not finite, or a factor has one value alone.
pub fn mig(codes: ArrayView2<f64>, factors: ArrayView2<usize>) -> Result<Mig, GenerativeError> {
    check(codes, factors)?;
    let cells: Vec<Vec<usize>> = codes.columns().into_iter().map(histogram).collect();
    let values: Vec<Vec<usize>> = factors.columns().into_iter().map(|column| column.to_vec()).collect();
    let information = Array2::from_shape_fn((codes.ncols(), factors.ncols()), |(j, k)| {
        mutual_information(&cells[j], &values[k])
    });
    let entropy = |values: &[usize]| mutual_information(values, values);
    let gaps: Vec<f64> =
        information.columns().into_iter().zip(&values).map(|(column, v)| gap(column) / entropy(v)).collect();
    Ok(Mig { score: gaps.iter().sum::<f64>() / gaps.len() as f64, gaps, information })
}

/// The cell of each number, of cells of equal width from the least to the largest.
fn histogram(x: ArrayView1<f64>) -> Vec<usize> {
    let (low, high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
    let width = if high > low { (high - low) / BINS as f64 } else { 1.0 };
    x.iter().map(|x| (((x - low) / width) as usize).min(BINS - 1)).collect()
}

/// I(a; b) = Σ p(a, b) ln (p(a, b) / (p(a) p(b))) of the counts, in nats; H(a) for a = b.
fn mutual_information(a: &[usize], b: &[usize]) -> f64 {
    let size = |x: &[usize]| x.iter().max().map_or(0, |&most| most + 1);
    let mut p = Array2::<f64>::zeros((size(a), size(b)));
    for (&i, &j) in a.iter().zip(b) {
        p[[i, j]] += 1.0 / a.len() as f64;
    }
    let (rows, columns) = (p.sum_axis(Axis(1)), p.sum_axis(Axis(0)));
    let term = |((i, j), &p): ((usize, usize), &f64)| {
        if p > 0.0 { p * (p / (rows[i] * columns[j])).ln() } else { 0.0 }
    };
    p.indexed_iter().map(term).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_equally_wide_and_the_largest_number_lies_in_the_last() {
        let x: Vec<f64> = (0..=20).map(|i| 3.0 + 0.5 * i as f64).collect();
        let expected: Vec<usize> = (0..20).chain([19]).collect();
        assert_eq!(histogram(ArrayView1::from(&x)), expected);
        assert_eq!(histogram(ArrayView1::from(&[7.0, 7.0])), [0, 0]);
    }

    #[test]
    fn information_of_counts() {
        assert!((mutual_information(&[0, 1, 0, 1], &[0, 0, 1, 1])).abs() < 1e-15);
        assert!((mutual_information(&[0, 0, 2, 2], &[5, 5, 1, 1]) - 2f64.ln()).abs() < 1e-15);
    }
}
