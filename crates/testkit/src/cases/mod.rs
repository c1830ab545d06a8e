//! The table of gradient checks: every operation has rows here, and a test fails when one has none.

use crate::Case;

mod arithmetic;
mod elementary;

/// All rows.
pub fn all() -> Vec<Case> {
    [arithmetic::cases(), elementary::cases()].into_iter().flatten().collect()
}
