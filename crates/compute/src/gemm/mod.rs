//! Matrix products on strided views.
//!
//! C ← A·B + β·C
//!
//! A and B are [`Mat`] views with any strides, so a transposed factor costs no copy, or [`Packed`] beforehand.
//! C is row-major. `f32` on x86-64 with AVX2 and FMA, or with AVX-512, runs through kernels of this crate: tiles of
//! 6 × 16 or 8 × 48 in registers on packed panels, dot products and row updates without packing where memory is the
//! limit. All else runs through `matrixmultiply`.
//!
//! Work is cut by sizes alone and each number of C is summed in one order, so the bits of a result depend neither
//! on the number of threads nor on whether [`gemm_into`] or [`gemm_serial`] computed it. They may differ
//! between shapes, strides, packed and unpacked factors, and instruction sets.

mod mat;
mod packed;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::any::TypeId;

use crate::Real;
use crate::isa::{Isa, isa};
pub use mat::{Mat, MatMut, Operand};
pub use packed::Packed;
use packed::{Side, Store};

/// C ← A·B + β·C for C (m, n) row-major without gaps.
///
/// β = 0 overwrites C, whatever it holds. NaN and infinities pass as IEEE 754 says.
///
/// # Shapes
/// A (m, k), B (k, n), C (m, n); any of m, n, k may be 0 (k = 0 leaves β·C).
///
/// # Panics
/// When the shapes do not fit, a slice is too short for its shape, or a packed factor is on the wrong side.
///
/// PyTorch: `torch.addmm(c, a, b, beta=beta, out=c)`.
///
/// ```
/// use striate_compute::gemm::{Mat, gemm};
///
/// let (x, w) = ([1.0, 2.0], [3.0, 4.0, 5.0, 6.0]);
/// let mut y = [100.0, 200.0];
/// gemm(Mat::new(&x, 1, 2), Mat::new(&w, 2, 2).t(), 1.0, &mut y);
/// assert_eq!(y, [111.0, 217.0]);
/// ```
#[track_caller]
pub fn gemm<'a, E: Real>(a: impl Into<Operand<'a, E>>, b: impl Into<Operand<'a, E>>, beta: E, c: &mut [E]) {
    let (a, b) = (a.into(), b.into());
    run(isa(), a, b, beta, MatMut::new(c, a.rows(), b.cols()), true);
}

/// [`gemm`] into a C whose rows may lie apart.
///
/// # Panics
/// As [`gemm`].
#[track_caller]
pub fn gemm_into<'a, E: Real>(
    a: impl Into<Operand<'a, E>>,
    b: impl Into<Operand<'a, E>>,
    beta: E,
    c: MatMut<E>,
) {
    run(isa(), a.into(), b.into(), beta, c, true);
}

/// [`gemm_into`] on the calling thread alone, the same bits: for tiles of a loop that is parallel itself.
///
/// # Panics
/// As [`gemm`].
#[track_caller]
pub fn gemm_serial<'a, E: Real>(
    a: impl Into<Operand<'a, E>>,
    b: impl Into<Operand<'a, E>>,
    beta: E,
    c: MatMut<E>,
) {
    run(isa(), a.into(), b.into(), beta, c, false);
}

#[track_caller]
fn run<E: Real>(isa: Isa, a: Operand<E>, b: Operand<E>, beta: E, mut c: MatMut<E>, parallel: bool) {
    let (m, k, n) = (a.rows(), a.cols(), b.cols());
    assert!(
        b.rows() == k && c.rows == m && c.cols == n,
        "gemm: shapes do not fit: a [{m}, {k}], b [{}, {n}], c [{}, {}]",
        b.rows(),
        c.rows,
        c.cols
    );
    check(&a, "a", Side::Left);
    check(&b, "b", Side::Right);
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        return c.scale(beta);
    }
    #[cfg(target_arch = "x86_64")]
    if isa >= Isa::Avx2 && TypeId::of::<E>() == TypeId::of::<f32>() {
        let beta = beta.f64() as f32;
        // SAFETY: shapes and views were checked above, and `isa` is not above what the CPU has.
        return unsafe { x86::gemm(isa, x86_source(a), x86_source(b), beta, &c.cast(), k, parallel) };
    }
    let _ = isa;
    let gathered;
    let b = if let Operand::Rows { data, starts, cols } = b {
        gathered = starts.iter().flat_map(|&start| &data[start..start + cols]).copied().collect::<Vec<E>>();
        Mat::new(&gathered, k, n)
    } else {
        plain(b)
    };
    portable::gemm(plain(a), b, beta, &c, parallel);
}

#[track_caller]
fn check<E: Real>(operand: &Operand<E>, name: &str, side: Side) {
    match operand {
        Operand::View(mat) => mat.check(name),
        Operand::InPlace(mat) => {
            mat.check(name);
            assert!(
                side == Side::Left || mat.col_stride == 1,
                "gemm: {name} in place needs unit column stride"
            );
        }
        Operand::Rows { data, starts, cols } => {
            assert!(side == Side::Right, "gemm: {name} has its rows anywhere, which only a right factor may");
            let last = starts.iter().max().map_or(0, |&start| start.saturating_add(*cols));
            assert!(last <= data.len(), "gemm: rows of {name} end at {last}, beyond {} elements", data.len());
        }
        Operand::Packed(packed) => {
            assert!(packed.side == side, "gemm: {name} is packed for the other side");
        }
    }
}

fn plain<'a, E: Real>(operand: Operand<'a, E>) -> Mat<'a, E> {
    match operand {
        Operand::View(mat) | Operand::InPlace(mat) => mat,
        Operand::Packed(Packed { store: Store::Plain(data), rows, cols, .. }) => Mat::new(data, *rows, *cols),
        Operand::Rows { .. } => unreachable!("rows that lie anywhere are gathered before"),
        #[cfg(target_arch = "x86_64")]
        Operand::Packed(Packed { store: Store::Panels(_), .. }) => {
            unreachable!("the instruction set never changes")
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn x86_source<'a, E: Real>(operand: Operand<'a, E>) -> x86::Source<'a> {
    match operand {
        Operand::Packed(Packed { store: Store::Panels(panels), .. }) => x86::Source::Panels(panels),
        Operand::InPlace(mat) => x86::Source::InPlace(cast(mat)),
        Operand::Rows { data, starts, cols } => {
            x86::Source::Rows { data: bytemuck::cast_slice(data), starts, cols }
        }
        operand => x86::Source::View(cast(plain(operand))),
    }
}

/// The same matrix, for an E that is f32.
#[cfg(target_arch = "x86_64")]
fn cast<'a, E: Real>(mat: Mat<'a, E>) -> Mat<'a, f32> {
    assert_eq!(TypeId::of::<E>(), TypeId::of::<f32>());
    let Mat { data, rows, cols, row_stride, col_stride } = mat;
    Mat { data: bytemuck::cast_slice(data), rows, cols, row_stride, col_stride }
}
