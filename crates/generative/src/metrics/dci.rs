//! Disentanglement, completeness and informativeness.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use striate_nn::Rng;

use super::lasso::{Scale, lasso};
use super::set::{FactorKind, check, check_kinds};
use crate::error::GenerativeError;

/// Options of [`dci`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DciOptions {
    /// λ of the lasso, for codes and factors of variance 1.
    pub lambda: f64,
    /// Of the choice of the samples that are held out.
    pub seed: u64,
}

impl Default for DciOptions {
    fn default() -> Self {
        DciOptions { lambda: 0.02, seed: 0 }
    }
}

/// What [`dci`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Dci {
    /// D: whether each dimension matters for one factor alone; the mean over the dimensions, by how much they matter.
    pub disentanglement: f64,
    /// C: whether each factor needs one dimension alone; the mean over the factors, by how much is needed for them.
    pub completeness: f64,
    /// I: R² of the predictions on samples held out, the mean over the factors; negative when worse than the mean.
    pub informativeness: f64,
    /// R (J, K): how much each dimension matters for each factor.
    pub importance: Array2<f64>,
}

/// Disentanglement, completeness and informativeness, from how much each dimension of the code matters when all
/// together predict a factor.
///
/// D = Σⱼ ρⱼ (1 − H_K(Pⱼ)), Pⱼₖ = Rⱼₖ / Σₖ Rⱼₖ, ρⱼ = Σₖ Rⱼₖ / Σ R; C the same with rows and columns exchanged
///
/// H_K is the entropy to the base K. Rⱼₖ = |wⱼ| of a lasso for factor k, which sees what is linear in the code; a
/// categorical factor has one for each class, and R is their mean. Codes (N, J), factors (N, K); a quarter of the samples
/// is held out. Eastwood and Williams 2018; C is weighted as by Locatello et al. 2019.
///
/// # Errors
/// When the shapes do not fit, a code is not finite, a factor has one value alone, λ is negative or not finite, or there are fewer
/// than 8 samples.
///
/// ```
/// use ndarray::Array2;
/// use striate_generative::metrics::{FactorKind, dci};
///
/// let factors = Array2::from_shape_fn((100, 2), |(n, k)| if k == 0 { n / 10 } else { n % 10 });
/// let codes = factors.mapv(|value| value as f64);
/// let found = dci(codes.view(), factors.view(), &[FactorKind::Ordinal; 2], Default::default())?;
/// assert!(found.disentanglement > 0.9 && found.completeness > 0.9 && found.informativeness > 0.99);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn dci(
    codes: ArrayView2<f64>,
    factors: ArrayView2<usize>,
    kinds: &[FactorKind],
    options: DciOptions,
) -> Result<Dci, GenerativeError> {
    let DciOptions { lambda, seed } = options;
    check(codes, factors)?;
    check_kinds(kinds, factors)?;
    if !(lambda >= 0.0 && lambda.is_finite()) {
        let rule = "finite and not negative";
        return Err(GenerativeError::Option { name: "lambda", rule, value: lambda });
    }
    if codes.nrows() < 8 {
        return Err(GenerativeError::Samples { what: "dci", needed: 8, found: codes.nrows() });
    }
    let order = Rng::new(seed).permutation(codes.nrows());
    let (held_out, learnt) = order.split_at(codes.nrows() / 4);
    let scale = Scale::of(codes.select(Axis(0), learnt).view());
    let codes = scale.apply(codes);
    let split = |x: &Array2<f64>| [learnt, held_out].map(|rows| x.select(Axis(0), rows));
    let x = split(&codes);
    let mut importance = Array2::zeros((codes.ncols(), factors.ncols()));
    let mut informativeness = 0.0;
    for (k, kind) in kinds.iter().enumerate() {
        let y = split(&targets(factors.column(k), *kind));
        let fits = y[0].columns().into_iter().zip(y[1].columns()).map(|(y, held)| fit(&x, [y, held], lambda));
        let fits: Vec<(Array1<f64>, f64)> = fits.collect();
        let count = fits.len() as f64;
        for (weights, r2) in fits {
            importance.column_mut(k).scaled_add(1.0 / count, &weights.mapv(f64::abs));
            informativeness += r2 / count / kinds.len() as f64;
        }
    }
    let (disentanglement, completeness) = (concentration(importance.view()), concentration(importance.t()));
    Ok(Dci { disentanglement, completeness, informativeness, importance })
}

/// What is predicted: the factor's value, or for each of its classes whether it is that one.
fn targets(values: ArrayView1<usize>, kind: FactorKind) -> Array2<f64> {
    match kind {
        FactorKind::Ordinal => values.mapv(|value| value as f64).insert_axis(Axis(1)),
        FactorKind::Categorical => {
            let mut classes = values.to_vec();
            classes.sort_unstable();
            classes.dedup();
            let is = |(n, c): (usize, usize)| f64::from(u8::from(values[n] == classes[c]));
            Array2::from_shape_fn((values.len(), classes.len()), is)
        }
    }
}

/// The weights for one target, and R² on the samples held out: in units of the learnt target's variance.
fn fit(x: &[Array2<f64>; 2], y: [ArrayView1<f64>; 2], lambda: f64) -> (Array1<f64>, f64) {
    let column = |y: ArrayView1<f64>| y.to_owned().insert_axis(Axis(1));
    let scale = Scale::of(column(y[0]).view());
    let y = y.map(|y| scale.apply(column(y).view()).slice(s![.., 0]).to_owned());
    let w = lasso(x[0].view(), y[0].view(), lambda);
    let errors = &y[1] - &x[1].dot(&w);
    let spread = &y[1] - y[1].sum() / y[1].len() as f64;
    let variance = spread.dot(&spread);
    let r2 = if variance > 0.0 { 1.0 - errors.dot(&errors) / variance } else { 0.0 };
    (w, r2)
}

/// Σ ρ (1 − H(P)) over the rows of an importance matrix; 0 where nothing matters.
fn concentration(importance: ArrayView2<f64>) -> f64 {
    let whole = importance.sum();
    if whole == 0.0 {
        return 0.0;
    }
    let base = (importance.ncols() as f64).ln();
    let row = |row: ArrayView1<f64>| {
        let sum = row.sum();
        let entropy: f64 = row.iter().filter(|r| **r > 0.0).map(|r| -r / sum * (r / sum).ln()).sum();
        sum / whole * if base > 0.0 { 1.0 - entropy / base } else { 1.0 }
    };
    importance.rows().into_iter().map(row).sum()
}
