//! Criterion benches with named real shapes, and the rows that they share with the side-by-side benchmark.

pub mod conv;
pub mod models;
pub mod recurrent;
pub mod step;
