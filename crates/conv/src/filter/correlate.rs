//! Correlation and convolution of an image with a kernel.

use ndarray::{Array2, ArrayView2};
use striate_compute::{Buffer, Real, isa, par};

use super::Kernel;
use crate::Boundary;

/// Correlation: I′(i, j) = Σₘₙ K(m, n) · I(i + m, j + n).
///
/// image (H, W) → (H, W); `boundary` says what I is outside. The sums run over m and then n upwards, so every pixel is
/// computed alike wherever it stands. PyTorch's `conv2d` for an odd kernel with `padding='same'`; SciPy's
/// `ndimage.correlate`.
///
/// ```
/// use ndarray::array;
/// use striate_conv::Boundary;
/// use striate_conv::filter::{Kernel, correlate};
///
/// let image = array![[1.0, 2.0, 4.0]];
/// let kernel = Kernel::new(array![[10.0, 1.0, 100.0]], (0, 1))?;
/// assert_eq!(correlate(image.view(), &kernel, Boundary::Zero), array![[201.0, 412.0, 24.0]]);
/// # Ok::<(), striate_conv::filter::FilterError>(())
/// ```
pub fn correlate<E: Real>(image: ArrayView2<E>, kernel: &Kernel<E>, boundary: Boundary) -> Array2<E> {
    let (height, width) = image.dim();
    let mut filtered = Array2::zeros((height, width));
    if filtered.is_empty() {
        return filtered;
    }
    let (weights, anchor) = (kernel.weights(), kernel.anchor());
    let padded = padded_rows(image, (anchor.1, weights.ncols() - 1 - anchor.1), boundary);
    let padded_width = width + weights.ncols() - 1;
    let rows_in_a_piece = (par::PIECE / width.saturating_mul(weights.nrows())).max(1);
    let out = filtered.as_slice_mut().expect("a new array is contiguous");
    par::pieces_mut(out, rows_in_a_piece * width, |piece, out| {
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let i = (piece * rows_in_a_piece + row) as isize - anchor.0 as isize;
            let lines: Vec<(&[E], &[E])> = (weights.rows().into_iter().enumerate())
                .filter_map(|(m, weights)| {
                    let source = boundary.index(i + m as isize, height)?;
                    let line = &padded[source * padded_width..][..padded_width];
                    Some((weights.to_slice().expect("kernels are contiguous"), line))
                })
                .collect();
            isa::vectorized_for::<E, _>(
                #[inline(always)]
                || sum_lines(&lines, out),
            );
        }
    });
    filtered
}

/// Convolution: I′(i, j) = Σₘₙ K(m, n) · I(i − m, j − n) = Σₘₙ K(−m, −n) · I(i + m, j + n).
///
/// image (H, W) → (H, W); `boundary` says what I is outside. An impulse is replaced by the kernel: K is the
/// point-spread function. The result is [`correlate`]'s if and only if the kernel
/// [is symmetric](Kernel::is_symmetric). SciPy's `ndimage.convolve`.
///
/// ```
/// use ndarray::array;
/// use striate_conv::Boundary;
/// use striate_conv::filter::{Kernel, convolve};
///
/// let impulse = array![[0.0, 0.0, 1.0, 0.0, 0.0]];
/// let kernel = Kernel::new(array![[10.0, 1.0, 100.0]], (0, 1))?;
/// assert_eq!(convolve(impulse.view(), &kernel, Boundary::Zero), array![[0.0, 10.0, 1.0, 100.0, 0.0]]);
/// # Ok::<(), striate_conv::filter::FilterError>(())
/// ```
pub fn convolve<E: Real>(image: ArrayView2<E>, kernel: &Kernel<E>, boundary: Boundary) -> Array2<E> {
    correlate(image, &kernel.rotated(), boundary)
}

/// Every row of the image with what stands before and after it.
fn padded_rows<E: Real>(
    image: ArrayView2<E>,
    (before, after): (usize, usize),
    boundary: Boundary,
) -> Buffer<E> {
    let width = image.ncols();
    let padded_width = before + width + after;
    let mut padded = Buffer::scratch(image.nrows() * padded_width);
    let rows_in_a_piece = (par::PIECE / padded_width).max(1);
    par::pieces_mut(&mut padded, rows_in_a_piece * padded_width, |piece, lines| {
        for (row, line) in lines.chunks_exact_mut(padded_width).enumerate() {
            let source = image.row(piece * rows_in_a_piece + row);
            let outside = |place: usize| {
                let index = boundary.index(place as isize - before as isize, width);
                index.map_or(E::zero(), |index| source[index])
            };
            for place in (0..before).chain(before + width..padded_width) {
                line[place] = outside(place);
            }
            line[before..before + width].iter_mut().zip(source).for_each(|(to, &from)| *to = from);
        }
    });
    padded
}

/// Pixels of a row that are summed in registers.
const BLOCK: usize = 64;

/// `out[j] = Σ weights[n] · line[j + n]` over all pairs of weights and line.
#[inline(always)]
fn sum_lines<E: Real>(lines: &[(&[E], &[E])], out: &mut [E]) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    let whole = blocks.len() * BLOCK;
    for (block, out) in blocks.iter_mut().enumerate() {
        let mut sums = [E::zero(); BLOCK];
        for (weights, line) in lines {
            for (&weight, window) in weights.iter().zip(line[block * BLOCK..].windows(BLOCK)) {
                for (sum, &pixel) in sums.iter_mut().zip(window) {
                    *sum += weight * pixel;
                }
            }
        }
        *out = sums;
    }
    for (weights, line) in lines {
        for (&weight, window) in weights.iter().zip(line[whole..].windows(rest.len().max(1))) {
            for (sum, &pixel) in rest.iter_mut().zip(window) {
                *sum += weight * pixel;
            }
        }
    }
}
