//! Nearest neighbours.

use std::ops::Range;

use striate_compute::Real;

use super::geometry::UpsampleGeometry;
use crate::kernels::{planes, strided};

/// The nearest element before each place: `y[o] = x[⌊o·I/O⌋]` along each axis, computed in f32 as PyTorch does.
///
/// x holds `sizes.planes` planes of the input's size, y as many of the output's.
///
/// # Panics
/// When slices have other lengths.
///
/// ```
/// use striate_conv::{UpsampleGeometry, kernels::upsample::nearest};
///
/// let sizes = UpsampleGeometry::new::<1>(&[1, 1, 2], &2.into())?;
/// let mut y = [0.0; 4];
/// nearest(&sizes, &[1.0f32, 2.0], &mut y);
/// assert_eq!(y, [1.0, 1.0, 2.0, 2.0]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn nearest<E: Real>(sizes: &UpsampleGeometry, x: &[E], y: &mut [E]) {
    let (inputs, outputs) = (sizes.input_size(), sizes.output_size());
    assert_eq!(x.len(), sizes.planes * inputs, "nearest: length of x");
    assert_eq!(y.len(), sizes.planes * outputs, "nearest: length of y");
    let [depths, heights, widths] = &Copies::axes(sizes);
    let ([_, height, width], [_, _, columns]) = (sizes.input, sizes.output);
    planes::each(
        y,
        outputs,
        inputs.max(outputs),
        #[inline(always)]
        |plane, y| {
            let x = &x[plane * inputs..][..inputs];
            let mut rest = y;
            for (d, depths) in depths.runs.iter().enumerate() {
                let (slab, after) = rest.split_at_mut(depths.len() * heights.outputs * columns);
                rest = after;
                if slab.is_empty() {
                    continue;
                }
                let (first, copies) = slab.split_at_mut(heights.outputs * columns);
                let mut rows = &mut *first;
                for (h, heights) in heights.runs.iter().enumerate() {
                    let (block, after) = rows.split_at_mut(heights.len() * columns);
                    rows = after;
                    if block.is_empty() {
                        continue;
                    }
                    let (row, copies) = block.split_at_mut(columns);
                    widths.copy(&x[(d * height + h) * width..][..width], row);
                    copies.chunks_exact_mut(columns).for_each(|copy| copy.copy_from_slice(row));
                }
                copies.chunks_exact_mut(first.len()).for_each(|copy| copy.copy_from_slice(first));
            }
        },
    );
}

/// Transpose of [`nearest`], its gradient: `dx[i] ← β·dx[i] + Σ dy` over the copies of i. β is 0 or 1; for 0, what dx
/// holds before is arbitrary.
///
/// # Panics
/// When slices have other lengths.
pub fn nearest_gradient<E: Real>(sizes: &UpsampleGeometry, dy: &[E], beta: E, dx: &mut [E]) {
    let (inputs, outputs) = (sizes.input_size(), sizes.output_size());
    assert_eq!(dy.len(), sizes.planes * outputs, "nearest_gradient: length of dy");
    assert_eq!(dx.len(), sizes.planes * inputs, "nearest_gradient: length of dx");
    let [depths, heights, widths] = &Copies::axes(sizes);
    let ([_, height, width], [_, rows, columns]) = (sizes.input, sizes.output);
    planes::each_with(
        dx,
        inputs,
        inputs.max(outputs),
        || vec![E::zero(); columns],
        #[inline(always)]
        |sums, plane, dx| {
            let dy = &dy[plane * outputs..][..outputs];
            for (row, dx) in dx.chunks_exact_mut(width).enumerate() {
                let (depths, heights) = (&depths.runs[row / height], &heights.runs[row % height]);
                let mut rows = depths.clone().flat_map(|d| heights.clone().map(move |h| d * rows + h));
                match rows.next() {
                    Some(row) => sums.copy_from_slice(&dy[row * columns..][..columns]),
                    None => sums.fill(E::zero()),
                }
                for row in rows {
                    let dy = &dy[row * columns..][..columns];
                    sums.iter_mut().zip(dy).for_each(|(sum, &dy)| *sum += dy);
                }
                if beta == E::zero() {
                    widths.sum(
                        sums,
                        dx,
                        #[inline(always)]
                        |dx, sum| *dx = sum,
                    );
                } else {
                    widths.sum(
                        sums,
                        dx,
                        #[inline(always)]
                        |dx, sum| *dx += sum,
                    );
                }
            }
        },
    );
}

/// Where the copies of every element stand along an axis.
struct Copies {
    runs: Vec<Range<usize>>,
    outputs: usize,
    /// How many copies there are, when all elements have as many.
    factor: Option<usize>,
}

impl Copies {
    fn axes(sizes: &UpsampleGeometry) -> [Self; 3] {
        [0, 1, 2].map(|axis| Self::new(sizes.input[axis], sizes.output[axis]))
    }

    fn new(inputs: usize, outputs: usize) -> Self {
        let scale = inputs as f32 / outputs as f32;
        let source = |o: usize| match inputs == outputs {
            true => o,
            false => ((o as f32 * scale).floor() as usize).min(inputs - 1),
        };
        let mut runs = vec![0..0; inputs];
        let mut end = 0;
        for (i, run) in runs.iter_mut().enumerate() {
            let start = end;
            while end < outputs && source(end) <= i {
                end += 1;
            }
            *run = start..end;
        }
        let first = runs[0].len();
        let factor = runs.iter().all(|run| run.len() == first).then_some(first);
        Copies { runs, outputs, factor }
    }

    #[inline(always)]
    fn copy<E: Real>(&self, x: &[E], y: &mut [E]) {
        match self.factor {
            Some(factor) => strided::repeat(x, factor, y),
            None => self.runs.iter().zip(x).for_each(|(run, &x)| y[run.clone()].fill(x)),
        }
    }

    #[inline(always)]
    fn sum<E: Real>(&self, dy: &[E], dx: &mut [E], put: impl Fn(&mut E, E)) {
        match self.factor {
            Some(factor) => strided::sum_blocks(dy, factor, dx, put),
            None => {
                for (dx, run) in dx.iter_mut().zip(&self.runs) {
                    put(dx, strided::sum(&dy[run.clone()]));
                }
            }
        }
    }
}
