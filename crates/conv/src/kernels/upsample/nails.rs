//! Beds of nails.

use striate_compute::Real;

use super::geometry::UpsampleGeometry;
use crate::kernels::{planes, strided};

/// `y[o·f] = x[o]`, zero elsewhere: each value stands in the first cell of its block of f, f = O / I along each axis.
///
/// x holds `sizes.planes` planes of the input's size, y as many of the output's.
///
/// # Panics
/// When slices have other lengths, or the output is no multiple of the input.
///
/// ```
/// use striate_conv::{UpsampleGeometry, kernels::upsample::bed_of_nails};
///
/// let sizes = UpsampleGeometry::new::<1>(&[1, 1, 2], &2.into())?;
/// let mut y = [9.0; 4];
/// bed_of_nails(&sizes, &[1.0f32, 2.0], &mut y);
/// assert_eq!(y, [1.0, 0.0, 2.0, 0.0]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn bed_of_nails<E: Real>(sizes: &UpsampleGeometry, x: &[E], y: &mut [E]) {
    let (inputs, outputs) = (sizes.input_size(), sizes.output_size());
    assert_eq!(x.len(), sizes.planes * inputs, "bed_of_nails: length of x");
    assert_eq!(y.len(), sizes.planes * outputs, "bed_of_nails: length of y");
    let nails = Nails::new(sizes);
    planes::each(
        y,
        outputs,
        outputs,
        #[inline(always)]
        |plane, y| {
            y.fill(E::zero());
            for (row, x) in x[plane * inputs..][..inputs].chunks_exact(nails.width).enumerate() {
                strided::add_to_every(x, nails.step, &mut y[nails.start(row)..]);
            }
        },
    );
}

/// Transpose of [`bed_of_nails`], its gradient: `dx[o] ← β·dx[o] + dy[o·f]`. β is 0 or 1; for 0, what dx holds before
/// is arbitrary.
///
/// # Panics
/// When slices have other lengths, or the output is no multiple of the input.
pub fn bed_of_nails_gradient<E: Real>(sizes: &UpsampleGeometry, dy: &[E], beta: E, dx: &mut [E]) {
    let (inputs, outputs) = (sizes.input_size(), sizes.output_size());
    assert_eq!(dy.len(), sizes.planes * outputs, "bed_of_nails_gradient: length of dy");
    assert_eq!(dx.len(), sizes.planes * inputs, "bed_of_nails_gradient: length of dx");
    let nails = Nails::new(sizes);
    planes::each(
        dx,
        inputs,
        outputs,
        #[inline(always)]
        |plane, dx| {
            let dy = &dy[plane * outputs..][..outputs];
            for (row, dx) in dx.chunks_exact_mut(nails.width).enumerate() {
                strided::gather(&dy[nails.start(row)..], nails.step, beta, dx);
            }
        },
    );
}

/// Where the nails of a row stand.
struct Nails {
    height: usize,
    width: usize,
    /// Between slabs, rows and columns of nails.
    pitch: [usize; 2],
    step: usize,
}

impl Nails {
    fn new(sizes: &UpsampleGeometry) -> Self {
        let (input, [_, height, width]) = (sizes.input, sizes.output);
        let factor = |axis: usize| {
            assert_eq!(sizes.output[axis] % input[axis], 0, "bed_of_nails: no whole factor");
            sizes.output[axis] / input[axis]
        };
        let pitch = [factor(0) * height * width, factor(1) * width];
        Nails { height: input[1], width: input[2], pitch, step: factor(2) }
    }

    #[inline(always)]
    fn start(&self, row: usize) -> usize {
        row / self.height * self.pitch[0] + row % self.height * self.pitch[1]
    }
}
