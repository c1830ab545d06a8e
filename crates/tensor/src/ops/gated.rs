//! Activations x · g(x) with a soft gate g: GELU and SiLU.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use striate_compute::Real;

use super::pointwise::{Pointwise, Reads, pointwise};
use crate::tensor::Tensor;

/// 1 / √(2π)
const FRAC_1_SQRT_2PI: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;
/// √(2/π)
const SQRT_2_OVER_PI: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
/// The weight of x³ in the approximation of Φ.
const CUBIC: f64 = 0.044715;

/// y = x Φ(x), dy/dx = Φ(x) + x φ(x)
#[derive(Clone, Copy)]
struct Gelu;

impl<E: Real> Pointwise<E> for Gelu {
    const NAME: &'static str = "gelu";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x * x.normal().0
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        let (distribution, density) = x.normal();
        distribution + x * density
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        let density = (x.square() * -0.5).exp() * FRAC_1_SQRT_2PI;
        ((x * FRAC_1_SQRT_2).erf() + 1.0) * 0.5 + x * density
    }
}

/// y = x s, s = σ(2u) = ½ (1 + tanh u), u = √(2/π) (x + 0.044715 x³); dy/dx = s + 2 x s (1 − s) u′
#[derive(Clone, Copy)]
struct GeluTanh;

impl<E: Real> Pointwise<E> for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        let u = E::of(SQRT_2_OVER_PI) * (x + E::of(CUBIC) * x * x * x);
        x * (u + u).sigmoid()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        let u = E::of(SQRT_2_OVER_PI) * (x + E::of(CUBIC) * x * x * x);
        let du = E::of(SQRT_2_OVER_PI) * (E::one() + E::of(3.0 * CUBIC) * x * x);
        let s = (u + u).sigmoid();
        s + E::of(2.0) * x * s * (E::one() - s) * du
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        let u = (x + x.square() * x * CUBIC) * SQRT_2_OVER_PI;
        let du = (x.square() * (3.0 * CUBIC) + 1.0) * SQRT_2_OVER_PI;
        let s = (u * 2.0).sigmoid();
        &s + x * &s * (-&s + 1.0) * du * 2.0
    }
}

/// y = x σ(x), dy/dx = σ(x) (1 + x (1 − σ(x)))
#[derive(Clone, Copy)]
struct Silu;

impl<E: Real> Pointwise<E> for Silu {
    const NAME: &'static str = "silu";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x * x.sigmoid()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        let s = x.sigmoid();
        s * (E::one() + x * (E::one() - s))
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        let s = x.sigmoid();
        &s * (x * (-&s + 1.0) + 1.0)
    }
}

impl<E: Real> Tensor<E> {
    /// The Gaussian error linear unit: x times the probability that a standard normal number is below it.
    ///
    /// y = x Φ(x) with Φ(x) = ½ (1 + erf(x / √2)), dy/dx = Φ(x) + x φ(x) with φ(x) = e^(−x²/2) / √(2π). Any shape.
    /// Hendrycks and Gimpel 2016; PyTorch's `torch.nn.functional.gelu(x)`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-1e4f32, 0.0, 1e4]).gelu().to_vec(), [0.0, 0.0, 1e4]);
    /// ```
    pub fn gelu(&self) -> Self {
        pointwise(Gelu, self)
    }

    /// The approximation of [`Tensor::gelu`] that many published models were trained with; off by at most 0.0005.
    ///
    /// y = ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), dy/dx = ½ (1 + tanh u) + ½ x (1 − tanh² u) u′.
    /// Any shape. PyTorch's `torch.nn.functional.gelu(x, approximate="tanh")`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-1e4f32, 0.0, 1e4]).gelu_tanh().to_vec(), [0.0, 0.0, 1e4]);
    /// ```
    pub fn gelu_tanh(&self) -> Self {
        pointwise(GeluTanh, self)
    }

    /// The sigmoid linear unit, also called swish.
    ///
    /// y = x σ(x), dy/dx = σ(x) (1 + x (1 − σ(x))). Any shape. PyTorch's `torch.nn.functional.silu`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-1e4f32, 0.0, 1e4]).silu().to_vec(), [0.0, 0.0, 1e4]);
    /// ```
    pub fn silu(&self) -> Self {
        pointwise(Silu, self)
    }
}
