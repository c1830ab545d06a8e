//! Convolution as a matrix: vec(y) = W · vec(x) for one image.
//!
//! vec(x) is x (C, *) in memory order, the last axis fastest. Row (o, q) of W holds the weights of output o at place q,
//! each in the column (c, i) of the input that it meets. So
//!
//! * forward is W · vec(x),
//! * the gradient with respect to x is Wᵀ · vec(dy),
//! * a column of W is the answer to an impulse,
//! * with stride 1 every pair of channels is a doubly block-Toeplitz matrix: blocks depend on the difference of the row
//!   indices i′ − i alone, and elements of a block on that of the column indices j′ − j.
//!
//! The matrix is for understanding and checking, and for small cases; kernels never build it.

mod picture;
mod sparse;

use std::ops::Range;

use striate_compute::Real;
use thiserror::Error;

use crate::Geometry;
use crate::geometry::product;
pub use picture::PictureOptions;
pub use sparse::SparseMatrix;

/// A matrix that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum MatrixError {
    #[error("{what} would have more than the {limit} {unit} that are allowed")]
    TooLarge { what: &'static str, unit: &'static str, limit: usize },
    #[error("w must have {expected} elements ({shape:?}), not {len}")]
    Weights { expected: usize, shape: [usize; 5], len: usize },
}

/// The largest number of weights that a sparse matrix may hold.
pub const SPARSE_LIMIT: usize = 1 << 28;

/// The largest number of elements that a dense matrix or a picture may have.
pub const DENSE_LIMIT: usize = 1 << 26;

/// The matrix W of a convolution, with vec(y) = W · vec(x) for one image.
///
/// W[(o, q), (c, i)] = w[o, c, t] where i = q·stride + t·dilation − padding, for c in the group of o; zero elsewhere.
///
/// w (O, C / groups, *) in memory order → (O · outputs, C · inputs). The batch size plays no part; a bias is added to
/// y apart.
///
/// # Errors
/// When `w` has not the geometry's number of elements, or the matrix is beyond [`SPARSE_LIMIT`].
///
/// ```
/// use ndarray::array;
/// use striate_conv::matrix::convolution_matrix;
/// use striate_conv::{ConvOptions, Geometry};
///
/// let conv = Geometry::new::<1>(&[1, 1, 4], &[1, 1, 3], &ConvOptions::default())?;
/// let matrix = convolution_matrix(&conv, &[1.0, 2.0, 3.0])?;
/// assert_eq!(matrix.to_dense()?, array![[1.0, 2.0, 3.0, 0.0], [0.0, 1.0, 2.0, 3.0]]);
/// assert_eq!(matrix.matvec(&[1.0, 0.0, 0.0, 1.0]), [1.0, 3.0]);
/// assert_eq!(matrix.transpose_matvec(&[1.0, 10.0]), [1.0, 12.0, 23.0, 30.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn convolution_matrix<E: Real>(geometry: &Geometry, w: &[E]) -> Result<SparseMatrix<E>, MatrixError> {
    let g = geometry;
    let (channels, features, taps) = (g.group_channels(), g.group_features(), g.taps());
    let expected = g.features * channels * taps;
    if w.len() != expected {
        let [depth, height, width] = g.kernel;
        return Err(MatrixError::Weights {
            expected,
            shape: [g.features, channels, depth, height, width],
            len: w.len(),
        });
    }
    let (rows, columns, weights) = size(g).ok_or(TOO_LARGE)?;
    let mut matrix = SparseMatrix::with_capacity(rows, columns, weights)?;
    for o in 0..g.features {
        let first_channel = o / features * channels;
        for q in grid(g.output.map(|size| 0..size)) {
            let inside = std::array::from_fn(|axis| taps_inside(g, axis, q[axis]));
            for c in 0..channels {
                for t in grid(inside.clone()) {
                    let i = std::array::from_fn(|axis| input_place(g, axis, q[axis], t[axis]) as usize);
                    let column = (first_channel + c) * g.input_size() + offset(i, g.input);
                    matrix.push(column, w[(o * channels + c) * taps + offset(t, g.kernel)]);
                }
            }
            matrix.end_row();
        }
    }
    Ok(matrix)
}

const TOO_LARGE: MatrixError =
    MatrixError::TooLarge { what: "the matrix", unit: "rows, columns or weights", limit: SPARSE_LIMIT };

/// Whether the matrix is within the limits.
pub(crate) fn fits(g: &Geometry) -> bool {
    size(g).is_some()
}

/// Rows, columns and weights of the matrix, when none is beyond the limit.
fn size(g: &Geometry) -> Option<(usize, usize, usize)> {
    let limited = |sizes: &[usize]| product(sizes).filter(|&n| n <= SPARSE_LIMIT);
    let rows = limited(&[g.features, limited(&g.output)?])?;
    let columns = limited(&[g.channels, limited(&g.input)?])?;
    let along = |axis| (0..g.output[axis]).map(|q| taps_inside(g, axis, q).len()).sum();
    let weights = limited(&[g.features, g.group_channels(), along(0), along(1), along(2)])?;
    Some((rows, columns, weights))
}

/// i = q·stride + t·dilation − padding
fn input_place(g: &Geometry, axis: usize, q: usize, t: usize) -> isize {
    (q * g.stride[axis] + t * g.dilation[axis]) as isize - g.padding[axis]
}

/// The taps that meet the input, and not what stands around it, at place q.
fn taps_inside(g: &Geometry, axis: usize, q: usize) -> Range<usize> {
    let first = input_place(g, axis, q, 0);
    let reaching = |place: isize| usize::try_from(place - first).unwrap_or(0).div_ceil(g.dilation[axis]);
    let (start, end) = (reaching(0), reaching(g.input[axis] as isize).min(g.kernel[axis]));
    start..end.max(start)
}

/// All places of three ranges, the last fastest.
fn grid([a, b, c]: [Range<usize>; 3]) -> impl Iterator<Item = [usize; 3]> {
    a.flat_map(move |i| {
        let c = c.clone();
        b.clone().flat_map(move |j| c.clone().map(move |k| [i, j, k]))
    })
}

fn offset(place: [usize; 3], size: [usize; 3]) -> usize {
    (place[0] * size[1] + place[1]) * size[2] + place[2]
}
