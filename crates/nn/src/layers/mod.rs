//! The layers, one family per file.

pub mod batch_norm;
pub mod batch_norm_op;
pub mod dropout;
pub mod embedding;
pub mod group_norm;
pub mod layer_norm;
pub mod linear;
