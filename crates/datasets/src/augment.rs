//! Small random changes to pictures that leave their class as it is.

use ndarray::{ArrayD, ArrayView2, ArrayViewMut2, Axis, Ix2};
use striate_compute::rng::Rng;

/// Bounds of a random affine map, drawn anew for every picture, uniform within them. torchvision's `RandomAffine`.
///
/// The picture is rotated and scaled about its centre, then shifted; values between pixels are bilinear, and outside
/// of the picture 0.
///
/// ```
/// use striate_compute::rng::Rng;
/// use striate_datasets::{Dataset, RandomAffine, digits};
///
/// let affine = RandomAffine { degrees: 10.0, shift: 0.5, ..Default::default() };
/// let mut batch = digits().train().batches(64).next().unwrap();
/// affine.apply(&mut batch.images, &mut Rng::new(0));
/// assert_eq!(batch.images.shape(), [64, 1, 8, 8]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RandomAffine {
    /// Largest rotation either way, in degrees.
    pub degrees: f64,
    /// Largest shift along each axis either way, in pixels.
    pub shift: f64,
    /// Largest relative change of size: 0.1 is 0.9 to 1.1.
    pub scale: f64,
}

impl RandomAffine {
    /// Changes pictures (N, …, H, W) in place; the channels of one picture alike.
    ///
    /// # Panics
    /// When the array has fewer than three axes.
    #[track_caller]
    pub fn apply(&self, pictures: &mut ArrayD<f32>, rng: &mut Rng) {
        assert!(pictures.ndim() >= 3, "RandomAffine: expected (N, …, H, W), got {:?}", pictures.shape());
        if *self == Self::default() {
            return;
        }
        let (height, width) = (pictures.shape()[pictures.ndim() - 2], pictures.shape()[pictures.ndim() - 1]);
        for mut picture in pictures.outer_iter_mut() {
            let mut within = |bound: f64| bound * (2.0 * rng.uniform() - 1.0);
            let (sin, cos) = within(self.degrees).to_radians().sin_cos();
            let size = 1.0 + within(self.scale);
            let (down, right) = (within(self.shift), within(self.shift));
            let (centre_y, centre_x) = ((height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0);
            let source = |y: usize, x: usize| {
                let (y, x) = (y as f64 - centre_y - down, x as f64 - centre_x - right);
                (centre_y + (cos * y - sin * x) / size, centre_x + (sin * y + cos * x) / size)
            };
            let channels = picture.len() / (height * width).max(1);
            let mut flat = picture
                .view_mut()
                .into_shape_with_order((channels, height, width))
                .expect("pictures are in standard layout");
            for mut channel in flat.axis_iter_mut(Axis(0)) {
                resample(&mut channel, source);
            }
        }
    }
}

fn resample(picture: &mut ArrayViewMut2<f32>, source: impl Fn(usize, usize) -> (f64, f64)) {
    let old = picture.to_owned();
    for ((y, x), value) in picture.indexed_iter_mut() {
        *value = bilinear(&old.view(), source(y, x));
    }
}

fn bilinear(picture: &ArrayView2<f32>, (y, x): (f64, f64)) -> f32 {
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = ((y - top) as f32, (x - left) as f32);
    let at = |dy: f64, dx: f64| {
        let (y, x) = (top + dy, left + dx);
        let inside = y >= 0.0 && x >= 0.0;
        if inside { picture.get(Ix2(y as usize, x as usize)).copied().unwrap_or(0.0) } else { 0.0 }
    };
    (1.0 - down) * ((1.0 - right) * at(0.0, 0.0) + right * at(0.0, 1.0))
        + down * ((1.0 - right) * at(1.0, 0.0) + right * at(1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;

    #[test]
    fn no_bounds_change_nothing() {
        let before =
            Array::from_shape_fn((3, 2, 5, 7), |(n, c, y, x)| (n + 2 * c + 3 * y * x) as f32).into_dyn();
        let mut after = before.clone();
        RandomAffine::default().apply(&mut after, &mut Rng::new(1));
        assert_eq!(after, before);
    }

    #[test]
    fn a_half_pixel_is_the_mean_of_two() {
        let picture = array![[0.0f32, 2.0, 0.0]];
        assert_eq!(bilinear(&picture.view(), (0.0, 0.5)), 1.0);
        assert_eq!(bilinear(&picture.view(), (0.0, -1.5)), 0.0);
        assert_eq!(bilinear(&picture.view(), (0.5, 1.0)), 1.0);
    }

    #[test]
    fn a_quarter_turn_goes_counterclockwise_and_keeps_every_value() {
        let mut picture = array![[1.0f32, 2.0], [3.0, 4.0]];
        let centre = 0.5;
        resample(&mut picture.view_mut(), |y, x| {
            let (y, x) = (y as f64 - centre, x as f64 - centre);
            (centre + x, centre - y)
        });
        assert_eq!(picture, array![[2.0, 4.0], [1.0, 3.0]]);
    }

    #[test]
    fn the_seed_decides_and_channels_move_alike() {
        let affine = RandomAffine { degrees: 20.0, shift: 1.0, scale: 0.2 };
        let picture = Array::from_shape_fn((1, 2, 6, 6), |(_, _, y, x)| (y * x) as f32).into_dyn();
        let run = |seed| {
            let mut picture = picture.clone();
            affine.apply(&mut picture, &mut Rng::new(seed));
            picture
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
        let moved = run(3);
        assert_eq!(moved.index_axis(Axis(1), 0), moved.index_axis(Axis(1), 1));
    }
}
