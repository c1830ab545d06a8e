//! The table of gradient checks: every operation has rows here, and a test fails when one has none.

use crate::Case;

mod arithmetic;
mod elementary;
mod layout;
mod reductions;

/// All rows.
pub fn all() -> Vec<Case> {
    [arithmetic::cases(), layout::cases(), elementary::cases(), reductions::cases()]
        .into_iter()
        .flatten()
        .collect()
}
