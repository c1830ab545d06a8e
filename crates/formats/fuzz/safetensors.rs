//! Named arrays behind a JSON header: `cargo +nightly fuzz run --fuzz-dir crates/formats/fuzz safetensors`.
#![no_main]

mod archive;
mod check;
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::safetensors(bytes);
});
