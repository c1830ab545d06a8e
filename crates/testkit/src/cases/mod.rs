//! The table of gradient checks: every operation has rows here, and a test fails when one has none.

use crate::Case;

mod arithmetic;
mod conv;
mod elementary;
mod layout;
mod nn_layers;
mod nn_losses;
mod pooling;
mod recurrence;
mod reductions;

/// All rows.
pub fn all() -> Vec<Case> {
    [
        arithmetic::cases(),
        layout::cases(),
        elementary::cases(),
        reductions::cases(),
        nn_layers::cases(),
        nn_losses::cases(),
        conv::cases(),
        pooling::cases(),
        recurrence::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
