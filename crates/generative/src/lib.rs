//! Generative models: a distribution learnt from data, and new samples drawn from it.

mod error;

pub use error::GenerativeError;
