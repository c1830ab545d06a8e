//! The pickle of a PyTorch archive: `cargo +nightly fuzz run --fuzz-dir crates/formats/fuzz pickle`.
#![no_main]

mod archive;
mod check;
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::pickle(bytes);
});
