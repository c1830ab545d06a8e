//! One array as numpy writes it: `cargo +nightly fuzz run --fuzz-dir crates/formats/fuzz npy`.
#![no_main]

mod archive;
mod check;
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::npy(bytes);
});
