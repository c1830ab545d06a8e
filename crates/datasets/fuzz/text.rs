//! Text and its vocabulary: `cargo +nightly fuzz run --fuzz-dir crates/datasets/fuzz text`.
#![no_main]

mod check;
#[path = "../../formats/fuzz/memory.rs"]
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::text(bytes);
});
