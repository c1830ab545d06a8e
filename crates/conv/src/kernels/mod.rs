//! Pure functions on slices: no tape, no allocation beyond the pool.

pub(crate) mod winograd;
