//! The `gemm` crate, on rayon's threads.

use gemm::Parallelism;
use protocol::{Peer, gemm_rows, threads};

fn main() {
    let threads = threads();
    let parallelism = if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    let rows = gemm_rows(move |[m, k, n], a, b, c| {
        let row = |columns: usize| columns as isize;
        // SAFETY: the three slices are row-major matrices of the shapes and strides given.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.as_mut_ptr(),
                1,
                row(n),
                false,
                a.as_ptr(),
                1,
                row(k),
                b.as_ptr(),
                1,
                row(n),
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    });
    Peer { name: "gemm", version: "0.19.0".into(), rows }.serve();
}
