//! Matrix products on slices.

use protocol::{Prepare, gemm_rows};
use striate_compute::gemm::{Mat, gemm};

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    gemm_rows(|[m, k, n], a, b, c| gemm(Mat::new(a, m, k), Mat::new(b, k, n), 0.0, c))
}
