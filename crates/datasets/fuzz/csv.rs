//! Tables of numbers: `cargo +nightly fuzz run --fuzz-dir crates/datasets/fuzz csv`.
#![no_main]

use std::sync::LazyLock;

use tempfile::TempDir;

mod check;
#[path = "../../formats/fuzz/memory.rs"]
mod memory;

static FOLDER: LazyLock<TempDir> = LazyLock::new(check::folder);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::csv(FOLDER.path(), bytes);
});
