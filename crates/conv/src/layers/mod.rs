//! Layers, one family per file.

pub mod pool;
pub mod upsample;
