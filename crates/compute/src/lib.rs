//! The arithmetic floor of Striate: slices in, slices out, no shape rule and no tape.
//!
//! * [`gemm`]: matrix products on strided views, packed micro-kernels, optional prepacked operands.
//! * [`math`]: branch-free `exp`, `tanh`, `sigmoid`, `erf`, … that the compiler vectorises, with stated error bounds.
//! * [`map`]: elementwise loops and reductions, vectorised for the CPU found at run time.
//! * [`par`]: parallel loops whose cut does not depend on the number of threads.
//! * [`pool`]: warm buffers for large temporaries.
//! * [`rng`]: a seeded, counter-based generator: the same numbers on every platform.
//! * [`ceilings`]: what this machine can do, measured.

pub mod ceilings;
pub mod gemm;
pub mod isa;
pub mod map;
pub mod math;
pub mod par;
pub mod pool;
mod real;
pub mod rng;

pub use pool::Buffer;
pub use real::Real;
