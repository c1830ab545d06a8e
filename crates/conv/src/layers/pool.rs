//! Pooling layers, over one, two or three spatial axes. They have no parameters.

use ndarray::{ArrayD, ArrayRef, Dimension};
use striate_nn::{Module, observe};
use striate_tensor::{Real, Tensor};

use crate::kernels::pool::{AvgPoolOptions, LpPoolOptions, PoolOptions};
use crate::ops::pool;

/// Largest element of each window; see [`max_pool2d`](crate::max_pool2d). PyTorch's `nn.MaxPool2d` and its siblings.
///
/// ```
/// use striate_conv::{MaxPool2d, PoolOptions};
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::ones(&[8, 3, 28, 28]);
/// assert_eq!(MaxPool2d::new(2).forward(&x).shape(), [8, 3, 14, 14]);
/// let overlapping = PoolOptions { kernel: [3, 3], stride: Some([2, 2]), padding: [1, 1], ..Default::default() };
/// assert_eq!(MaxPool2d::new(overlapping).forward(&x).shape(), [8, 3, 14, 14]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxPool<const D: usize> {
    /// The windows.
    pub options: PoolOptions<D>,
}

/// [`MaxPool`] for (N, C, L).
pub type MaxPool1d = MaxPool<1>;
/// [`MaxPool`] for (N, C, H, W).
pub type MaxPool2d = MaxPool<2>;
/// [`MaxPool`] for (N, C, D, H, W).
pub type MaxPool3d = MaxPool<3>;

impl<const D: usize> MaxPool<D> {
    const KIND: &'static str = ["", "MaxPool1d", "MaxPool2d", "MaxPool3d"][D];

    /// A layer with options, or a kernel size.
    pub fn new(options: impl Into<PoolOptions<D>>) -> Self {
        MaxPool { options: options.into() }
    }

    /// The output and the index of each winner in its plane, for [`MaxUnpool`]. PyTorch's `return_indices`.
    ///
    /// # Panics
    /// As [`max_pool2d`](crate::max_pool2d).
    #[track_caller]
    pub fn forward_with_indices<E: Real>(&self, x: &Tensor<E>) -> (Tensor<E>, ArrayD<usize>) {
        let (y, indices) = pool::max_pool_with_indices(Self::KIND, x, self.options);
        (observe::layer("", Self::KIND, y), indices)
    }
}

impl<E: Real, const D: usize> Module<E> for MaxPool<D> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", Self::KIND, pool::max_pool(Self::KIND, x, self.options))
    }
}

/// Values back to the places that [`MaxPool`] took them from; see [`max_unpool2d`](crate::max_unpool2d).
/// PyTorch's `nn.MaxUnpool2d` and its siblings.
///
/// ```
/// use striate_conv::{MaxPool2d, MaxUnpool2d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::ones(&[8, 3, 28, 28]);
/// let (y, indices) = MaxPool2d::new(2).forward_with_indices(&x);
/// assert_eq!(MaxUnpool2d::new(2).forward(&y, &indices).shape(), [8, 3, 28, 28]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxUnpool<const D: usize> {
    /// The windows of the pooling.
    pub options: PoolOptions<D>,
}

/// [`MaxUnpool`] for (N, C, L).
pub type MaxUnpool1d = MaxUnpool<1>;
/// [`MaxUnpool`] for (N, C, H, W).
pub type MaxUnpool2d = MaxUnpool<2>;
/// [`MaxUnpool`] for (N, C, D, H, W).
pub type MaxUnpool3d = MaxUnpool<3>;

impl<const D: usize> MaxUnpool<D> {
    const KIND: &'static str = ["", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"][D];

    /// A layer with the options, or the kernel size, of the pooling.
    pub fn new(options: impl Into<PoolOptions<D>>) -> Self {
        MaxUnpool { options: options.into() }
    }

    /// The smallest planes that pool back to `x`.
    ///
    /// # Panics
    /// As [`max_unpool2d`](crate::max_unpool2d).
    #[track_caller]
    pub fn forward<E: Real, I: Dimension>(&self, x: &Tensor<E>, indices: &ArrayRef<usize, I>) -> Tensor<E> {
        self.unpool(x, indices, None)
    }

    /// Planes of a given size: where pooling left some elements out.
    ///
    /// # Panics
    /// As [`max_unpool2d`](crate::max_unpool2d).
    #[track_caller]
    pub fn forward_to<E: Real, I: Dimension>(
        &self,
        x: &Tensor<E>,
        indices: &ArrayRef<usize, I>,
        size: [usize; D],
    ) -> Tensor<E> {
        self.unpool(x, indices, Some(size))
    }

    #[track_caller]
    fn unpool<E: Real, I: Dimension>(
        &self,
        x: &Tensor<E>,
        indices: &ArrayRef<usize, I>,
        size: Option<[usize; D]>,
    ) -> Tensor<E> {
        observe::layer("", Self::KIND, pool::max_unpool(Self::KIND, x, indices, self.options, size))
    }
}

/// Mean of each window; see [`avg_pool2d`](crate::avg_pool2d). PyTorch's `nn.AvgPool2d` and its siblings.
///
/// ```
/// use striate_conv::AvgPool2d;
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// assert_eq!(AvgPool2d::new(2).forward(&Tensor::<f32>::ones(&[8, 3, 28, 28])).shape(), [8, 3, 14, 14]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AvgPool<const D: usize> {
    /// The windows and the divisor.
    pub options: AvgPoolOptions<D>,
}

