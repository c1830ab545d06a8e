//! A matrix as a picture.

use ndarray::{Array3, s};
use striate_compute::Real;

use super::{DENSE_LIMIT, MatrixError, SparseMatrix};

/// How [`SparseMatrix::picture`] draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureOptions {
    /// Pixels of an element along each side; at least 1.
    pub scale: usize,
    /// Rows and columns of a block: grey lines of one pixel stand between blocks. None when 0.
    pub block: (usize, usize),
}

impl Default for PictureOptions {
    fn default() -> Self {
        PictureOptions { scale: 1, block: (0, 0) }
    }
}

const WHITE: [f64; 3] = [255.0; 3];
const POSITIVE: [f64; 3] = [190.0, 20.0, 40.0];
const NEGATIVE: [f64; 3] = [0.0, 80.0, 170.0];
const LINE: u8 = 200;

impl<E: Real> SparseMatrix<E> {
    /// The matrix as red, green and blue bytes (height, width, 3): white 0, red positive, blue negative, the stronger
    /// the larger.
    ///
    /// # Errors
    /// When the picture has more than [`DENSE_LIMIT`] pixels.
    ///
    /// ```
    /// use striate_conv::matrix::{PictureOptions, convolution_matrix};
    /// use striate_conv::{ConvOptions, Geometry};
    ///
    /// let conv = Geometry::new::<2>(&[1, 1, 4, 4], &[1, 1, 2, 2], &ConvOptions::default())?;
    /// let matrix = convolution_matrix(&conv, &[1.0, 2.0, 3.0, -4.0])?;
    /// // One line between each two blocks: 9 rows in blocks of 3, 16 columns in blocks of 4.
    /// let picture = matrix.picture(PictureOptions { scale: 5, block: (3, 4) })?;
    /// assert_eq!(picture.dim(), (9 * 5 + 2, 16 * 5 + 3, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn picture(&self, options: PictureOptions) -> Result<Array3<u8>, MatrixError> {
        let scale = options.scale.max(1);
        // The first pixel of an element, and one past the last pixel of the one before it.
        let place = |index: usize, block: usize| {
            index.checked_mul(scale)?.checked_add(index.checked_div(block).unwrap_or(0))
        };
        let extent = |count: usize, block: usize| match count {
            0 => Some(0),
            _ => place(count - 1, block)?.checked_add(scale),
        };
        let size = extent(self.rows(), options.block.0).zip(extent(self.columns(), options.block.1));
        let fits = |&(height, width): &(usize, usize)| {
            height.checked_mul(width).is_some_and(|pixels| pixels <= DENSE_LIMIT)
        };
        let (height, width) = size.filter(fits).ok_or(MatrixError::TooLarge {
            what: "the picture",
            unit: "pixels",
            limit: DENSE_LIMIT,
        })?;
        let mut picture = Array3::from_elem((height, width, 3), 255);
        let at = |index, block| place(index, block).expect("the picture fits");
        for line in lines(self.rows(), options.block.0) {
            picture.slice_mut(s![at(line, options.block.0) - 1, .., ..]).fill(LINE);
        }
        for line in lines(self.columns(), options.block.1) {
            picture.slice_mut(s![.., at(line, options.block.1) - 1, ..]).fill(LINE);
        }
        let all = || (0..self.rows()).flat_map(|r| self.row(r).map(move |(c, value)| (r, c, value.f64())));
        let largest = all().fold(0.0, |largest: f64, (_, _, value)| largest.max(value.abs()));
        for (r, c, value) in all().filter(|&(_, _, value)| value != 0.0) {
            let (y, x) = (at(r, options.block.0), at(c, options.block.1));
            let colour = colour(value / largest);
            let mut square = picture.slice_mut(s![y..y + scale, x..x + scale, ..]);
            square.lanes_mut(ndarray::Axis(2)).into_iter().for_each(|mut pixel| {
                pixel.iter_mut().zip(colour).for_each(|(byte, colour)| *byte = colour);
            });
        }
        Ok(picture)
    }
}

/// Where blocks start, but for the first.
fn lines(count: usize, block: usize) -> impl Iterator<Item = usize> {
    (block..count).step_by(block.max(1)).filter(move |_| block > 0)
}

/// From −1, blue, over 0, white, to 1, red. The weakest is a quarter of the way, so that it can be seen.
fn colour(value: f64) -> [u8; 3] {
    let full = if value > 0.0 { POSITIVE } else { NEGATIVE };
    let strength = 0.25 + 0.75 * value.abs();
    std::array::from_fn(|i| (WHITE[i] + strength * (full[i] - WHITE[i])).round() as u8)
}
