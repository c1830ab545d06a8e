//! Absolute value, sign and limits: functions with kinks, and the slope that each has there.

use striate_compute::Real;

use super::compare::indicator;
use super::pointwise::{Pointwise, Reads, pointwise};
use crate::tensor::Tensor;

/// −1, 0 or 1; 0 for NaN.
#[inline(always)]
fn sign<E: Real>(x: E) -> E {
    if x > E::zero() {
        E::one()
    } else if x < E::zero() {
        -E::one()
    } else {
        E::zero()
    }
}

/// y = |x|, dy/dx = sign x
#[derive(Clone, Copy)]
struct Abs;

impl<E: Real> Pointwise<E> for Abs {
    const NAME: &'static str = "abs";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.abs()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        sign(x)
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.sign()
    }
}

/// y = sign x, dy/dx = 0
#[derive(Clone, Copy)]
struct Sign;

impl<E: Real> Pointwise<E> for Sign {
    const NAME: &'static str = "sign";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        sign(x)
    }

    #[inline(always)]
    fn df(&self, _y: E) -> E {
        E::zero()
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        Tensor::zeros(y.shape())
    }
}

/// y = min(max(x, low), high), dy/dx = 1 where low < x < high, else 0
#[derive(Clone, Copy)]
struct Clamp {
    low: f64,
    high: f64,
}

impl<E: Real> Pointwise<E> for Clamp {
    const NAME: &'static str = "clamp";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.maximum(E::of(self.low)).minimum(E::of(self.high))
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        indicator(x > E::of(self.low) && x < E::of(self.high))
    }

    #[inline(always)]
    fn pass(&self, x: E, dy: E) -> E {
        if x > E::of(self.low) && x < E::of(self.high) { dy } else { E::zero() }
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.gt(self.low) * x.lt(self.high)
    }
}

impl<E: Real> Tensor<E> {
    /// The absolute value of every element.
    ///
    /// y = |x|, dy/dx = sign x (0 at 0). Any shape. PyTorch's `torch.abs`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-3.0f32]).abs().to_vec(), [3.0]);
    /// ```
    pub fn abs(&self) -> Self {
        pointwise(Abs, self)
    }

    /// −1, 0 or 1 as every element is negative, zero or positive; 0 for NaN.
    ///
    /// dy/dx = 0. Any shape. PyTorch's `torch.sign`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-3.0f32, 0.0, 2.0]).sign().to_vec(), [-1.0, 0.0, 1.0]);
    /// ```
    pub fn sign(&self) -> Self {
        pointwise(Sign, self)
    }

    /// Every element, raised to `low` and lowered to `high` where it lies outside; `None` sets no limit.
    ///
    /// y = min(max(x, low), high), dy/dx = 1 where low < x < high, else 0; NaN stays NaN. Where low > high,
    /// y = high. Any shape. PyTorch's `torch.clamp(x, min, max)`, whose slope at a limit was 1 until 2026.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_slice(&[-3.0f32, 0.5, 2.0]);
    /// assert_eq!(x.clamp(0.0, 1.0).to_vec(), [0.0, 0.5, 1.0]);
    /// assert_eq!(x.clamp(0.0, None).to_vec(), [0.0, 0.5, 2.0]);
    /// ```
    pub fn clamp(&self, low: impl Into<Option<f64>>, high: impl Into<Option<f64>>) -> Self {
        let low = low.into().unwrap_or(f64::NEG_INFINITY);
        pointwise(Clamp { low, high: high.into().unwrap_or(f64::INFINITY) }, self)
    }
}
