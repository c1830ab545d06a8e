//! Shapes and options from arbitrary bytes: `cargo +nightly fuzz run --fuzz-dir crates/conv/fuzz conv`.
#![no_main]

mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::run(bytes));
