//! Functions of eˣ = 2ᵏ eʳ with k = round(x / ln 2), |r| ≤ ln 2 / 2.

use std::f32::consts::LOG2_E;
use std::hint::select_unpredictable as select;

/// Adding 1.5 · 2²³ rounds a small number to an integer and leaves that integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts; the first has 9 bits, so that its product with k is exact.
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// x → (k, eʳ − 1) for |x| < 2²¹.
#[inline(always)]
pub(super) fn reduce(x: f32) -> (i32, f32) {
    let rounded = x.mul_add(LOG2_E, ROUND);
    let k = rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let n = rounded - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    // Minimax on |r| ≤ ln 2 / 2, relative error 2⁻²⁶.
    let p = 0.001_394_065_f32;
    let p = p.mul_add(r, 0.008_366_398);
    let p = p.mul_add(r, 0.041_666_403);
    let p = p.mul_add(r, 0.166_665_45);
    let p = p.mul_add(r, 0.5);
    (k, (p * r).mul_add(r, r))
}

/// 2ᵏ for −126 ≤ k ≤ 127.
#[inline(always)]
pub(super) fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

/// Limits `x` to `[low, high]`; NaN stays.
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = select(x < low, low, x);
    select(x > high, high, x)
}

/// The exponential function.
///
/// y = eˣ, dy/dx = y
///
/// At most 1.1 ulp off, also where the result is denormal (−103.98 < x < −87.33).
/// PyTorch: `torch.exp`.
///
/// ```
/// use striate_compute::math::exp;
/// assert_eq!(exp(0.0), 1.0);
/// assert_eq!(exp(-100.0), 3.783506e-44); // denormal
/// assert_eq!(exp(89.0), f32::INFINITY);
/// ```
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (k, p) = reduce(clamp(x, -104.0, 89.0));
    // In two steps, since 2ᵏ itself may be out of range.
    let half = k >> 1;
    (1.0 + p) * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

/// eˣ − 1, accurate near 0.
///
/// y = eˣ − 1, dy/dx = y + 1
///
/// At most 1.8 ulp off. PyTorch: `torch.expm1`.
///
/// ```
/// use striate_compute::math::exp_m1;
/// assert_eq!(exp_m1(1e-10), 1e-10);
/// ```
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let (k, p) = reduce(clamp(x, -18.0, 89.0));
    // 2ᵏ (p + 1) − 1 = 2 (2ᵏ⁻¹ p + (2ᵏ⁻¹ − 1/2)), with the half because 2¹²⁸ is out of range.
    let half_scale = power_of_two(k.wrapping_sub(1));
    let y = 2.0 * half_scale.mul_add(p, half_scale - 0.5);
    select(k == 0, p, y).copysign(x)
}

/// The hyperbolic tangent.
///
/// y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), dy/dx = 1 − y²
///
/// At most 2.6 ulp off. PyTorch: `torch.tanh`.
///
/// ```
/// use striate_compute::math::tanh;
/// assert_eq!(tanh(-0.0).to_bits(), (-0.0_f32).to_bits());
/// assert_eq!(tanh(20.0), 1.0);
/// ```
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // With m = e^(−2|x|) − 1: tanh |x| = −m / (2 + m).
    let (k, p) = reduce(clamp(-2.0 * x.abs(), -18.0, 0.0));
    let scale = power_of_two(k);
    let m = scale.mul_add(p, scale - 1.0);
    (-m / (2.0 + m)).copysign(x)
}

/// The logistic function.
///
/// y = 1 / (1 + e⁻ˣ), dy/dx = y (1 − y)
///
/// At most 2.5 ulp off, also where the result is denormal. PyTorch: `torch.sigmoid`.
///
/// ```
/// use striate_compute::math::sigmoid;
/// assert_eq!(sigmoid(0.0), 0.5);
/// assert_eq!(sigmoid(-90.0), 8.194013e-40); // denormal
/// ```
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    // e ≤ 1 on both sides, so nothing overflows and nothing cancels.
    let e = exp(-x.abs());
    let numerator = select(x < 0.0, e, 1.0);
    numerator / (1.0 + e)
}

/// The logistic function in double precision.
///
/// y = 1 / (1 + e⁻ˣ), dy/dx = y (1 − y)
///
/// At most 3 ulp off on both sides. PyTorch: `torch.sigmoid` in float64.
///
/// ```
/// use striate_compute::math::sigmoid_f64;
/// assert_eq!(sigmoid_f64(-1e4), 0.0);
/// assert_eq!(sigmoid_f64(1e4), 1.0);
/// ```
#[inline(always)]
pub fn sigmoid_f64(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    let numerator = select(x < 0.0, e, 1.0);
    numerator / (1.0 + e)
}
