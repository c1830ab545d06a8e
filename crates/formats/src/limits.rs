//! How much a file may ask for.

use crate::{Dtype, Problem};

/// How much a reader may take from one file; what exceeds it is an error before memory is taken.
///
/// ```
/// use striate_formats::Limits;
/// let small = Limits { max_bytes: 1 << 20, ..Limits::default() };
/// assert_eq!(small.max_rank, Limits::default().max_rank);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file, and bytes of all its arrays together in memory. Default: 4 GiB.
    pub max_bytes: u64,
    /// Number of arrays. Default: 65,536.
    pub max_arrays: usize,
    /// Number of axes of an array. Default: 32.
    pub max_rank: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 4 << 30, max_arrays: 65_536, max_rank: 32 }
    }
}

impl Limits {
    pub(crate) fn check_file(&self, length: u64) -> Result<(), Problem> {
        check("bytes of the file", self.max_bytes, length)
    }

    pub(crate) fn check_count(&self, arrays: usize) -> Result<(), Problem> {
        check("arrays", self.max_arrays as u64, arrays as u64)
    }
}

/// What is left of the limit on bytes while the arrays of one file are read.
pub(crate) struct Budget {
    limits: Limits,
    used: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, used: 0 }
    }

    pub(crate) fn max_rank(&self) -> usize {
        self.limits.max_rank
    }

    /// Bytes in the file of an array of this shape, after rank, overflow and the total in memory were checked.
    pub(crate) fn claim(&mut self, dtype: Dtype, shape: &[usize]) -> Result<usize, Problem> {
        check("axes", self.limits.max_rank as u64, shape.len() as u64)?;
        let overflow = || Problem::Overflow { shape: shape.to_vec(), dtype };
        // ndarray addresses the non-empty axes even when another axis is empty.
        let extent =
            shape.iter().filter(|&&n| n != 0).try_fold(dtype.size_in_memory(), |n, &d| n.checked_mul(d));
        extent.filter(|&n| isize::try_from(n).is_ok()).ok_or_else(overflow)?;
        let count: usize = shape.iter().product();
        let total = self.used.saturating_add((count * dtype.size_in_memory()) as u64);
        check("bytes of all arrays", self.limits.max_bytes, total)?;
        self.used = total;
        Ok(count * dtype.size())
    }
}

pub(crate) fn check(what: &'static str, limit: u64, found: u64) -> Result<(), Problem> {
    if found > limit { Err(Problem::Limit { what, limit, found }) } else { Ok(()) }
}
