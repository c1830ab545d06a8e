//! The layers, one family per file.

pub mod linear;
