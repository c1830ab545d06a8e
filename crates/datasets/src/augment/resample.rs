//! Values between pixels, and beyond the edge.

use ndarray::ArrayView2;

/// What lies beyond the edge of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Zeros, and label 0.
    #[default]
    Zero,
    /// The picture again, mirrored about the middle of its outermost pixels.
    Reflect,
}

impl Outside {
    /// Which of `len` elements is seen at place `i`.
    fn place(self, i: isize, len: usize) -> Option<usize> {
        let len = len as isize;
        let inside = match self {
            Outside::Zero => i,
            Outside::Reflect => {
                let period = (2 * (len - 1)).max(1);
                let i = i.rem_euclid(period);
                i.min(period - i)
            }
        };
        (0..len).contains(&inside).then_some(inside as usize)
    }

    fn read<T: Copy + Default>(self, picture: &ArrayView2<T>, [y, x]: [isize; 2]) -> T {
        let [height, width] = [picture.nrows(), picture.ncols()];
        let place = self.place(y, height).zip(self.place(x, width));
        place.map_or(T::default(), |place| picture[place])
    }
}

/// The value at a place (y, x): linear between pixels along both axes.
pub(super) fn bilinear(picture: &ArrayView2<f32>, [y, x]: [f64; 2], outside: Outside) -> f32 {
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = ((y - top) as f32, (x - left) as f32);
    let at = |dy: isize, dx: isize| outside.read(picture, [top as isize + dy, left as isize + dx]);
    (1.0 - down) * ((1.0 - right) * at(0, 0) + right * at(0, 1))
        + down * ((1.0 - right) * at(1, 0) + right * at(1, 1))
}

/// The label of the pixel that is nearest to a place (y, x).
pub(super) fn nearest(mask: &ArrayView2<usize>, place: [f64; 2], outside: Outside) -> usize {
    outside.read(mask, place.map(|x| (x + 0.5).floor() as isize))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_half_pixel_is_the_mean_of_two() {
        let picture = array![[0.0f32, 2.0, 0.0]];
        let at = |place| bilinear(&picture.view(), place, Outside::Zero);
        assert_eq!(at([0.0, 0.5]), 1.0);
        assert_eq!(at([0.0, -1.5]), 0.0);
        assert_eq!(at([0.5, 1.0]), 1.0);
    }

    #[test]
    fn beyond_the_edge_is_nothing_or_the_mirrored_picture() {
        let mask = array![[1, 2, 3]];
        let row = |outside| {
            [-3.0, -1.0, -0.4, 2.4, 3.0, 4.0, 5.0].map(|x| nearest(&mask.view(), [0.0, x], outside))
        };
        assert_eq!(row(Outside::Zero), [0, 0, 1, 3, 0, 0, 0]);
        assert_eq!(row(Outside::Reflect), [2, 2, 1, 3, 2, 1, 2]);
        assert_eq!(nearest(&mask.view(), [7.0, 0.0], Outside::Reflect), 1);
    }
}
