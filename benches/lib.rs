//! Criterion benches with named real shapes.
