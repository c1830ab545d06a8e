//! The weights of a filter and their origin.

use ndarray::{Array2, ArrayView2, array, s};
use striate_compute::Real;
use thiserror::Error;

use super::Separable;

/// Weights that make no filter.
#[derive(Clone, Debug, PartialEq, Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum FilterError {
    #[error("a kernel needs at least one weight, it has shape ({rows}, {columns})")]
    Empty { rows: usize, columns: usize },
    #[error("anchor {anchor:?} lies outside the kernel of shape {shape:?}")]
    Anchor { anchor: (usize, usize), shape: (usize, usize) },
    #[error("sigma must be a number above 0, not {sigma}")]
    Sigma { sigma: f64 },
}

/// A filter's weights K(m, n), where m counts rows and n columns from the anchor; zero outside.
///
/// ```
/// use ndarray::array;
/// use striate_conv::filter::Kernel;
///
/// let kernel = Kernel::new(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (1, 0))?;
/// assert_eq!(kernel.at(0, 0), 3.0);
/// assert_eq!(kernel.at(-1, 1), 2.0);
/// assert_eq!(kernel.at(0, -1), 0.0);
/// # Ok::<(), striate_conv::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel<E> {
    weights: Array2<E>,
    anchor: (usize, usize),
}

impl<E: Real> Kernel<E> {
    /// A kernel with K(0, 0) = `weights[anchor]`.
    ///
    /// # Errors
    /// When there are no weights, or the anchor is none of them.
    pub fn new(weights: Array2<E>, anchor: (usize, usize)) -> Result<Self, FilterError> {
        let (rows, columns) = weights.dim();
        if weights.is_empty() {
            return Err(FilterError::Empty { rows, columns });
        }
        if anchor.0 >= rows || anchor.1 >= columns {
            return Err(FilterError::Anchor { anchor, shape: (rows, columns) });
        }
        Ok(Kernel { weights: weights.as_standard_layout().into_owned(), anchor })
    }

    /// A kernel with its anchor in the middle; an even size has it before the middle.
    ///
    /// # Errors
    /// When there are no weights.
    pub fn centred(weights: Array2<E>) -> Result<Self, FilterError> {
        let (rows, columns) = weights.dim();
        Kernel::new(weights, (rows.saturating_sub(1) / 2, columns.saturating_sub(1) / 2))
    }

    /// K(m, n) = exp(−(m² + n²) / 2σ²) up to a factor that makes the sum 1, for |m|, |n| ≤ `radius`.
    ///
    /// # Errors
    /// When `sigma`, in pixels, is not a number above 0.
    ///
    /// ```
    /// use striate_conv::filter::Kernel;
    ///
    /// let kernel = Kernel::<f64>::gaussian(1.5, 4)?;
    /// assert_eq!(kernel.weights().dim(), (9, 9));
    /// assert!((kernel.weights().sum() - 1.0).abs() < 1e-12);
    /// # Ok::<(), striate_conv::filter::FilterError>(())
    /// ```
    pub fn gaussian(sigma: f64, radius: usize) -> Result<Self, FilterError> {
        Ok(Separable::gaussian(sigma, radius)?.outer())
    }

    /// The mean over (2·radius + 1)² pixels.
    pub fn box_blur(radius: usize) -> Self {
        Separable::box_blur(radius).outer()
    }

    /// Sobel's operator for x: [1, 2, 1] down the columns, [−1, 0, 1] along the rows.
    ///
    /// As a correlation it gives 8 · ∂f/∂x where f is affine, as a convolution −8 · ∂f/∂x.
    pub fn sobel_x() -> Self {
        Separable::sobel_x().outer()
    }

    /// Sobel's operator for y: [−1, 0, 1] down the columns, [1, 2, 1] along the rows.
    ///
    /// As a correlation it gives 8 · ∂f/∂y where f is affine, as a convolution −8 · ∂f/∂y.
    pub fn sobel_y() -> Self {
        Separable::sobel_y().outer()
    }

    /// ∂²f/∂x² + ∂²f/∂y² of neighbours at distance 1: [[0, 1, 0], [1, −4, 1], [0, 1, 0]], exact where f is quadratic.
    pub fn laplacian() -> Self {
        let weights = array![[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]];
        Kernel { weights: weights.mapv(E::of), anchor: (1, 1) }
    }

    /// The derivative kernel [−1, 1] along the rows, its anchor on the −1: K(0, 0) = −1, K(0, 1) = 1.
    ///
    /// As a correlation it gives f(x + 1, y) − f(x, y) ≈ ∂f/∂x, as a convolution f(x − 1, y) − f(x, y) ≈ −∂f/∂x:
    /// exactly so where f is affine.
    ///
    /// ```
    /// use ndarray::{Array2, s};
    /// use striate_conv::Boundary;
    /// use striate_conv::filter::{Kernel, convolve, correlate};
    ///
    /// let f = Array2::from_shape_fn((4, 5), |(y, x)| 3.0 * x as f64 - 2.0 * y as f64 + 1.0);
    /// let kernel = Kernel::derivative_x();
    /// let forwards = correlate(f.view(), &kernel, Boundary::Replicate);
    /// let backwards = convolve(f.view(), &kernel, Boundary::Replicate);
    /// assert!(forwards.slice(s![.., ..-1]).iter().all(|&d| d == 3.0));
    /// assert!(backwards.slice(s![.., 1..]).iter().all(|&d| d == -3.0));
    /// ```
    pub fn derivative_x() -> Self {
        Kernel { weights: array![[-E::one(), E::one()]], anchor: (0, 0) }
    }

    /// [`Kernel::derivative_x`] down the columns: K(0, 0) = −1, K(1, 0) = 1.
    pub fn derivative_y() -> Self {
        Kernel { weights: array![[-E::one()], [E::one()]], anchor: (0, 0) }
    }

    /// All weights, row by row.
    pub fn weights(&self) -> ArrayView2<'_, E> {
        self.weights.view()
    }

    /// Where K(0, 0) stands among the weights.
    pub fn anchor(&self) -> (usize, usize) {
        self.anchor
    }

    /// K(m, n), zero outside.
    pub fn at(&self, m: isize, n: isize) -> E {
        let (row, column) = (self.anchor.0.checked_add_signed(m), self.anchor.1.checked_add_signed(n));
        let weight = row.zip(column).and_then(|place| self.weights.get(place));
        weight.copied().unwrap_or(E::zero())
    }

    /// K(−m, −n): the kernel turned by 180° about its anchor.
    ///
    /// Convolution with K is [correlation](super::correlate) with this.
    pub fn rotated(&self) -> Self {
        let (rows, columns) = self.weights.dim();
        let weights = self.weights.slice(s![..;-1, ..;-1]).as_standard_layout().into_owned();
        Kernel { weights, anchor: (rows - 1 - self.anchor.0, columns - 1 - self.anchor.1) }
    }

    /// Whether K(m, n) = K(−m, −n) everywhere: if and only if so, correlation and convolution are equal on every image.
    ///
    /// ```
    /// use striate_conv::filter::Kernel;
    ///
    /// assert!(Kernel::<f32>::laplacian().is_symmetric());
    /// assert!(!Kernel::<f32>::derivative_x().is_symmetric());
    /// ```
    pub fn is_symmetric(&self) -> bool {
        self.weights.indexed_iter().all(|((row, column), &weight)| {
            let m = row as isize - self.anchor.0 as isize;
            let n = column as isize - self.anchor.1 as isize;
            weight == self.at(-m, -n)
        })
    }
}
