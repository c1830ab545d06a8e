//! Layers, one family per file.

pub mod conv;
pub mod pool;
pub mod upsample;
