//! The `matrixmultiply` crate with its own threads (as many as `MATMUL_NUM_THREADS`, which the driver sets).

use protocol::{Peer, gemm_rows};

fn main() {
    let rows = gemm_rows(|[m, k, n], a, b, c| {
        let row = |columns: usize| columns as isize;
        // SAFETY: the three slices are row-major matrices of the shapes and strides given.
        unsafe {
            matrixmultiply::sgemm(
                m,
                k,
                n,
                1.0,
                a.as_ptr(),
                row(k),
                1,
                b.as_ptr(),
                row(n),
                1,
                0.0,
                c.as_mut_ptr(),
                row(n),
                1,
            );
        }
    });
    Peer { name: "matrixmultiply", version: "0.3.11".into(), rows }.serve();
}
