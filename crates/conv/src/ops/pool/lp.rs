//! Lp pooling.

use striate_tensor::{Real, Tensor};

use super::avg_pool;
use crate::kernels::pool::{AvgPoolOptions, LpPoolOptions};

/// Sums of powers are means times the kernel's size. Where a sum is 0, so is the gradient: the root has none there.
#[track_caller]
pub(crate) fn lp_pool<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    p: f64,
    options: LpPoolOptions<D>,
) -> Tensor<E> {
    let LpPoolOptions { kernel, stride, ceil_mode } = options;
    let windows = AvgPoolOptions { stride, ceil_mode, ..kernel.into() };
    let mean = avg_pool(op, &x.powf(p), windows);
    let taps: usize = kernel.iter().product();
    let zero = mean.eq(0.0);
    (mean * taps as f64).masked_fill(&zero, 1.0).powf(1.0 / p).masked_fill(&zero, 0.0)
}

/// The p-norm of each window along one axis; see [`lp_pool2d`]. x is (N, C, L). PyTorch's `F.lp_pool1d`.
///
/// # Panics
/// As [`lp_pool2d`].
#[track_caller]
pub fn lp_pool1d<E: Real>(x: &Tensor<E>, p: f64, options: impl Into<LpPoolOptions<1>>) -> Tensor<E> {
    lp_pool("lp_pool1d", x, p, options.into())
}

/// The p-norm of each window, for numbers that are not negative or an even p.
///
/// y = (Σ xᵖ)^(1/p) over the window; dx = dy (x / y)^(p − 1), 0 where the sum is 0. No absolute value is taken: a
/// negative sum gives NaN. Where ceil mode adds a window that ends outside, its sum is scaled up to a whole window.
///
/// x (N, C, H, W) → (N, C, H', W') with sizes by [`pool_output_size`](crate::pool_output_size).
/// PyTorch's `F.lp_pool2d`.
///
/// # Panics
/// When x has not four axes or the windows do not fit.
///
/// ```
/// use striate_conv::lp_pool2d;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2, 2], vec![1.0f32, 3.0, -3.0, 9.0]);
/// assert_eq!(lp_pool2d(&x, 2.0, 2).to_vec(), [10.0]);
/// ```
#[track_caller]
pub fn lp_pool2d<E: Real>(x: &Tensor<E>, p: f64, options: impl Into<LpPoolOptions<2>>) -> Tensor<E> {
    lp_pool("lp_pool2d", x, p, options.into())
}

/// The p-norm of each window along three axes; see [`lp_pool2d`]. x is (N, C, D, H, W). PyTorch's `F.lp_pool3d`.
///
/// # Panics
/// As [`lp_pool2d`].
#[track_caller]
pub fn lp_pool3d<E: Real>(x: &Tensor<E>, p: f64, options: impl Into<LpPoolOptions<3>>) -> Tensor<E> {
    lp_pool("lp_pool3d", x, p, options.into())
}
