use nalgebra::linalg::SymmetricEigen;
use nalgebra::{Complex, DMatrix, DVector};
use ndarray::{Array1, ArrayRef1, ArrayRef2};
use striate_tensor::shape::{ShapeError, expect};

use super::spectrum::{ComplexMatrix, EigenError, ITERATIONS, schur, square};

/// Eigenvectors worse conditioned than this would cost h_t more than six of its sixteen digits.
const WORST_CONDITION: f64 = 1e6;

/// The linear recurrence h_t = W h_(t−1) = Wᵗ h_0 in the basis of the eigenvectors of W.
///
/// W = V Λ V⁻¹ gives h_t = V Λᵗ V⁻¹ h_0: along each eigenvector h vanishes or explodes as |λ|ᵗ. A symmetric W has
/// orthonormal eigenvectors and real eigenvalues: the Qᵀ Λᵗ Q of the notes, section 7, whose W is this one transposed.
/// Any other W has complex ones.
///
/// ```
/// use ndarray::array;
/// use striate_recurrent::diagnostics::LinearRecurrence;
///
/// let w = array![[0.5, 0.4], [-0.3, 1.2]];
/// let linear = LinearRecurrence::new(&w)?;
/// let h = array![1.0, -2.0];
/// let difference = linear.state(&h, 3) - w.dot(&w).dot(&w).dot(&h);
/// assert!(difference.iter().all(|d| d.abs() < 1e-12));
/// # Ok::<(), striate_recurrent::diagnostics::EigenError>(())
/// ```
pub struct LinearRecurrence {
    values: DVector<Complex<f64>>,
    vectors: ComplexMatrix,
    inverse: ComplexMatrix,
}

impl LinearRecurrence {
    /// Decomposes W (H, H).
    ///
    /// # Errors
    /// When an element is not finite, the iteration does not converge, or W has no basis of eigenvectors.
    ///
    /// # Panics
    /// When W is not square, or empty.
    #[track_caller]
    pub fn new(w: &ArrayRef2<f64>) -> Result<Self, EigenError> {
        let w = square("linear_recurrence", w)?;
        if w == w.transpose() { Self::symmetric(w) } else { Self::general(&w) }
    }

    fn symmetric(w: DMatrix<f64>) -> Result<Self, EigenError> {
        let iterations = ITERATIONS * w.nrows();
        let eigen = SymmetricEigen::try_new(w, f64::EPSILON, iterations).ok_or(EigenError::NotConverged)?;
        let vectors = eigen.eigenvectors.map(Complex::from);
        Ok(LinearRecurrence {
            values: eigen.eigenvalues.map(Complex::from),
            inverse: vectors.transpose(),
            vectors,
        })
    }

    fn general(w: &DMatrix<f64>) -> Result<Self, EigenError> {
        let (q, t) = schur(w)?;
        let vectors = q * triangular_eigenvectors(&t);
        let singular = vectors.singular_values();
        let condition = singular.max() / singular.min();
        match vectors.clone().try_inverse() {
            Some(inverse) if condition <= WORST_CONDITION => {
                Ok(LinearRecurrence { values: t.diagonal(), vectors, inverse })
            }
            _ => Err(EigenError::NotDiagonalisable { condition }),
        }
    }

    /// λ_1, …, λ_H as (re, im), in no particular order.
    pub fn eigenvalues(&self) -> Vec<(f64, f64)> {
        self.values.iter().map(|value| (value.re, value.im)).collect()
    }

    /// h_t = V Λᵗ V⁻¹ h_0 (H).
    ///
    /// # Panics
    /// When h_0 has another length than W has columns.
    #[track_caller]
    pub fn state(&self, h_0: &ArrayRef1<f64>, t: u32) -> Array1<f64> {
        if h_0.len() != self.values.len() {
            let rule = format!("h_0 must have {} elements", self.values.len());
            expect(Err(ShapeError::new("linear_recurrence", rule, &[("h_0", h_0.shape())])))
        }
        let h_0 = DVector::from_iterator(h_0.len(), h_0.iter().map(|&h| Complex::from(h)));
        let along = (&self.inverse * h_0).component_mul(&self.values.map(|value| value.powu(t)));
        (&self.vectors * along).iter().map(|h| h.re).collect()
    }
}

/// Eigenvectors of an upper triangular matrix as columns of length 1, by back substitution: (T − λ_i) x = 0, x_i = 1.
fn triangular_eigenvectors(t: &ComplexMatrix) -> ComplexMatrix {
    let n = t.nrows();
    let smallest = f64::EPSILON * t.norm();
    let mut vectors = DMatrix::identity(n, n);
    for i in 0..n {
        for j in (0..i).rev() {
            let sum: Complex<f64> = (j + 1..=i).map(|l| t[(j, l)] * vectors[(l, i)]).sum();
            let gap = t[(j, j)] - t[(i, i)];
            // Equal eigenvalues: as if they differed by a rounding, after LAPACK's ztrevc.
            let gap = if gap.norm() < smallest { Complex::from(smallest) } else { gap };
            vectors[(j, i)] = -sum / gap;
        }
        vectors.column_mut(i).normalize_mut();
    }
    vectors
}
