//! Logarithms: x = 2ᵏ (1 + f) with √½ ≤ 1 + f < √2, ln x = k ln 2 + ln(1 + f).

use std::hint::select_unpredictable as select;

/// ln 2 in two parts; the first has 17 bits, so that its product with k is exact.
const LN2_HIGH: f32 = 0.693_138_1;
const LN2_LOW: f32 = 9.058_001e-6;

/// √½ as bits: an exponent is counted from here.
const SQRT_HALF: u32 = 0x3f35_04f3;

/// x → (k, f) for positive normal x.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let offset = x.to_bits().wrapping_sub(SQRT_HALF) as i32;
    let k = offset >> 23;
    let mantissa = f32::from_bits((offset as u32 & 0x007f_ffff).wrapping_add(SQRT_HALF));
    (k, mantissa - 1.0)
}

/// k ln 2 + ln(1 + f) + c for a small correction c, after FreeBSD's msun (`e_logf.c`).
#[inline(always)]
fn join(k: i32, f: f32, c: f32) -> f32 {
    // ln(1 + f) = 2 artanh s, s = f / (2 + f)
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = w * w.mul_add(0.242_790_79, 0.400_009_72);
    let even = z * w.mul_add(0.284_987_87, 0.666_666_6);
    let half_square = 0.5 * f * f;
    let k = k as f32;
    let small = s.mul_add(half_square + odd + even, k.mul_add(LN2_LOW, c));
    k.mul_add(LN2_HIGH, small - half_square + f)
}

/// `y` where `x` is positive and finite, else what the logarithm of `x` is.
#[inline(always)]
fn at_the_edges(x: f32, y: f32) -> f32 {
    let y = select(x == f32::INFINITY, x, y);
    let y = select(x == 0.0, f32::NEG_INFINITY, y);
    // NaN too.
    select(x >= 0.0, y, f32::NAN)
}

/// The natural logarithm.
///
/// y = ln x, dy/dx = 1 / x
///
/// At most 1 ulp off; −∞ at ±0, NaN below 0. PyTorch: `torch.log`.
///
/// ```
/// use striate_compute::math::ln;
/// assert_eq!(ln(1.0), 0.0);
/// assert_eq!(ln(0.0), f32::NEG_INFINITY);
/// assert_eq!(ln(1e-45), -103.27893); // denormal
/// ```
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let denormal = x < f32::MIN_POSITIVE;
    let (k, f) = split(select(denormal, x * 33_554_432.0, x));
    let k = k.wrapping_sub(select(denormal, 25, 0));
    at_the_edges(x, join(k, f, 0.0))
}

/// ln(1 + x), accurate near 0.
///
/// y = ln(1 + x), dy/dx = 1 / (1 + x)
///
/// At most 1 ulp off; −∞ at −1, NaN below −1. PyTorch: `torch.log1p`.
///
/// ```
/// use striate_compute::math::ln_1p;
/// assert_eq!(ln_1p(1e-10), 1e-10);
/// ```
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (k, f) = split(u);
    // What the rounding of 1 + x lost, taken from the smaller summand.
    let lost = select(x < 1.0, x - (u - 1.0), 1.0 - (u - x));
    let near = k == 0;
    let y = join(k, select(near, x, f), select(near, 0.0, lost / u));
    select(x == 0.0, x, at_the_edges(u, y))
}
