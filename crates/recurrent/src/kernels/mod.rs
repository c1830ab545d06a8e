//! Whole sequences and streams on slices and `ndarray` views, without a tape.
