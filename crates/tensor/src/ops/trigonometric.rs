//! Sine and cosine.

use striate_compute::Real;

use super::pointwise::{Pointwise, Reads, pointwise};
use crate::tensor::Tensor;

/// y = sin x, dy/dx = cos x
#[derive(Clone, Copy)]
struct Sin;

impl<E: Real> Pointwise<E> for Sin {
    const NAME: &'static str = "sin";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.sin()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        x.cos()
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.cos()
    }
}

/// y = cos x, dy/dx = −sin x
#[derive(Clone, Copy)]
struct Cos;

impl<E: Real> Pointwise<E> for Cos {
    const NAME: &'static str = "cos";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.cos()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        -x.sin()
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        -x.sin()
    }
}

impl<E: Real> Tensor<E> {
    /// The sine of every element, in radians.
    ///
    /// y = sin x, dy/dx = cos x. Any shape. PyTorch's `torch.sin`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32]).sin().to_vec(), [0.0]);
    /// ```
    pub fn sin(&self) -> Self {
        pointwise(Sin, self)
    }

    /// The cosine of every element, in radians.
    ///
    /// y = cos x, dy/dx = −sin x. Any shape. PyTorch's `torch.cos`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32]).cos().to_vec(), [1.0]);
    /// ```
    pub fn cos(&self) -> Self {
        pointwise(Cos, self)
    }
}
