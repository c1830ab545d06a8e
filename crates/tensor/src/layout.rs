//! Where elements lie: reshaping without a copy, the order of axes in memory, and copies that change that order.

use striate_compute::{Real, isa, par};

use crate::array::Array;
use crate::shape::{Dims, contiguous_strides, elements};

/// Strides that read the same elements in the shape `to`, when some do.
pub(crate) fn reshaped(shape: &[usize], strides: &[usize], to: &[usize]) -> Option<Dims> {
    let mut reshaped = contiguous_strides(to);
    if elements(shape) == 0 {
        return Some(reshaped);
    }
    let mut from = merged(shape, strides);
    let (mut rest, mut step) = (1, 1);
    for axis in (0..to.len()).rev() {
        if to[axis] != 1 && rest == 1 {
            (rest, step) = from.pop()?;
        }
        if rest % to[axis] != 0 {
            return None;
        }
        reshaped[axis] = step;
        step *= to[axis];
        rest /= to[axis];
    }
    Some(reshaped)
}

/// Runs of axes that are walked without a gap, as (length, stride).
fn merged(shape: &[usize], strides: &[usize]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (&n, &stride) in shape.iter().zip(strides).filter(|&(&n, _)| n != 1) {
        match runs.last_mut() {
            Some(last) if last.1 == stride * n => *last = (last.0 * n, stride),
            _ => runs.push((n, stride)),
        }
    }
    runs
}

/// The order of axes in which the elements lie row by row without gaps, when there is one.
pub(crate) fn memory_order<E: Real>(x: &Array<E>) -> Option<Dims> {
    let mut order: Dims = (0..x.shape().len()).collect();
    order.sort_by_key(|&axis| std::cmp::Reverse(x.strides()[axis]));
    x.permute(&order).is_contiguous().then_some(order)
}

/// The order that undoes `order`.
pub(crate) fn inverse(order: &[usize]) -> Dims {
    let mut inverse: Dims = order.into();
    order.iter().enumerate().for_each(|(i, &axis)| inverse[axis] = i);
    inverse
}

/// Side of the square tiles of a transposing copy.
const TILE: usize = 16;

/// A copy to row-major order whose innermost axis is strided in x, while another axis is contiguous there:
/// a batch of (rows, middle, columns) with the rows contiguous in x, walked in tiles so that both sides use
/// whole cache lines.
pub(crate) struct Transposition {
    outer: Vec<(usize, usize)>,
    rows: usize,
    middle: Vec<(usize, usize)>,
    columns: usize,
    column_stride: usize,
}

impl Transposition {
    /// The plan for a copy of x, when it is one of these and large enough to be worth tiles.
    pub(crate) fn of<E: Real>(x: &Array<E>) -> Option<Self> {
        let mut outer = merged(x.shape(), x.strides());
        let (columns, column_stride) = outer.pop().filter(|&(n, stride)| n >= 4 && stride > 1)?;
        let row_axis = outer.iter().position(|&(n, stride)| n >= 4 && stride == 1)?;
        let middle = outer.split_off(row_axis + 1);
        let (rows, _) = outer.pop()?;
        Some(Transposition { outer, rows, middle, columns, column_stride })
    }

    /// Writes x to y in row-major order.
    pub(crate) fn copy<E: Real>(&self, x: &[E], y: &mut [E]) {
        let middle: usize = self.middle.iter().map(|&(n, _)| n).product();
        let (row, block) = (middle * self.columns, self.rows * middle * self.columns);
        let blocks_per_piece = (par::PIECE / block).max(1);
        let rows_per_band = (par::PIECE / row).next_multiple_of(TILE).max(TILE);
        par::pieces_mut(y, blocks_per_piece * block, |piece, y| {
            for (i, y) in y.chunks_exact_mut(block).enumerate() {
                let x = &x[offset(&self.outer, piece * blocks_per_piece + i)..];
                par::pieces_mut(y, rows_per_band * row, |band, y| {
                    for m in 0..middle {
                        let x = &x[band * rows_per_band + offset(&self.middle, m)..];
                        let y = &mut y[m * self.columns..];
                        isa::vectorized(|| {
                            transpose(x, self.column_stride, y, row, self.columns);
                        });
                    }
                });
            }
        });
    }
}

/// The offset of the `index`-th element in row-major order of a loop nest.
fn offset(axes: &[(usize, usize)], mut index: usize) -> usize {
    let mut offset = 0;
    for &(n, stride) in axes.iter().rev() {
        offset += index % n * stride;
        index /= n;
    }
    offset
}

/// y[i · y_stride + j] = x[i + j · x_stride] for all rows i that y has, j < columns
#[inline(always)]
fn transpose<E: Real>(x: &[E], x_stride: usize, y: &mut [E], y_stride: usize, columns: usize) {
    let rows = (y.len() + y_stride - columns) / y_stride;
    for i in (0..rows).step_by(TILE) {
        for j in (0..columns).step_by(TILE) {
            let (height, width) = (TILE.min(rows - i), TILE.min(columns - j));
            let (x, y) = (&x[i + j * x_stride..], &mut y[i * y_stride + j..]);
            if height == TILE && width == TILE {
                transpose_tile(x, x_stride, y, y_stride);
            } else {
                for i in 0..height {
                    for j in 0..width {
                        y[i * y_stride + j] = x[i + j * x_stride];
                    }
                }
            }
        }
    }
}

/// [`transpose`] of one whole tile.
#[inline(always)]
fn transpose_tile<E: Real>(x: &[E], x_stride: usize, y: &mut [E], y_stride: usize) {
    let mut tile = [[E::zero(); TILE]; TILE];
    for (j, column) in tile.iter_mut().enumerate() {
        column.copy_from_slice(&x[j * x_stride..][..TILE]);
    }
    for i in 0..TILE {
        let row: [E; TILE] = std::array::from_fn(|j| tile[j][i]);
        y[i * y_stride..][..TILE].copy_from_slice(&row);
    }
}
