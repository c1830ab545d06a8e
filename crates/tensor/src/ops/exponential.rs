//! Exponentials, logarithms and the error function.

use std::f64::consts::FRAC_2_SQRT_PI;

use striate_compute::Real;

use super::pointwise::{Pointwise, Reads, pointwise};
use crate::tensor::Tensor;

/// y = eˣ, dy/dx = y
#[derive(Clone, Copy)]
struct Exp;

impl<E: Real> Pointwise<E> for Exp {
    const NAME: &'static str = "exp";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.exp()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        y
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y.clone()
    }
}

/// y = eˣ − 1, dy/dx = y + 1
#[derive(Clone, Copy)]
struct Expm1;

impl<E: Real> Pointwise<E> for Expm1 {
    const NAME: &'static str = "expm1";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.exp_m1()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        y + E::one()
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y + 1.0
    }
}

/// y = ln x, dy/dx = 1 / x
#[derive(Clone, Copy)]
struct Log;

impl<E: Real> Pointwise<E> for Log {
    const NAME: &'static str = "log";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.ln()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        E::one() / x
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.reciprocal()
    }
}

/// y = ln(1 + x), dy/dx = 1 / (1 + x)
#[derive(Clone, Copy)]
struct Log1p;

impl<E: Real> Pointwise<E> for Log1p {
    const NAME: &'static str = "log1p";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.ln_1p()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        E::one() / (E::one() + x)
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        (x + 1.0).reciprocal()
    }
}

/// y = erf x, dy/dx = 2/√π e^(−x²)
#[derive(Clone, Copy)]
struct Erf;

impl<E: Real> Pointwise<E> for Erf {
    const NAME: &'static str = "erf";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.erf()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        E::of(FRAC_2_SQRT_PI) * (-x * x).exp()
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        (-x.square()).exp() * FRAC_2_SQRT_PI
    }
}

impl<E: Real> Tensor<E> {
    /// The exponential of every element.
    ///
    /// y = eˣ, dy/dx = y. Any shape. PyTorch's `torch.exp`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32, -1e4]).exp().to_vec(), [1.0, 0.0]);
    /// ```
    pub fn exp(&self) -> Self {
        pointwise(Exp, self)
    }

    /// eˣ − 1 of every element, accurate near 0.
    ///
    /// dy/dx = eˣ. Any shape. PyTorch's `torch.expm1`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1e-10f32]).expm1().to_vec(), [1e-10]);
    /// ```
    pub fn expm1(&self) -> Self {
        pointwise(Expm1, self)
    }

    /// The natural logarithm of every element: −∞ at 0, NaN below.
    ///
    /// y = ln x, dy/dx = 1 / x. Any shape. PyTorch's `torch.log`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 0.0]).log().to_vec(), [0.0, f32::NEG_INFINITY]);
    /// ```
    pub fn log(&self) -> Self {
        pointwise(Log, self)
    }

    /// ln(1 + x) of every element, accurate near 0: −∞ at −1, NaN below.
    ///
    /// dy/dx = 1 / (1 + x). Any shape. PyTorch's `torch.log1p`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1e-10f32]).log1p().to_vec(), [1e-10]);
    /// ```
    pub fn log1p(&self) -> Self {
        pointwise(Log1p, self)
    }

    /// The error function of every element.
    ///
    /// y = 2/√π ∫₀ˣ e^(−t²) dt, dy/dx = 2/√π e^(−x²). Any shape. PyTorch's `torch.erf`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32, 10.0]).erf().to_vec(), [0.0, 1.0]);
    /// ```
    pub fn erf(&self) -> Self {
        pointwise(Erf, self)
    }
}
