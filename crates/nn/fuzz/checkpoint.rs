//! Checkpoints: `cargo +nightly fuzz run --fuzz-dir crates/nn/fuzz checkpoint`.
#![no_main]

use std::sync::LazyLock;

use tempfile::TempDir;

mod check;
#[path = "../../formats/fuzz/memory.rs"]
mod memory;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::checkpoint(FOLDER.path(), bytes);
});
