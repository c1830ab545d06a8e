//! Nearest neighbours and linear interpolation.

use striate_tensor::{Real, Tensor};

use super::output_shape;
use crate::kernels::upsample::{self, Resize, UpsampleGeometry};
use crate::ops::expect::expect;
use crate::ops::linear_map::{LinearMap, linear_map};

/// How values between elements come about. PyTorch's `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// The nearest element before: `'nearest'`.
    #[default]
    Nearest,
    /// Linear along each axis: `'linear'`, `'bilinear'`, `'trilinear'`.
    Linear {
        /// Whether first and last elements stay first and last; else pixels have an extent.
        align_corners: bool,
    },
}

/// y[o] = x[⌊o·I/O⌋]; dx[i] = Σ dy over the copies of i
#[derive(Clone)]
struct Nearest(UpsampleGeometry);

impl<E: Real> LinearMap<E> for Nearest {
    const NAME: &'static str = "upsample_nearest";

    fn map(&self, x: &[E], y: &mut [E]) {
        upsample::nearest(&self.0, x, y);
    }

    fn transpose(&self, dy: &[E], beta: E, dx: &mut [E]) {
        upsample::nearest_gradient(&self.0, dy, beta, dx);
    }
}

/// y[o] = (1 − λ)·x[i] + λ·x[i + 1]; dx[i] = Σ dy times the weights that i has
#[derive(Clone)]
struct Linear {
    sizes: UpsampleGeometry,
    align_corners: bool,
}

impl<E: Real> LinearMap<E> for Linear {
    const NAME: &'static str = "upsample_linear";

    fn map(&self, x: &[E], y: &mut [E]) {
        upsample::linear(&self.sizes, self.align_corners, x, y);
    }

    fn transpose(&self, dy: &[E], beta: E, dx: &mut [E]) {
        upsample::linear_gradient(&self.sizes, self.align_corners, dy, beta, dx);
    }
}

#[track_caller]
fn upsample<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    to: Resize<D>,
    mode: Interpolation,
) -> Tensor<E> {
    let sizes = expect(op, UpsampleGeometry::new(x.shape(), &to));
    let shape = output_shape::<D>(x.shape(), &sizes);
    match mode {
        Interpolation::Nearest => linear_map(Nearest(sizes), x, &shape),
        Interpolation::Linear { align_corners } => linear_map(Linear { sizes, align_corners }, x, &shape),
    }
}

/// Another size over D spatial axes, by nearest neighbours or linear interpolation.
///
/// x (N, C, *) → (N, C, *) with the sizes that `to` asks for. See [`upsample_nearest2d`] and [`upsample_bilinear2d`].
/// PyTorch's `F.interpolate`.
///
/// # Panics
/// When x has not D + 2 axes, or an axis of x or of the result is empty.
///
/// ```
/// use striate_conv::{Interpolation, Resize, interpolate};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2], vec![1.0f32, 2.0]);
/// let y = interpolate(&x, Resize::Size([3]), Interpolation::Linear { align_corners: true });
/// assert_eq!(y.to_vec(), [1.0, 1.5, 2.0]);
/// ```
#[track_caller]
pub fn interpolate<E: Real, const D: usize>(x: &Tensor<E>, to: Resize<D>, mode: Interpolation) -> Tensor<E> {
    upsample("interpolate", x, to, mode)
}

/// Repeated elements along one axis; see [`upsample_nearest2d`]. x is (N, C, L).
/// PyTorch's `F.interpolate(mode='nearest')`.
///
/// # Panics
/// As [`upsample_nearest2d`].
#[track_caller]
pub fn upsample_nearest1d<E: Real>(x: &Tensor<E>, to: impl Into<Resize<1>>) -> Tensor<E> {
    upsample("upsample_nearest1d", x, to.into(), Interpolation::Nearest)
}

/// Repeated elements: each place shows the nearest element before it.
///
/// `y[o] = x[⌊o·I/O⌋]` along each axis, computed in f32 as PyTorch does; `dx[i] = Σ dy` over the copies of i.
///
/// x (N, C, H, W) → (N, C, H', W'), sizes or factors of sizes by `to`. PyTorch's `F.interpolate(mode='nearest')`;
/// notes, section 6.
///
/// # Panics
/// When x has not four axes, or an axis of x or of the result is empty.
///
/// ```
/// use striate_conv::upsample_nearest2d;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 1, 2], vec![1.0f32, 2.0]);
/// assert_eq!(upsample_nearest2d(&x, 2).to_vec(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
/// ```
#[track_caller]
pub fn upsample_nearest2d<E: Real>(x: &Tensor<E>, to: impl Into<Resize<2>>) -> Tensor<E> {
    upsample("upsample_nearest2d", x, to.into(), Interpolation::Nearest)
}

/// Repeated elements along three axes; see [`upsample_nearest2d`]. x is (N, C, D, H, W).
/// PyTorch's `F.interpolate(mode='nearest')`.
///
/// # Panics
/// As [`upsample_nearest2d`].
#[track_caller]
pub fn upsample_nearest3d<E: Real>(x: &Tensor<E>, to: impl Into<Resize<3>>) -> Tensor<E> {
    upsample("upsample_nearest3d", x, to.into(), Interpolation::Nearest)
}

/// Linear interpolation along one axis; see [`upsample_bilinear2d`]. x is (N, C, L).
/// PyTorch's `F.interpolate(mode='linear')`.
///
/// # Panics
/// As [`upsample_bilinear2d`].
#[track_caller]
pub fn upsample_linear1d<E: Real>(x: &Tensor<E>, to: impl Into<Resize<1>>, align_corners: bool) -> Tensor<E> {
    upsample("upsample_linear1d", x, to.into(), Interpolation::Linear { align_corners })
}

/// Linear interpolation along two axes.
///
/// `y[o] = (1 − λ)·x[i] + λ·x[i + 1]` along each axis, with i + λ the place of o in x: o·(I − 1)/(O − 1) with
/// `align_corners`, else (o + ½)·I/O − ½, not below 0; `dx[i] = Σ dy` times the weights that i has.
///
/// x (N, C, H, W) → (N, C, H', W'), sizes or factors of sizes by `to`. PyTorch's `F.interpolate(mode='bilinear')`.
///
/// # Panics
/// When x has not four axes, or an axis of x or of the result is empty.
///
/// ```
/// use striate_conv::{Resize, upsample_bilinear2d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2, 2], vec![0.0f32, 1.0, 2.0, 3.0]);
/// let y = upsample_bilinear2d(&x, Resize::Size([3, 3]), true);
/// assert_eq!(y.to_vec(), [0.0, 0.5, 1.0, 1.0, 1.5, 2.0, 2.0, 2.5, 3.0]);
/// ```
#[track_caller]
pub fn upsample_bilinear2d<E: Real>(
    x: &Tensor<E>,
    to: impl Into<Resize<2>>,
    align_corners: bool,
) -> Tensor<E> {
    upsample("upsample_bilinear2d", x, to.into(), Interpolation::Linear { align_corners })
}

/// Linear interpolation along three axes; see [`upsample_bilinear2d`]. x is (N, C, D, H, W).
/// PyTorch's `F.interpolate(mode='trilinear')`.
///
/// # Panics
/// As [`upsample_bilinear2d`].
#[track_caller]
pub fn upsample_trilinear3d<E: Real>(
    x: &Tensor<E>,
    to: impl Into<Resize<3>>,
    align_corners: bool,
) -> Tensor<E> {
    upsample("upsample_trilinear3d", x, to.into(), Interpolation::Linear { align_corners })
}
