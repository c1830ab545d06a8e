//! Kernels that are an outer product.

use ndarray::{Array1, Array2, ArrayView2};
use striate_compute::Real;

use super::{FilterError, Kernel, correlate};
use crate::Boundary;

/// A kernel K(m, n) = v(m) · h(n): filtered down the columns and then along the rows, it costs h + w products a pixel
/// where [`Kernel`] costs h · w.
#[derive(Clone, Debug, PartialEq)]
pub struct Separable<E> {
    vertical: Kernel<E>,
    horizontal: Kernel<E>,
}

impl<E: Real> Separable<E> {
    /// The kernel v(m) · h(n) with K(0, 0) = `vertical[anchor.0]` · `horizontal[anchor.1]`.
    ///
    /// # Errors
    /// When either has no weights, or the anchor is none of them.
    pub fn new(
        vertical: Array1<E>,
        horizontal: Array1<E>,
        anchor: (usize, usize),
    ) -> Result<Self, FilterError> {
        let (vertical, horizontal) =
            (vertical.insert_axis(ndarray::Axis(1)), horizontal.insert_axis(ndarray::Axis(0)));
        Ok(Separable {
            vertical: Kernel::new(vertical, (anchor.0, 0))?,
            horizontal: Kernel::new(horizontal, (0, anchor.1))?,
        })
    }

    /// [`Kernel::gaussian`] in two passes.
    ///
    /// # Errors
    /// When `sigma`, in pixels, is not a number above 0.
    pub fn gaussian(sigma: f64, radius: usize) -> Result<Self, FilterError> {
        if !(sigma > 0.0 && sigma.is_finite()) {
            return Err(FilterError::Sigma { sigma });
        }
        let weight = |place: usize| {
            let distance = place as f64 - radius as f64;
            (-0.5 * (distance / sigma) * (distance / sigma)).exp()
        };
        let weights: Vec<f64> = (0..=2 * radius).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Ok(Self::twice(&weights.iter().map(|w| w / sum).collect::<Vec<_>>(), &[]))
    }

    /// [`Kernel::box_blur`] in two passes.
    pub fn box_blur(radius: usize) -> Self {
        let size = 2 * radius + 1;
        Self::twice(&vec![1.0 / size as f64; size], &[])
    }

    /// [`Kernel::sobel_x`] in two passes.
    pub fn sobel_x() -> Self {
        Self::twice(&[1.0, 2.0, 1.0], &[-1.0, 0.0, 1.0])
    }

    /// [`Kernel::sobel_y`] in two passes.
    pub fn sobel_y() -> Self {
        Self::twice(&[-1.0, 0.0, 1.0], &[1.0, 2.0, 1.0])
    }

    /// Odd numbers of weights with the anchor in the middle; none along the rows are those down the columns.
    fn twice(vertical: &[f64], horizontal: &[f64]) -> Self {
        let horizontal = if horizontal.is_empty() { vertical } else { horizontal };
        let weights = |values: &[f64]| values.iter().map(|&value| E::of(value)).collect();
        let anchor = (vertical.len() / 2, horizontal.len() / 2);
        Self::new(weights(vertical), weights(horizontal), anchor).expect("the anchor is in the middle")
    }

    /// The outer product K(m, n) = v(m) · h(n) as one kernel.
    pub fn outer(&self) -> Kernel<E> {
        let (vertical, horizontal) = (self.vertical.weights(), self.horizontal.weights());
        let product = |(row, column)| vertical[(row, 0)] * horizontal[(0, column)];
        let weights = Array2::from_shape_fn((vertical.len(), horizontal.len()), product);
        Kernel::new(weights, (self.vertical.anchor().0, self.horizontal.anchor().1))
            .expect("anchors lie inside")
    }

    /// v(−m) · h(−n), see [`Kernel::rotated`].
    pub fn rotated(&self) -> Self {
        Separable { vertical: self.vertical.rotated(), horizontal: self.horizontal.rotated() }
    }

    /// I′(i, j) = Σₙ h(n) · Σₘ v(m) · I(i + m, j + n): [`correlate`] with the outer product, up to rounding.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use striate_conv::Boundary;
    /// use striate_conv::filter::{Kernel, Separable, correlate};
    ///
    /// let image = Array2::from_shape_fn((7, 9), |(i, j)| ((3 * i + 5 * j) % 7) as f64);
    /// let twice = Separable::gaussian(1.0, 2)?.correlate(image.view(), Boundary::Reflect);
    /// let once = correlate(image.view(), &Kernel::gaussian(1.0, 2)?, Boundary::Reflect);
    /// assert!((&twice - &once).iter().all(|difference| difference.abs() < 1e-12));
    /// # Ok::<(), striate_conv::filter::FilterError>(())
    /// ```
    pub fn correlate(&self, image: ArrayView2<E>, boundary: Boundary) -> Array2<E> {
        correlate(correlate(image, &self.vertical, boundary).view(), &self.horizontal, boundary)
    }

    /// I′(i, j) = Σₙ h(n) · Σₘ v(m) · I(i − m, j − n): [`convolve`](super::convolve) with the outer product, up to
    /// rounding.
    pub fn convolve(&self, image: ArrayView2<E>, boundary: Boundary) -> Array2<E> {
        self.rotated().correlate(image, boundary)
    }
}
