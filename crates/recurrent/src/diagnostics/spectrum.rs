use nalgebra::linalg::{SVD, Schur};
use nalgebra::{Complex, DMatrix};
use ndarray::ArrayRef2;
use striate_compute::rng::Rng;
use striate_tensor::shape::{ShapeError, expect};
use thiserror::Error;

/// Why a matrix has no eigenvalues, or no basis of eigenvectors, to compute with.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EigenError {
    /// An element is infinite or no number.
    #[error("the matrix has an element that is not finite")]
    NotFinite,
    /// The iteration did not end.
    #[error("the eigenvalues did not converge")]
    NotConverged,
    /// The eigenvectors do not span the space, or so nearly not that digits would be lost.
    #[error("the matrix cannot be diagonalised: its eigenvectors have condition number {condition:.1e}")]
    NotDiagonalisable {
        /// Largest singular value of the matrix of eigenvectors over its smallest.
        condition: f64,
    },
}

pub(super) type ComplexMatrix = DMatrix<Complex<f64>>;

/// Steps of an iteration for each row, of which a few are the rule.
pub(super) const ITERATIONS: usize = 100;

/// ‖A‖ = max ‖A x‖ / ‖x‖, the largest singular value. PyTorch's `torch.linalg.matrix_norm(A, 2)`.
///
/// NaN when an element is not finite or the iteration does not converge; 0 without elements.
///
/// ```
/// use ndarray::array;
/// use striate_recurrent::diagnostics::spectral_norm;
///
/// assert!((spectral_norm(&array![[0.0, 3.0], [0.0, 0.0], [0.0, 4.0]]) - 5.0).abs() < 1e-12);
/// ```
pub fn spectral_norm(matrix: &ArrayRef2<f64>) -> f64 {
    if matrix.is_empty() {
        return 0.0;
    }
    if matrix.iter().any(|a| !a.is_finite()) {
        return f64::NAN;
    }
    let iterations = ITERATIONS * matrix.nrows().max(matrix.ncols());
    SVD::try_new(columns(matrix), false, false, 5.0 * f64::EPSILON, iterations)
        .map_or(f64::NAN, |svd| svd.singular_values.max())
}

/// The eigenvalues (re, im) of a square matrix, in no particular order. PyTorch's `torch.linalg.eigvals`.
///
/// # Errors
/// When an element is not finite or the iteration does not converge.
///
/// # Panics
/// When the matrix is not square, or empty.
///
/// ```
/// use ndarray::array;
/// use striate_recurrent::diagnostics::eigenvalues;
///
/// // A quarter turn.
/// let turn = eigenvalues(&array![[0.0, -1.0], [1.0, 0.0]])?;
/// assert!(turn.iter().all(|(re, im)| re.abs() < 1e-12 && (im.abs() - 1.0).abs() < 1e-12));
/// # Ok::<(), striate_recurrent::diagnostics::EigenError>(())
/// ```
#[track_caller]
pub fn eigenvalues(matrix: &ArrayRef2<f64>) -> Result<Vec<(f64, f64)>, EigenError> {
    let (_, t) = schur(&square("eigenvalues", matrix)?)?;
    Ok(t.diagonal().iter().map(|value| (value.re, value.im)).collect())
}

/// max |λ| over the eigenvalues: by how much Aᵗ grows from step to step in the long run.
///
/// Below 1 all Aᵗ x vanish, above 1 almost all explode; ‖A‖ bounds it from above.
///
/// # Errors
/// When an element is not finite or the iteration does not converge.
///
/// # Panics
/// When the matrix is not square, or empty.
///
/// ```
/// use ndarray::array;
/// use striate_recurrent::diagnostics::{spectral_norm, spectral_radius};
///
/// let shear = array![[0.5, 10.0], [0.0, 0.25]];
/// assert!((spectral_radius(&shear)? - 0.5).abs() < 1e-12);
/// assert!(spectral_norm(&shear) > 10.0);
/// # Ok::<(), striate_recurrent::diagnostics::EigenError>(())
/// ```
#[track_caller]
pub fn spectral_radius(matrix: &ArrayRef2<f64>) -> Result<f64, EigenError> {
    Ok(eigenvalues(matrix)?.iter().map(|&(re, im)| re.hypot(im)).fold(0.0, f64::max))
}

pub(super) fn columns(matrix: &ArrayRef2<f64>) -> DMatrix<f64> {
    DMatrix::from_row_iterator(matrix.nrows(), matrix.ncols(), matrix.iter().copied())
}

/// A matrix with eigenvalues.
#[track_caller]
pub(super) fn square(op: &'static str, matrix: &ArrayRef2<f64>) -> Result<DMatrix<f64>, EigenError> {
    if !matrix.is_square() || matrix.is_empty() {
        let rule = "the matrix must be square, with at least one row";
        expect(Err(ShapeError::new(op, rule, &[("matrix", matrix.shape())])))
    }
    if matrix.iter().any(|a| !a.is_finite()) {
        return Err(EigenError::NotFinite);
    }
    Ok(columns(matrix))
}

/// A = Q T Qᴴ with Q unitary and T upper triangular, whose diagonal are the eigenvalues.
pub(super) fn schur(matrix: &DMatrix<f64>) -> Result<(ComplexMatrix, ComplexMatrix), EigenError> {
    let n = matrix.nrows();
    let decompose = |matrix: &DMatrix<f64>| {
        Schur::try_new(matrix.map(Complex::from), f64::EPSILON, ITERATIONS * n).map(Schur::unpack)
    };
    decompose(matrix)
        .or_else(|| {
            // The shifted QR iteration stands still on some matrices, such as cyclic permutations, but not in another
            // orthonormal basis.
            let mut rng = Rng::new(0);
            let basis = DMatrix::from_fn(n, n, |_, _| rng.normal()).qr().q();
            let (q, t) = decompose(&(basis.transpose() * matrix * &basis))?;
            Some((basis.map(Complex::from) * q, t))
        })
        .filter(|(_, t)| t.iter().all(|t| t.is_finite()))
        .ok_or(EigenError::NotConverged)
}
