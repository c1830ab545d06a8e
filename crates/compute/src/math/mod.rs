//! Elementary functions in f32 without branches or calls, so that a loop over them vectorises.
//!
//! Inside [`crate::isa::vectorized`] LLVM turns a loop over any of them into packed instructions. They use only
//! `+ − × ÷`, fused multiply-adds and bit operations, so every instruction set gives the same bits; a CPU without
//! a fused multiply-add emulates it, slowly. The error bounds
//! are measured over all 2³² arguments, in units in the last place (ulp) of the result; denormal arguments and
//! results are not flushed, overflow gives ±∞ and NaN gives NaN.
//!
//! `f64` is for checking, so its functions are the standard library's, save [`sigmoid_f64`], [`erf_f64`] and [`normal_f64`].

mod erf;
mod exp;
mod ln;
mod normal;

pub use erf::{erf, erf_f64};
pub use exp::{exp, exp_m1, sigmoid, sigmoid_f64, tanh};
pub use ln::{ln, ln_1p};
pub use normal::{normal, normal_f64};
