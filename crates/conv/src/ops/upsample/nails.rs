//! Beds of nails.

use striate_tensor::{Real, Tensor};

use super::output_shape;
use crate::kernels::upsample::{self, Resize, UpsampleGeometry};
use crate::ops::expect::expect;
use crate::ops::linear_map::{LinearMap, linear_map};

/// y[o·f] = x[o], zero elsewhere; dx[o] = dy[o·f]
#[derive(Clone)]
struct BedOfNails(UpsampleGeometry);

impl<E: Real> LinearMap<E> for BedOfNails {
    const NAME: &'static str = "bed_of_nails";

    fn map(&self, x: &[E], y: &mut [E]) {
        upsample::bed_of_nails(&self.0, x, y);
    }

    fn transpose(&self, dy: &[E], beta: E, dx: &mut [E]) {
        upsample::bed_of_nails_gradient(&self.0, dy, beta, dx);
    }
}

#[track_caller]
fn bed_of_nails<E: Real, const D: usize>(op: &str, x: &Tensor<E>, factors: [usize; D]) -> Tensor<E> {
    let sizes = expect(op, UpsampleGeometry::new(x.shape(), &Resize::Factor(factors)));
    linear_map(BedOfNails(sizes), x, &output_shape::<D>(x.shape(), &sizes))
}

/// Zeros between elements along one axis; see [`bed_of_nails2d`]. x is (N, C, L).
///
/// # Panics
/// As [`bed_of_nails2d`].
#[track_caller]
pub fn bed_of_nails1d<E: Real>(x: &Tensor<E>, factors: [usize; 1]) -> Tensor<E> {
    bed_of_nails("bed_of_nails1d", x, factors)
}

/// Each element in the first cell of a block of f, zeros in the others.
///
/// `y[o·f] = x[o]` along each axis; `dx[o] = dy[o·f]`. x (N, C, H, W) → (N, C, H·f₀, W·f₁). Notes, section 6; PyTorch's
/// `F.conv_transpose2d` with a kernel of a single one.
///
/// # Panics
/// When x has not four axes, or an axis of x or a factor is 0.
///
/// ```
/// use striate_conv::bed_of_nails2d;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 1, 2], vec![1.0f32, 2.0]);
/// assert_eq!(bed_of_nails2d(&x, [2, 2]).to_vec(), [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// ```
#[track_caller]
pub fn bed_of_nails2d<E: Real>(x: &Tensor<E>, factors: [usize; 2]) -> Tensor<E> {
    bed_of_nails("bed_of_nails2d", x, factors)
}

/// Zeros between elements along three axes; see [`bed_of_nails2d`]. x is (N, C, D, H, W).
///
/// # Panics
/// As [`bed_of_nails2d`].
#[track_caller]
pub fn bed_of_nails3d<E: Real>(x: &Tensor<E>, factors: [usize; 3]) -> Tensor<E> {
    bed_of_nails("bed_of_nails3d", x, factors)
}
