//! Where the results of a convolution go: tiles of (group of an image) × (places), which tasks fill in parallel.

use std::ops::Range;

use striate_compute::gemm::{MatMut, Operand, gemm_serial};
use striate_compute::{Real, isa};

use super::reference::scale;
use crate::Geometry;

/// Numbers in the widest vector.
const VECTOR: usize = 16;

/// Some places of y in all features of a group of an image.
pub(super) struct Tile<'a, E: Real> {
    pub(super) image: usize,
    pub(super) group: usize,
    pub(super) places: Range<usize>,
    pub(super) y: MatMut<'a, E>,
    pub(super) bias: Option<&'a [E]>,
}

/// Cuts y into tiles of at most `step` places.
pub(super) fn tiles<'a, E: Real>(
    g: &Geometry,
    step: usize,
    bias: Option<&'a [E]>,
    y: &'a mut [E],
) -> Vec<Tile<'a, E>> {
    let (plane, features) = (g.output_size(), g.group_features());
    let mut tiles = Vec::new();
    if plane * features == 0 {
        return tiles;
    }
    for (part, y) in y.chunks_exact_mut(features * plane).enumerate() {
        let (image, group) = (part / g.groups, part % g.groups);
        let bias = bias.map(|bias| &bias[group * features..][..features]);
        let mut rest = MatMut::new(y, features, plane);
        for first in (0..plane).step_by(step) {
            let places = first..(first + step).min(plane);
            let (y, after) = rest.split_cols(places.len());
            rest = after;
            tiles.push(Tile { image, group, places, y, bias });
        }
    }
    tiles
}

impl<E: Real> Tile<'_, E> {
    /// y ← A·B + b + β·y
    pub(super) fn product(&mut self, a: Operand<E>, b: Operand<E>, beta: E) {
        let beta = self.begin(beta);
        gemm_serial(a, b, beta, self.y.reborrow());
    }

    /// Adds the bias to β·y, and says which β is left.
    fn begin(&mut self, beta: E) -> E {
        let Some(bias) = self.bias else { return beta };
        for (f, &bias) in bias.iter().enumerate() {
            let row = self.y.row_mut(f);
            if beta == E::zero() {
                row.fill(bias);
            } else {
                row.iter_mut().for_each(|y| *y = beta * *y + bias);
            }
        }
        E::one()
    }

    /// Asks for y, which will be written when the product is done.
    pub(super) fn prefetch(&mut self) {
        prefetch_rows(&mut self.y);
    }

    /// `y[f, first + l · columns + q] ← β·y + b + sums[l · line + q]` for some lines l of `columns` places q.
    pub(super) fn write(&mut self, f: usize, first: usize, columns: usize, sums: &[E], line: usize, beta: E) {
        let bias = self.bias.map_or(E::zero(), |bias| bias[f]);
        let mut y = &mut self.y.row_mut(f)[first..];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                let mut lines = sums.chunks(line).peekable();
                while let Some(sums) = lines.next() {
                    if beta == E::zero() {
                        // Whole vectors: the next line overwrites what is too much.
                        let whole = columns.next_multiple_of(VECTOR);
                        let fits = lines.peek().is_some() && whole <= y.len().min(sums.len());
                        let count = if fits { whole } else { columns };
                        y[..count].iter_mut().zip(sums).for_each(|(y, &sum)| *y = sum + bias);
                    } else {
                        y[..columns].iter_mut().zip(sums).for_each(|(y, &sum)| *y = beta * *y + (sum + bias));
                    }
                    y = &mut std::mem::take(&mut y)[columns..];
                }
            },
        );
    }

    /// y ← β·y + b, where there is nothing to sum.
    pub(super) fn empty(&mut self, beta: E) {
        let beta = self.begin(beta);
        for f in 0..self.y.rows() {
            scale(self.y.row_mut(f), beta);
        }
    }
}

/// Asks for the rows of a matrix.
pub(super) fn prefetch_rows<E: Real>(y: &mut MatMut<E>) {
    for f in 0..y.rows() {
        isa::prefetch(y.row_mut(f));
    }
}

/// y[n, c, q] ← y[n, c, q] + b[c]
pub(super) fn add_bias<E: Real>(bias: Option<&[E]>, plane: usize, y: &mut [E]) {
    let Some(bias) = bias else { return };
    for (y, &bias) in y.chunks_exact_mut(plane.max(1)).zip(bias.iter().cycle()) {
        y.iter_mut().for_each(|y| *y += bias);
    }
}
