//! IDX files, raw and gzip: `cargo +nightly fuzz run --fuzz-dir crates/datasets/fuzz idx`.
#![no_main]

mod check;
#[path = "../../formats/fuzz/memory.rs"]
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::idx(bytes);
});
