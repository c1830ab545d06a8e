//! Archives of arrays: `cargo +nightly fuzz run --fuzz-dir crates/formats/fuzz npz`.
#![no_main]

mod archive;
mod check;
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::npz(bytes);
});
