//! What Hubel and Wiesel showed.

use striate_tensor::{Array, Real, Tensor};

/// A bright bar on a dark image.
///
/// ```
/// use striate_vision::Bar;
///
/// let standing = Bar { angle: 0.0, centre: [2.0, 2.0], width: 1.0, length: 3.0 };
/// let image = standing.draw::<f32>(5).reshape(&[5, 5]);
/// assert_eq!(image.sum_dim(&[0], false).to_vec(), [0.0, 0.0, 3.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// θ in radians: 0 stands, as a [`gabor_bank`](crate::gabor_bank)'s first filter.
    pub angle: f64,
    /// Column and row of its middle, in pixels.
    pub centre: [f64; 2],
    /// Pixels across.
    pub width: f64,
    /// Pixels along.
    pub length: f64,
}

impl Bar {
    /// The image (1, 1, `size`, `size`) from 0 to 1; pixels on the edge are as bright as the bar covers them, about.
    pub fn draw<E: Real>(&self, size: usize) -> Tensor<E> {
        let (sin, cos) = self.angle.sin_cos();
        let within = |distance: f64, side: f64| (side / 2.0 + 0.5 - distance.abs()).clamp(0.0, 1.0);
        let pixel = |i: usize| {
            let (x, y) = ((i % size) as f64 - self.centre[0], (i / size) as f64 - self.centre[1]);
            E::of(within(x * cos + y * sin, self.width) * within(y * cos - x * sin, self.length))
        };
        Array::from_vec(&[1, 1, size, size], (0..size * size).map(pixel).collect()).into()
    }
}
