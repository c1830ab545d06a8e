//! Principal component analysis: the linear auto-encoder in closed form.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use striate_tensor::{Real, Tensor};

use crate::check::{columns, finite};
use crate::error::GenerativeError;

/// The linear map onto the directions in which data varies most, and back.
///
/// z = W (x − μ), x̂ = Wᵀ z + μ
///
/// The rows of W (K, D) are orthonormal eigenvectors of the covariance matrix 1/(N − 1) Σ (x − μ)(x − μ)ᵀ, those of the
/// K largest eigenvalues, by falling eigenvalue. No linear map onto K numbers and back leaves a smaller error
/// Σ ‖x − x̂‖². Each row's entry of largest magnitude is positive.
///
/// The notes' section 8, with b = −W μ, W* = Wᵀ and c = μ; Pearson 1901, Hotelling 1933. scikit-learn's `PCA`.
///
/// ```
/// use ndarray::array;
/// use striate_generative::Pca;
///
/// let x = array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
/// let pca = Pca::fit(x.view(), 1)?;
/// assert!((pca.explained_variance_ratio()[0] - 1.0).abs() < 1e-12);
/// let back = pca.inverse(pca.transform(x.view())?.view())?;
/// assert!((back - x).iter().all(|error: &f64| error.abs() < 1e-12));
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    mean: Array1<f64>,
    components: Array2<f64>,
    variance: Array1<f64>,
    total_variance: f64,
}

impl Pca {
    /// Finds the mean and the first `components` directions of data x (N, D).
    ///
    /// In double precision, by the eigenvectors of the covariance matrix or, when there are fewer samples than
    /// features, of the matrix of inner products.
    ///
    /// # Errors
    /// When a number is not finite, there are fewer than two samples, or the components are not 1 to min(D, N − 1):
    /// N samples leave their mean in N − 1 directions.
    pub fn fit<E: Real>(x: ArrayView2<E>, components: usize) -> Result<Self, GenerativeError> {
        let (samples, features) = x.dim();
        finite("x", &x)?;
        if samples < 2 {
            return Err(GenerativeError::Samples { what: "pca", needed: 2, found: samples });
        }
        let most = features.min(samples - 1);
        if !(1..=most).contains(&components) {
            return Err(GenerativeError::Components { components, most });
        }
        let x = x.mapv(E::f64);
        let mean = x.mean_axis(Axis(0)).expect("there are samples");
        let x = Tensor::from(x - &mean);
        let (scatter, directions) = if features <= samples {
            leading(&x.t().matmul(&x), components)
        } else {
            let (scatter, u) = leading(&x.matmul(&x.t()), components);
            (scatter, orthonormal(&x.t().matmul(&matrix(&u))))
        };
        let degrees = (samples - 1) as f64;
        Ok(Pca {
            mean,
            components: upright(&directions),
            variance: scatter / degrees,
            total_variance: (&x * &x).sum().item() / degrees,
        })
    }

    /// z = W (x − μ): x (N, D) → (N, K).
    ///
    /// # Errors
    /// When x has other features than D, or a number is not finite.
    pub fn transform<E: Real>(&self, x: ArrayView2<E>) -> Result<Array2<E>, GenerativeError> {
        columns("x", &x, self.mean.len())?;
        finite("x", &x)?;
        Ok((x.mapv(E::f64) - &self.mean).dot(&self.components.t()).mapv(E::of))
    }

    /// x̂ = Wᵀ z + μ: z (N, K) → (N, D).
    ///
    /// # Errors
    /// When z has other columns than K, or a number is not finite.
    pub fn inverse<E: Real>(&self, z: ArrayView2<E>) -> Result<Array2<E>, GenerativeError> {
        columns("z", &z, self.components.nrows())?;
        finite("z", &z)?;
        Ok((z.mapv(E::f64).dot(&self.components) + &self.mean).mapv(E::of))
    }

