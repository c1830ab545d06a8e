//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::hint::select_unpredictable as select;

use super::exp::exp;

/// 1 / √(2π)
const FRAC_1_SQRT_2PI: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;

/// Distribution function and density of the standard normal distribution, from one exponential.
///
/// (Φ(x), φ(x)) with φ(x) = e^(−x²/2) / √(2π), Φ(x) = ∫₋∞ˣ φ = ½ (1 + erf(x / √2)); dΦ/dx = φ, dφ/dx = −x φ
///
/// Φ is at most 3·10⁻⁷ off, and for x < 0 at most 10⁻⁶ (1 + x²/8) of itself, where ½ (1 + erf) would lose all digits.
/// PyTorch: `torch.special.ndtr`.
///
/// ```
/// use striate_compute::math::normal;
/// let (distribution, density) = normal(-1.0);
/// assert!((distribution - 0.158_655_25).abs() < 1e-7 && (density - 0.241_970_73).abs() < 1e-7);
/// ```
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let e = exp(-0.5 * x * x);
    // Φ(−|x|) = ½ e · erfcx(|x|/√2), and erfcx is k times a minimax polynomial in k, relative error 2·10⁻⁷ up to |x| = 10.
    let k = 1.0 / (1.0 + 0.282_842_7 * x.abs());
    let p = 0.061_812_744_f32;
    let p = p.mul_add(k, -0.338_080_64);
    let p = p.mul_add(k, 0.577_622_06);
    let p = p.mul_add(k, -0.264_850_47);
    let p = p.mul_add(k, 0.343_807_67);
    let p = p.mul_add(k, 0.162_175_05);
    let p = p.mul_add(k, 0.232_236_6);
    let p = p.mul_add(k, 0.225_276_8);
    let tail = 0.5 * e * (k * p);
    (select(x > 0.0, 1.0 - tail, tail), e * FRAC_1_SQRT_2PI as f32)
}

/// [`normal`] in double precision, through the `libm` crate.
///
/// ```
/// use striate_compute::math::normal_f64;
/// assert_eq!(normal_f64(0.0).0, 0.5);
/// ```
#[inline(always)]
pub fn normal_f64(x: f64) -> (f64, f64) {
    (0.5 * libm::erfc(-x * FRAC_1_SQRT_2), (-0.5 * x * x).exp() * FRAC_1_SQRT_2PI)
}
