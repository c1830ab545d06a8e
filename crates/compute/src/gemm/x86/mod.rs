//! f32 on x86-64 with AVX2 and FMA, or AVX-512.

mod blocked;
mod dot;
mod micro;
mod panels;
mod rows;
mod tile;
mod vector;

use std::arch::x86_64::{__m256, __m512};

use blocked::Factor;
use micro::{Micro, micro};
use panels::Lanes;
pub(super) use panels::Panels;

use super::{Mat, MatMut};
use crate::Buffer;
use crate::isa::Isa;
use vector::Vector;

/// A view or a packed factor.
pub(super) enum Source<'a> {
    View(Mat<'a, f32>),
    InPlace(Mat<'a, f32>),
    Rows { data: &'a [f32], starts: &'a [usize], cols: usize },
    Panels(&'a Panels),
}

/// Products of fewer multiply-adds than this stay on the calling thread.
const PARALLEL: usize = 1 << 18;
/// Rows up to which sums along contiguous memory are not worth packing.
const FEW: usize = 12;

/// C ← A·B + β·C with no size 0.
///
/// # Safety
/// The CPU has the instruction set, which is not the portable one; the shapes fit, and the views were checked.
pub(super) unsafe fn gemm(
    isa: Isa,
    a: Source,
    b: Source,
    beta: f32,
    c: &MatMut<f32>,
    k: usize,
    parallel: bool,
) {
    let micro = micro(isa);
    let parallel = parallel && c.rows.saturating_mul(c.cols).saturating_mul(k) >= PARALLEL;
    // SAFETY: the caller's promise.
    unsafe {
        match (a, b) {
            (Source::View(a), Source::View(b)) if isa == Isa::Avx512 => {
                views::<__m512>(micro, a, b, beta, c, parallel);
            }
            (Source::View(a), Source::View(b)) => views::<__m256>(micro, a, b, beta, c, parallel),
            (a, b) => {
                let a = match a {
                    Source::View(a) => Factor::View(Lanes::rows(a, micro)),
                    Source::InPlace(a) => Factor::InPlace(Lanes::rows(a, micro)),
                    Source::Rows { .. } => unreachable!("checked to be a right factor"),
                    Source::Panels(a) => Factor::Panels(a),
                };
                let b = match b {
                    Source::View(b) => Factor::View(Lanes::columns(b, micro)),
                    Source::InPlace(b) => Factor::InPlace(Lanes::columns(b, micro)),
                    Source::Rows { data, starts, cols } => {
                        Factor::InPlace(Lanes::scattered(data, starts, cols, micro))
                    }
                    Source::Panels(b) => Factor::Panels(b),
                };
                blocked::blocked(a, b, beta, c, parallel);
            }
        }
    }
}

/// # Safety
/// As [`gemm`].
unsafe fn views<V: Vector>(
    micro: &'static Micro,
    a: Mat<f32>,
    b: Mat<f32>,
    beta: f32,
    c: &MatMut<f32>,
    parallel: bool,
) {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    let b_rows = b.col_stride == 1 || n == 1;
    let b_cols = b.row_stride == 1 || k == 1;
    // SAFETY: the caller's promise.
    unsafe {
        if n == 1 && m > 1 && c.row_stride == 1 {
            views::<V>(micro, b.t(), a.t(), beta, &c.as_row(), parallel);
        } else if k == 1 && b_rows {
            rows::outer(a, b, beta, c, parallel);
        } else if m <= 3 && b_rows && !b_cols {
            rows::few_rows::<V>(micro, a, b, beta, c, parallel);
        } else if b_cols && m <= FEW && a.col_stride != 1 {
            let mut compact = Buffer::scratch((m * k).max(panels::MIN_SCRATCH));
            for i in 0..m {
                for p in 0..k {
                    compact[i * k + p] = a.data[i * a.row_stride + p * a.col_stride];
                }
            }
            dot::dots::<V>(Mat::new(&compact, m, k), b, beta, c, parallel);
        } else if b_cols && m.min(n) <= FEW && a.col_stride == 1 {
            dot::dots::<V>(a, b, beta, c, parallel);
        } else {
            let (a, b) = (Factor::View(Lanes::rows(a, micro)), Factor::View(Lanes::columns(b, micro)));
            blocked::blocked(a, b, beta, c, parallel);
        }
    }
}
