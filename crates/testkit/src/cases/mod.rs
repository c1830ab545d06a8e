//! The table of gradient checks: every operation has rows here, and a test fails when one has none.

use crate::Case;

mod arithmetic;

/// All rows.
pub fn all() -> Vec<Case> {
    [arithmetic::cases()].into_iter().flatten().collect()
}
