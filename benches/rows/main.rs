//! Striate's side of `cargo xtask bench --peers`: the rows and the protocol of `benches/peers/README.md`.

mod gemm;

use protocol::Peer;
use striate_compute::par;

fn main() {
    par::install(|| {
        let rows = gemm::rows();
        Peer { name: "striate", version: env!("CARGO_PKG_VERSION").into(), rows }.serve();
    });
}
