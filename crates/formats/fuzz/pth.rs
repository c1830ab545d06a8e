//! PyTorch's archives: `cargo +nightly fuzz run --fuzz-dir crates/formats/fuzz pth`.
#![no_main]

mod archive;
mod check;
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::pth(bytes);
});
