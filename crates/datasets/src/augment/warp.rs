//! Where each pixel of a changed picture comes from.

use ndarray::Array2;
use striate_compute::rng::Rng;

use super::elastic::Displacement;
use super::{Augment, within};

/// Bounds of a random affine map, uniform within them: the picture is rotated and scaled about its centre, then
/// shifted. torchvision's `RandomAffine`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RandomAffine {
    /// Largest rotation either way, in degrees.
    pub degrees: f64,
    /// Largest shift along each axis either way, in pixels.
    pub shift: f64,
    /// Largest relative change of size: 0.1 is 0.9 to 1.1.
    pub scale: f64,
}

/// A window at a random place of a picture. torchvision's `RandomCrop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// The window's height and width.
    pub size: [usize; 2],
    /// Pixels beyond the edge on each side that the window may reach to.
    pub padding: usize,
}

impl Crop {
    /// The window's first row and column.
    #[track_caller]
    fn draw(self, picture: [usize; 2], rng: &mut Rng) -> [f64; 2] {
        [0, 1].map(|axis| {
            let (whole, part) = (picture[axis] + 2 * self.padding, self.size[axis]);
            assert!(
                part <= whole,
                "augment: a window of {:?} does not fit in {picture:?} with a padding of {}",
                self.size,
                self.padding
            );
            rng.below(whole - part + 1) as f64 - self.padding as f64
        })
    }
}

/// A rotation by the angle with this sine and cosine, a scaling and a shift.
struct Affine {
    sin: f64,
    cos: f64,
    size: f64,
    shift: [f64; 2],
}

impl Affine {
    fn draw(bounds: RandomAffine, rng: &mut Rng) -> Self {
        let (sin, cos) = within(bounds.degrees, rng).to_radians().sin_cos();
        let size = 1.0 + within(bounds.scale, rng);
        Affine { sin, cos, size, shift: [within(bounds.shift, rng), within(bounds.shift, rng)] }
    }

    /// Where a place comes from, both seen from the centre.
    fn source(&self, [y, x]: [f64; 2]) -> [f64; 2] {
        let (y, x) = (y - self.shift[0], x - self.shift[1]);
        [(self.cos * y - self.sin * x) / self.size, (self.sin * y + self.cos * x) / self.size]
    }
}

/// The place (y, x) in a picture of this height and width that each pixel of the changed one comes from.
#[track_caller]
pub(super) fn sources(options: &Augment, picture: [usize; 2], rng: &mut Rng) -> Array2<[f64; 2]> {
    let flips = [options.flip_vertical, options.flip_horizontal].map(|flip| flip && rng.uniform() < 0.5);
    let affine = (options.affine != RandomAffine::default()).then(|| Affine::draw(options.affine, rng));
    let bent = options.elastic.amplitude != 0.0;
    let displacement = bent.then(|| Displacement::draw(options.elastic, picture, rng));
    let first = options.crop.map_or([0.0; 2], |crop| crop.draw(picture, rng));
    let centre = picture.map(|n| (n as f64 - 1.0) / 2.0);
    let size = options.crop.map_or(picture, |crop| crop.size);
    Array2::from_shape_fn(size, |(y, x)| {
        let mut place = [y as f64 + first[0], x as f64 + first[1]];
        if let Some(displacement) = &displacement {
            let [down, right] = displacement.at(place);
            place = [place[0] + down, place[1] + right];
        }
        if let Some(affine) = &affine {
            let [y, x] = affine.source([place[0] - centre[0], place[1] - centre[1]]);
            place = [centre[0] + y, centre[1] + x];
        }
        [0, 1].map(|axis| if flips[axis] { 2.0 * centre[axis] - place[axis] } else { place[axis] })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_goes_clockwise() {
        let affine = Affine { sin: 1.0, cos: 0.0, size: 1.0, shift: [0.0; 2] };
        // What is above the centre comes from its left, what is right of it from above.
        assert_eq!(affine.source([-1.0, 0.0]), [0.0, -1.0]);
        assert_eq!(affine.source([0.0, 1.0]), [-1.0, 0.0]);
    }
}