    /// μ (D)
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// W (K, D), orthonormal rows.
    pub fn components(&self) -> ArrayView2<'_, f64> {
        self.components.view()
    }

    /// The variance along each component (K): the eigenvalues of the covariance matrix.
    pub fn explained_variance(&self) -> ArrayView1<'_, f64> {
        self.variance.view()
    }

    /// The share of the data's whole variance along each component (K); 0 where the data has none.
    pub fn explained_variance_ratio(&self) -> Array1<f64> {
        let whole = if self.total_variance > 0.0 { self.total_variance } else { 1.0 };
        &self.variance / whole
    }
}

/// The angles between two subspaces, spanned by the rows of `a` (K, D) and of `b` (L, D): min(K, L) angles in radians,
/// the smallest first.
///
/// cos θᵢ = σᵢ(Q_aᵀ Q_b), where the columns of Q_a and Q_b are orthonormal and span the subspaces
///
/// All are 0 when one subspace lies in the other. Björck and Golub 1973. SciPy's `linalg.subspace_angles`.
///
/// # Errors
/// When the rows have different lengths or are more than these, or a number is not finite.
///
/// ```
/// use ndarray::array;
/// use striate_generative::principal_angles;
///
/// let (x_axis, diagonal) = (array![[1.0, 0.0]], array![[3.0, 3.0]]);
/// let angles = principal_angles(x_axis.view(), diagonal.view())?;
/// assert!((angles[0] - std::f64::consts::FRAC_PI_4).abs() < 1e-12);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn principal_angles(a: ArrayView2<f64>, b: ArrayView2<f64>) -> Result<Vec<f64>, GenerativeError> {
    columns("b", &b, a.ncols())?;
    for (what, rows) in [("a", &a), ("b", &b)] {
        finite(what, rows)?;
        if rows.nrows() > rows.ncols() {
            let expected = format!("at most {} rows", rows.ncols());
            return Err(GenerativeError::Shape { what, expected, shape: rows.shape().to_vec() });
        }
    }
    let basis = |rows: ArrayView2<f64>| orthonormal(&Tensor::from(rows).t());
    let cosines = basis(a).dot(&basis(b).t());
    let cosines = DMatrix::from_row_iterator(cosines.nrows(), cosines.ncols(), cosines.iter().copied());
    Ok(cosines.singular_values().iter().map(|cosine| cosine.min(1.0).acos()).collect())
}

/// The largest eigenvalues of a symmetric matrix, the largest first, and their eigenvectors as rows.
fn leading(symmetric: &Tensor<f64>, count: usize) -> (Array1<f64>, Array2<f64>) {
    let n = symmetric.shape()[0];
    let eigen = SymmetricEigen::new(DMatrix::from_row_slice(n, n, &symmetric.to_vec()));
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| eigen.eigenvalues[j].total_cmp(&eigen.eigenvalues[i]));
    let values = Array1::from_shape_fn(count, |k| eigen.eigenvalues[order[k]].max(0.0));
    let vectors = Array2::from_shape_fn((count, n), |(k, i)| eigen.eigenvectors[(i, order[k])]);
    (values, vectors)
}

/// The columns of a matrix (D, K), K ≤ D, made orthonormal from the first on, as rows (K, D): also where they are
/// zero or dependent.
fn orthonormal(columns: &Tensor<f64>) -> Array2<f64> {
    let &[rows, count] = columns.shape() else { unreachable!("a matrix") };
    let q = DMatrix::from_row_slice(rows, count, &columns.to_vec()).qr().q();
    Array2::from_shape_fn((count, rows), |(k, i)| q[(i, k)])
}

fn matrix(rows: &Array2<f64>) -> Tensor<f64> {
    Tensor::from(rows.view()).t()
}

/// The rows with signs such that the entry of largest magnitude is positive.
fn upright(rows: &Array2<f64>) -> Array2<f64> {
    let mut rows = rows.clone();
    for mut row in rows.rows_mut() {
        let largest = row.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        row.mapv_inplace(|w| w * largest.signum());
    }
    rows
}
