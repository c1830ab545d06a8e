//! Striate's side of `cargo xtask bench --peers`: the rows and the protocol of `benches/peers/README.md`.
//!
//! With `--ceilings` it measures what the machine can do at most, and prints that as one JSON line.
#![allow(clippy::print_stdout, reason = "it is read by the driver")]

mod gemm;
mod mlp;
mod tensor;

use protocol::Peer;
use striate_benches::{conv, models, recurrent};
use striate_compute::ceilings::Ceilings;
use striate_compute::par;

fn main() {
    if std::env::args().any(|argument| argument == "--ceilings") {
        return print_ceilings();
    }
    par::install(|| {
        let rows =
            [gemm::rows(), tensor::rows(), mlp::rows(), conv::rows(), recurrent::rows(), models::rows()];
        let rows = rows.into_iter().flatten().collect();
        Peer { name: "striate", version: env!("CARGO_PKG_VERSION").into(), rows }.serve();
    });
}

fn print_ceilings() {
    let Ceilings { threads, fma_gflops, cache_copy, memory_copy, fresh_write } =
        Ceilings::measure(protocol::threads());
    println!(
        "{{\"threads\": {threads}, \"fma_gflops\": {fma_gflops:.1}, \"cache_copy\": {cache_copy:.2}, \
         \"memory_copy\": {memory_copy:.2}, \"fresh_write\": {fresh_write:.2}}}"
    );
}
