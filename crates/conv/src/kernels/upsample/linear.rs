//! Linear interpolation along one, two or three axes.

use striate_compute::Real;

use super::geometry::UpsampleGeometry;
use crate::kernels::planes;

/// Linear interpolation along each axis: `y[o] = (1 − λ)·x[i] + λ·x[i + 1]`, i + λ the place of o in x.
///
/// The place is o·(I − 1)/(O − 1) with `align_corners`, which keeps first and last elements where they are; else
/// (o + ½)·I/O − ½, not below 0: pixels have an extent. Bilinear over two axes, trilinear over three.
/// x holds `sizes.planes` planes of the input's size, y as many of the output's.
///
/// # Panics
/// When slices have other lengths.
///
/// ```
/// use striate_conv::{Resize, UpsampleGeometry, kernels::upsample::linear};
///
/// let sizes = UpsampleGeometry::new(&[1, 1, 2], &Resize::Size([3]))?;
/// let mut y = [0.0; 3];
/// linear(&sizes, true, &[1.0f32, 2.0], &mut y);
/// assert_eq!(y, [1.0, 1.5, 2.0]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn linear<E: Real>(sizes: &UpsampleGeometry, align_corners: bool, x: &[E], y: &mut [E]) {
    let (inputs, outputs) = (sizes.input_size(), sizes.output_size());
    assert_eq!(x.len(), sizes.planes * inputs, "linear: length of x");
    assert_eq!(y.len(), sizes.planes * outputs, "linear: length of y");
    let [depths, heights, widths] = &Place::axes(sizes, align_corners);
    let ([_, height, width], [_, rows, columns]) = (sizes.input, sizes.output);
    planes::each_with(
        y,
        outputs,
        inputs.max(outputs),
        || vec![E::zero(); width],
        #[inline(always)]
        |mix, plane, y| {
            let x = &x[plane * inputs..][..inputs];
            for (row, y) in y.chunks_exact_mut(columns).enumerate() {
                mix.fill(E::zero());
                for (d, weight_d) in depths[row / rows].parts() {
                    for (h, weight_h) in heights[row % rows].parts() {
                        let weight = weight_d * weight_h;
                        let x = &x[(d * height + h) * width..][..width];
                        mix.iter_mut().zip(x).for_each(|(mix, &x)| *mix += weight * x);
                    }
                }
                for (y, place) in y.iter_mut().zip(widths) {
                    *y = (E::one() - place.weight) * mix[place.first] + place.weight * mix[place.second];
                }
            }
        },
    );
}

/// Transpose of [`linear`], its gradient: dx ← β·dx, then every dy is shared out by the weights of y. β is 0 or 1; for
/// 0, what dx holds before is arbitrary.
///
/// # Panics
/// When slices have other lengths.
pub fn linear_gradient<E: Real>(
    sizes: &UpsampleGeometry,
    align_corners: bool,
    dy: &[E],
    beta: E,
    dx: &mut [E],
) {
    let (inputs, outputs) = (sizes.input_size(), sizes.output_size());
    assert_eq!(dy.len(), sizes.planes * outputs, "linear_gradient: length of dy");
    assert_eq!(dx.len(), sizes.planes * inputs, "linear_gradient: length of dx");
    let [depths, heights, widths] = &Place::axes(sizes, align_corners);
    let ([_, height, width], [_, rows, columns]) = (sizes.input, sizes.output);
    let (depths, heights) = (users(depths, sizes.input[0]), users(heights, height));
    planes::each_with(
        dx,
        inputs,
        inputs.max(outputs),
        || vec![E::zero(); columns],
        #[inline(always)]
        |mix, plane, dx| {
            planes::keep_or_clear(dx, beta);
            let dy = &dy[plane * outputs..][..outputs];
            for (row, dx) in dx.chunks_exact_mut(width).enumerate() {
                mix.fill(E::zero());
                for &(d, weight_d) in &depths[row / height] {
                    for &(h, weight_h) in &heights[row % height] {
                        let weight = weight_d * weight_h;
                        let dy = &dy[(d * rows + h) * columns..][..columns];
                        mix.iter_mut().zip(dy).for_each(|(mix, &dy)| *mix += weight * dy);
                    }
                }
                for (&mix, place) in mix.iter().zip(widths) {
                    dx[place.first] += (E::one() - place.weight) * mix;
                    dx[place.second] += place.weight * mix;
                }
            }
        },
    );
}

/// The places that read each element of an axis, with the weights that they give it.
fn users<E: Real>(places: &[Place<E>], inputs: usize) -> Vec<Vec<(usize, E)>> {
    let mut users = vec![Vec::new(); inputs];
    for (o, place) in places.iter().enumerate() {
        place.parts().for_each(|(i, weight)| users[i].push((o, weight)));
    }
    users
}

/// A place between two elements along an axis; `weight` is the second's.
#[derive(Clone, Copy)]
struct Place<E> {
    first: usize,
    second: usize,
    weight: E,
}

impl<E: Real> Place<E> {
    fn axes(sizes: &UpsampleGeometry, align_corners: bool) -> [Vec<Self>; 3] {
        [0, 1, 2].map(|axis| {
            let (inputs, outputs) = (sizes.input[axis], sizes.output[axis]);
            (0..outputs).map(|o| Self::new(inputs, outputs, o, align_corners)).collect()
        })
    }

    fn new(inputs: usize, outputs: usize, o: usize, align_corners: bool) -> Self {
        let number = |n: usize| E::of(n as f64);
        let half = E::of(0.5);
        let place = match align_corners {
            _ if inputs == outputs => number(o),
            true if outputs == 1 => E::zero(),
            true => number(o) * (number(inputs - 1) / number(outputs - 1)),
            false => (number(inputs) / number(outputs) * (number(o) + half) - half).maximum(E::zero()),
        };
        let first = (place.f64() as usize).min(inputs - 1);
        let weight = (place - number(first)).minimum(E::one());
        Place { first, second: (first + 1).min(inputs - 1), weight }
    }

    /// The elements that count, with their weights.
    #[inline(always)]
    fn parts(self) -> impl Iterator<Item = (usize, E)> {
        [(self.first, E::one() - self.weight), (self.second, self.weight)]
            .into_iter()
            .filter(|&(_, weight)| weight != E::zero())
    }
}
