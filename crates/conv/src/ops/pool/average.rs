//! Average pooling.

use striate_tensor::{Real, Tensor};

use super::output_shape;
use crate::kernels::pool::{self, AvgPoolOptions, Divisor, PoolGeometry};
use crate::ops::expect::expect;
use crate::ops::linear_map::{LinearMap, linear_map};

/// y = Σ x / divisor over each window; dx = Σ dy / divisor over the windows that x is in
#[derive(Clone)]
struct AvgPool {
    pool: PoolGeometry,
    divisor: Divisor,
}

impl<E: Real> LinearMap<E> for AvgPool {
    const NAME: &'static str = "avg_pool";

    fn map(&self, x: &[E], y: &mut [E]) {
        pool::avg_pool(&self.pool, self.divisor, x, y);
    }

    fn transpose(&self, dy: &[E], beta: E, dx: &mut [E]) {
        pool::avg_pool_gradient(&self.pool, self.divisor, dy, beta, dx);
    }
}

#[track_caller]
pub(crate) fn avg_pool<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    options: AvgPoolOptions<D>,
) -> Tensor<E> {
    let pool = expect(op, PoolGeometry::new(x.shape(), &options.windows()));
    let divisor = expect(op, options.divisor());
    linear_map(AvgPool { pool, divisor }, x, &output_shape::<D>(x.shape(), &pool))
}

#[track_caller]
pub(crate) fn adaptive_avg_pool<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    output: [usize; D],
) -> Tensor<E> {
    let pool = expect(op, PoolGeometry::adaptive(x.shape(), output));
    linear_map(AvgPool { pool, divisor: Divisor::Inside }, x, &output_shape::<D>(x.shape(), &pool))
}

/// Mean of each window along one axis; see [`avg_pool2d`]. x is (N, C, L). PyTorch's `F.avg_pool1d`.
///
/// # Panics
/// As [`avg_pool2d`].
#[track_caller]
pub fn avg_pool1d<E: Real>(x: &Tensor<E>, options: impl Into<AvgPoolOptions<1>>) -> Tensor<E> {
    avg_pool("avg_pool1d", x, options.into())
}

/// Mean of each window.
///
/// `y[o] = Σ x[o·s + t − p] / divisor` over t, zero outside x; `dx[i] = Σ dy[o] / divisor` over the windows of i.
/// The divisor is the number of the window's elements: with those in the padding (but not those that ceil mode adds),
/// unless the options say otherwise.
///
/// x (N, C, H, W) → (N, C, H', W') with sizes by [`pool_output_size`](crate::pool_output_size).
///
/// PyTorch's `F.avg_pool2d`.
///
/// # Panics
/// When x has not four axes, or the windows do not fit.
///
/// ```
/// use striate_conv::avg_pool2d;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2, 4], vec![1.0f32, 3.0, 2.0, 0.0, 5.0, 7.0, 2.0, 0.0]);
/// assert_eq!(avg_pool2d(&x, 2).to_vec(), [4.0, 1.0]);
/// ```
#[track_caller]
pub fn avg_pool2d<E: Real>(x: &Tensor<E>, options: impl Into<AvgPoolOptions<2>>) -> Tensor<E> {
    avg_pool("avg_pool2d", x, options.into())
}

/// Mean of each window along three axes; see [`avg_pool2d`]. x is (N, C, D, H, W). PyTorch's `F.avg_pool3d`.
///
/// # Panics
/// As [`avg_pool2d`].
#[track_caller]
pub fn avg_pool3d<E: Real>(x: &Tensor<E>, options: impl Into<AvgPoolOptions<3>>) -> Tensor<E> {
    avg_pool("avg_pool3d", x, options.into())
}

/// Means of `output` windows along one axis; see [`adaptive_avg_pool2d`]. x is (N, C, L).
/// PyTorch's `F.adaptive_avg_pool1d`.
///
/// # Panics
/// As [`adaptive_avg_pool2d`].
#[track_caller]
pub fn adaptive_avg_pool1d<E: Real>(x: &Tensor<E>, output: usize) -> Tensor<E> {
    adaptive_avg_pool("adaptive_avg_pool1d", x, [output])
}

/// Means of as many windows as the result is to have elements.
///
/// `y[o] = mean x[⌊o·I/O⌋ .. ⌈(o + 1)·I/O⌉]` along each axis; `dx[i] = Σ dy[o] / elements` over the windows of i.
/// x (N, C, H, W) → (N, C, output). PyTorch's `F.adaptive_avg_pool2d`.
///
/// # Panics
/// When x has not four axes, or an axis is empty.
///
/// ```
/// use striate_conv::adaptive_avg_pool2d;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 15).reshape(&[1, 1, 3, 5]);
/// assert_eq!(adaptive_avg_pool2d(&x, [1, 2]).to_vec(), [6.0, 8.0]);
/// ```
#[track_caller]
pub fn adaptive_avg_pool2d<E: Real>(x: &Tensor<E>, output: [usize; 2]) -> Tensor<E> {
    adaptive_avg_pool("adaptive_avg_pool2d", x, output)
}

/// Means of `output` windows along three axes; see [`adaptive_avg_pool2d`]. x is (N, C, D, H, W).
/// PyTorch's `F.adaptive_avg_pool3d`.
///
/// # Panics
/// As [`adaptive_avg_pool2d`].
#[track_caller]
pub fn adaptive_avg_pool3d<E: Real>(x: &Tensor<E>, output: [usize; 3]) -> Tensor<E> {
    adaptive_avg_pool("adaptive_avg_pool3d", x, output)
}

/// Mean of each plane: y[n, c] = mean of x[n, c]; dx = dy / (the plane's elements).
///
/// x (N, C, *) with any number of spatial axes → (N, C). PyTorch's `F.adaptive_avg_pool2d(x, 1).flatten(1)`.
///
/// # Panics
/// When x has fewer than three axes, or a plane is empty.
///
/// ```
/// use striate_conv::global_avg_pool;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 8).reshape(&[1, 2, 2, 2]);
/// assert_eq!(global_avg_pool(&x).to_vec(), [1.5, 5.5]);
/// ```
#[track_caller]
pub fn global_avg_pool<E: Real>(x: &Tensor<E>) -> Tensor<E> {
    let (pool, shape) = expect("global_avg_pool", PoolGeometry::global(x.shape()));
    linear_map(AvgPool { pool, divisor: Divisor::Inside }, x, &shape)
}