/// [`AvgPool`] for (N, C, L).
pub type AvgPool1d = AvgPool<1>;
/// [`AvgPool`] for (N, C, H, W).
pub type AvgPool2d = AvgPool<2>;
/// [`AvgPool`] for (N, C, D, H, W).
pub type AvgPool3d = AvgPool<3>;

impl<const D: usize> AvgPool<D> {
    const KIND: &'static str = ["", "AvgPool1d", "AvgPool2d", "AvgPool3d"][D];

    /// A layer with options, or a kernel size.
    pub fn new(options: impl Into<AvgPoolOptions<D>>) -> Self {
        AvgPool { options: options.into() }
    }
}

impl<E: Real, const D: usize> Module<E> for AvgPool<D> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", Self::KIND, pool::avg_pool(Self::KIND, x, self.options))
    }
}

/// The p-norm of each window; see [`lp_pool2d`](crate::lp_pool2d). PyTorch's `nn.LPPool2d` and its siblings.
///
/// ```
/// use striate_conv::LpPool2d;
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// assert_eq!(LpPool2d::new(2.0, 2).forward(&Tensor::<f32>::ones(&[8, 3, 28, 28])).shape(), [8, 3, 14, 14]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LpPool<const D: usize> {
    /// p
    pub norm: f64,
    /// The windows.
    pub options: LpPoolOptions<D>,
}

/// [`LpPool`] for (N, C, L).
pub type LpPool1d = LpPool<1>;
/// [`LpPool`] for (N, C, H, W).
pub type LpPool2d = LpPool<2>;
/// [`LpPool`] for (N, C, D, H, W).
pub type LpPool3d = LpPool<3>;

impl<const D: usize> LpPool<D> {
    const KIND: &'static str = ["", "LpPool1d", "LpPool2d", "LpPool3d"][D];

    /// A layer with p and options, or a kernel size.
    pub fn new(norm: f64, options: impl Into<LpPoolOptions<D>>) -> Self {
        LpPool { norm, options: options.into() }
    }
}

impl<E: Real, const D: usize> Module<E> for LpPool<D> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", Self::KIND, pool::lp_pool(Self::KIND, x, self.norm, self.options))
    }
}

/// Means of as many windows as the result is to have elements; see [`adaptive_avg_pool2d`](crate::adaptive_avg_pool2d).
/// PyTorch's `nn.AdaptiveAvgPool2d` and its siblings.
///
/// ```
/// use striate_conv::AdaptiveAvgPool2d;
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::ones(&[8, 3, 28, 28]);
/// assert_eq!(AdaptiveAvgPool2d::new([6, 6]).forward(&x).shape(), [8, 3, 6, 6]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveAvgPool<const D: usize> {
    /// Spatial size of the result.
    pub output: [usize; D],
}

/// [`AdaptiveAvgPool`] for (N, C, L).
pub type AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
/// [`AdaptiveAvgPool`] for (N, C, H, W).
pub type AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
/// [`AdaptiveAvgPool`] for (N, C, D, H, W).
pub type AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

impl<const D: usize> AdaptiveAvgPool<D> {
    const KIND: &'static str = ["", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"][D];

    /// A layer whose result has this spatial size.
    pub fn new(output: [usize; D]) -> Self {
        AdaptiveAvgPool { output }
    }
}

impl<E: Real, const D: usize> Module<E> for AdaptiveAvgPool<D> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", Self::KIND, pool::adaptive_avg_pool(Self::KIND, x, self.output))
    }
}

/// Largest elements of as many windows as the result is to have elements; see
/// [`adaptive_max_pool2d`](crate::adaptive_max_pool2d). PyTorch's `nn.AdaptiveMaxPool2d` and its siblings.
///
/// ```
/// use striate_conv::AdaptiveMaxPool2d;
/// use striate_nn::Module;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::ones(&[8, 3, 28, 28]);
/// assert_eq!(AdaptiveMaxPool2d::new([6, 6]).forward(&x).shape(), [8, 3, 6, 6]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveMaxPool<const D: usize> {
    /// Spatial size of the result.
    pub output: [usize; D],
}

/// [`AdaptiveMaxPool`] for (N, C, L).
pub type AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
/// [`AdaptiveMaxPool`] for (N, C, H, W).
pub type AdaptiveMaxPool2d = AdaptiveMaxPool<2>;
/// [`AdaptiveMaxPool`] for (N, C, D, H, W).
pub type AdaptiveMaxPool3d = AdaptiveMaxPool<3>;

impl<const D: usize> AdaptiveMaxPool<D> {
    const KIND: &'static str = ["", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"][D];

    /// A layer whose result has this spatial size.
    pub fn new(output: [usize; D]) -> Self {
        AdaptiveMaxPool { output }
    }
}

impl<E: Real, const D: usize> Module<E> for AdaptiveMaxPool<D> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", Self::KIND, pool::adaptive_max_pool(Self::KIND, x, self.output))
    }
}

/// Mean of each plane, (N, C, *) → (N, C); see [`global_avg_pool`](crate::global_avg_pool).
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalAvgPool;

impl<E: Real> Module<E> for GlobalAvgPool {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer("", "GlobalAvgPool", pool::global_avg_pool(x))
    }
}
