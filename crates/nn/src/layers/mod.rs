//! The layers, one family per file.

pub mod dropout;
pub mod linear;
