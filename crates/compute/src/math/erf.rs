//! The error function.

use std::hint::select_unpredictable as select;

use super::exp::{power_of_two, reduce};

/// The error function.
///
/// erf x = 2/√π ∫₀ˣ e^(−t²) dt, d(erf x)/dx = 2/√π e^(−x²)
///
/// At most 1.3 ulp off. PyTorch: `torch.erf`.
///
/// ```
/// use striate_compute::math::erf;
/// assert_eq!(erf(0.5), 0.5204999);
/// assert_eq!(erf(-5.0), -1.0);
/// ```
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    // Minimax for erf x / x − 1 on [0, 0.875], relative error 2⁻²⁶.
    let p = -6.121_191_5e-4_f32;
    let p = p.mul_add(s, 0.005_015_679);
    let p = p.mul_add(s, -0.026_779_678);
    let p = p.mul_add(s, 0.112_821_04);
    let p = p.mul_add(s, -0.376_125_13);
    let p = p.mul_add(s, 0.128_379_15);
    let near = p.mul_add(x, x);
    // Minimax for ln(1 − erf t) / t on [0.875, 4]; above 4, erf rounds to 1.
    let t4 = select(t > 4.0, 4.0, t);
    let q = 2.152_296_7e-4_f32;
    let q = q.mul_add(t4, -0.003_225_153_8);
    let q = q.mul_add(t4, 0.022_922_458);
    let q = q.mul_add(t4, -0.105_312_18);
    let q = q.mul_add(t4, -0.635_680_4);
    let q = q.mul_add(t4, -1.128_525_5);
    let (k, m) = reduce(q * t4);
    let far = (1.0 - (1.0 + m) * power_of_two(k)).copysign(x);
    select(t < 0.875, near, far)
}

/// The error function in double precision, from the `libm` crate: less than 1 ulp off.
///
/// erf x = 2/√π ∫₀ˣ e^(−t²) dt, d(erf x)/dx = 2/√π e^(−x²)
///
/// PyTorch: `torch.erf` in float64.
///
/// ```
/// use striate_compute::math::erf_f64;
/// assert_eq!(erf_f64(1.0), 0.8427007929497149);
/// ```
#[inline(always)]
pub fn erf_f64(x: f64) -> f64 {
    libm::erf(x)
}
