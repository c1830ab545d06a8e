use std::any::TypeId;

#[cfg(target_arch = "x86_64")]
use super::x86::Panels;
use super::{Mat, cast};
use crate::isa::{Isa, isa};
use crate::{Buffer, Real};

/// A factor that is multiplied often, in the order in which the kernels read it.
///
/// Packing costs about as much as reading and writing the matrix once, and saves that in each product.
/// A product of one row with a matrix reads each number once and gains nothing: hand it a view.
///
/// ```
/// use striate_compute::gemm::{Mat, Packed, gemm};
///
/// let weights = [1.0, 2.0, 3.0, 4.0];
/// let weights = Packed::right(Mat::new(&weights, 2, 2).t());
/// let mut y = [0.0; 4];
/// gemm(Mat::new(&[1.0, 0.0, 0.0, 1.0], 2, 2), &weights, 0.0, &mut y);
/// assert_eq!(y, [1.0, 3.0, 2.0, 4.0]);
/// ```
#[derive(Debug)]
pub struct Packed<E: Real> {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) side: Side,
    pub(super) store: Store<E>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side {
    Left,
    Right,
}

pub(super) enum Store<E: Real> {
    /// Row-major.
    Plain(Buffer<E>),
    #[cfg(target_arch = "x86_64")]
    Panels(Panels),
}

impl<E: Real> std::fmt::Debug for Store<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Store::Plain(_) => write!(f, "Plain"),
            #[cfg(target_arch = "x86_64")]
            Store::Panels(panels) => panels.fmt(f),
        }
    }
}

impl<E: Real> Packed<E> {
    /// Packs A of A·B.
    ///
    /// # Panics
    /// When the slice is too short for the shape.
    #[track_caller]
    pub fn left(a: Mat<E>) -> Self {
        Self::new(a, Side::Left, isa())
    }

    /// Packs B of A·B.
    ///
    /// # Panics
    /// When the slice is too short for the shape.
    #[track_caller]
    pub fn right(b: Mat<E>) -> Self {
        Self::new(b, Side::Right, isa())
    }

    #[track_caller]
    pub(super) fn new(mat: Mat<E>, side: Side, isa: Isa) -> Self {
        mat.check("packed matrix");
        Packed { rows: mat.rows, cols: mat.cols, side, store: Store::new(mat, side, isa) }
    }
}

impl<E: Real> Store<E> {
    fn new(mat: Mat<E>, side: Side, isa: Isa) -> Self {
        #[cfg(target_arch = "x86_64")]
        if isa >= Isa::Avx2 && mat.rows > 0 && mat.cols > 0 && TypeId::of::<E>() == TypeId::of::<f32>() {
            let mat = cast(mat);
            return Store::Panels(match side {
                Side::Left => Panels::rows(mat, isa),
                Side::Right => Panels::columns(mat, isa),
            });
        }
        let _ = (side, isa);
        let mut plain = Buffer::scratch(mat.rows.checked_mul(mat.cols).expect("gemm: packed size overflows"));
        for (i, row) in plain.chunks_exact_mut(mat.cols.max(1)).enumerate() {
            for (j, x) in row.iter_mut().enumerate() {
                *x = mat.data[i * mat.row_stride + j * mat.col_stride];
            }
        }
        Store::Plain(plain)
    }
}
