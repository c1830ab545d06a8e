use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::Neg;

use bytemuck::Pod;
use num_traits::{FromPrimitive, NumAssign};

use crate::math;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The element of every array in Striate: `f32` to compute with, `f64` to check with.
///
/// The `f32` functions are branch-free, so that a loop over them vectorises; [`crate::math`] states their error bounds.
/// The `f64` functions are the standard library's.
pub trait Real:
    sealed::Sealed
    + Pod
    + NumAssign
    + FromPrimitive
    + Neg<Output = Self>
    + PartialOrd
    + Sum
    + Debug
    + Display
    + LowerExp
    + Default
    + Send
    + Sync
    + 'static
{
    /// Distance from 1 to the next larger number.
    const EPSILON: Self;
    /// +∞.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// `"f32"` or `"f64"`, for messages.
    const NAME: &'static str;

    /// The nearest `Self` to `x`.
    fn of(x: f64) -> Self;
    /// The same number as `f64`.
    fn f64(self) -> f64;

    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0
    fn exp_m1(self) -> Self;
    /// ln x
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0
    fn ln_1p(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// xᵖ
    fn powf(self, p: Self) -> Self;
    /// sin x, x in radians
    fn sin(self) -> Self;
    /// cos x, x in radians
    fn cos(self) -> Self;
    /// tanh x
    fn tanh(self) -> Self;
    /// 1 / (1 + e⁻ˣ)
    fn sigmoid(self) -> Self;
    /// erf x = 2/√π ∫₀ˣ e^(−t²) dt
    fn erf(self) -> Self;
    /// Φ(x) and φ(x), distribution function and density of the standard normal distribution
    fn normal(self) -> (Self, Self);
    /// |x|
    fn abs(self) -> Self;
    /// Largest integer not above x.
    fn floor(self) -> Self;
    /// Whether x is not a number.
    fn is_nan(self) -> bool;

    /// The larger of two; NaN when either is NaN, as PyTorch's `maximum`.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        if self > other || self.is_nan() { self } else { other }
    }

    /// The smaller of two; NaN when either is NaN, as PyTorch's `minimum`.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        if self < other || self.is_nan() { self } else { other }
    }
}

macro_rules! real {
    ($t:ident, $normal:path, $($name:ident => $f:path),*) => {
        impl Real for $t {
            const EPSILON: Self = $t::EPSILON;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            const NAME: &'static str = stringify!($t);

            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn powf(self, p: Self) -> Self {
                $t::powf(self, p)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self != self
            }
            #[inline(always)]
            fn normal(self) -> (Self, Self) {
                $normal(self)
            }
            $(#[inline(always)]
            fn $name(self) -> Self {
                $f(self)
            })*
        }
    };
}

real!(f32, math::normal,
    exp => math::exp, exp_m1 => math::exp_m1, ln => math::ln, ln_1p => math::ln_1p, sqrt => f32::sqrt,
    sin => f32::sin, cos => f32::cos, tanh => math::tanh, sigmoid => math::sigmoid, erf => math::erf,
    abs => f32::abs, floor => f32::floor);

real!(f64, math::normal_f64,
    exp => f64::exp, exp_m1 => f64::exp_m1, ln => f64::ln, ln_1p => f64::ln_1p, sqrt => f64::sqrt,
    sin => f64::sin, cos => f64::cos, tanh => f64::tanh, sigmoid => math::sigmoid_f64, erf => math::erf_f64,
    abs => f64::abs, floor => f64::floor);
