//! Pixel shuffle: channels become pixels.

use striate_compute::Real;

use crate::geometry::{GeometryError, product};
use crate::kernels::{planes, strided};

/// A pixel shuffle with all sizes resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShuffleGeometry {
    /// N · C, C the channels of the large images.
    pub planes: usize,
    /// r: r² channels of small images make one of large images.
    pub factor: usize,
    /// Height and width of the small images.
    pub small: [usize; 2],
}

impl ShuffleGeometry {
    /// The shuffle of small images x (N, C · r², H, W).
    ///
    /// # Errors
    /// When x has not four axes, or r² does not divide the channels.
    pub fn of_small(x: &[usize], factor: usize) -> Result<Self, GeometryError> {
        let &[n, channels, height, width] = four_axes(x)?;
        let block = block(factor)?;
        if !channels.is_multiple_of(block) {
            return Err(GeometryError::NoMultiple { what: "channels", size: channels, factor: block });
        }
        Ok(ShuffleGeometry { planes: n * (channels / block), factor, small: [height, width] })
    }

    /// The shuffle that gives large images x (N, C, H · r, W · r).
    ///
    /// # Errors
    /// When x has not four axes, or r does not divide height and width.
    pub fn of_large(x: &[usize], factor: usize) -> Result<Self, GeometryError> {
        let &[n, channels, height, width] = four_axes(x)?;
        block(factor)?;
        for (what, size) in [("height", height), ("width", width)] {
            if !size.is_multiple_of(factor) {
                return Err(GeometryError::NoMultiple { what, size, factor });
            }
        }
        Ok(ShuffleGeometry { planes: n * channels, factor, small: [height / factor, width / factor] })
    }

    /// Elements of a plane of the large images.
    pub fn large_size(&self) -> usize {
        self.small.iter().product::<usize>() * self.factor * self.factor
    }
}

fn four_axes(x: &[usize]) -> Result<&[usize; 4], GeometryError> {
    let wrong = || GeometryError::Rank { what: "x", expected: 4, rank: x.len(), shape: x.to_vec() };
    x.try_into().map_err(|_| wrong())
}

fn block(factor: usize) -> Result<usize, GeometryError> {
    if factor == 0 {
        return Err(GeometryError::Zero { what: "factor", axis: 0 });
    }
    product(&[factor, factor]).ok_or(GeometryError::Overflow { what: "factor" })
}

/// `y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w]` for each plane c of y.
///
/// # Panics
/// When slices have other lengths.
///
/// ```
/// use striate_conv::kernels::upsample::{ShuffleGeometry, pixel_shuffle};
///
/// let sizes = ShuffleGeometry::of_small(&[1, 4, 1, 2], 2)?;
/// let mut y = [0.0; 8];
/// pixel_shuffle(&sizes, &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut y);
/// assert_eq!(y, [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn pixel_shuffle<E: Real>(sizes: &ShuffleGeometry, x: &[E], y: &mut [E]) {
    let size = sizes.large_size();
    assert_eq!(x.len(), sizes.planes * size, "pixel_shuffle: length of x");
    assert_eq!(y.len(), x.len(), "pixel_shuffle: length of y");
    let (r, [height, width]) = (sizes.factor, sizes.small);
    planes::each(
        y,
        size.max(1),
        size,
        #[inline(always)]
        |plane, y| {
            let x = &x[plane * size..][..size];
            for (row, y) in y.chunks_exact_mut(width * r).enumerate() {
                let (h, i) = (row / r, row % r);
                let small = |j: usize| &x[((i * r + j) * height + h) * width..][..width];
                if r == 2 {
                    let pairs = small(0).iter().zip(small(1));
                    y.as_chunks_mut().0.iter_mut().zip(pairs).for_each(|(y, (&a, &b))| *y = [a, b]);
                    continue;
                }
                for j in 0..r {
                    y[j..].iter_mut().step_by(r).zip(small(j)).for_each(|(y, &x)| *y = x);
                }
            }
        },
    );
}

/// Transpose of [`pixel_shuffle`], its inverse and gradient: x ← β·x + the unshuffled y. β is 0 or 1; for 0, what x
/// holds before is arbitrary.
///
/// # Panics
/// When slices have other lengths.
pub fn pixel_unshuffle<E: Real>(sizes: &ShuffleGeometry, y: &[E], beta: E, x: &mut [E]) {
    let size = sizes.large_size();
    assert_eq!(y.len(), sizes.planes * size, "pixel_unshuffle: length of y");
    assert_eq!(x.len(), y.len(), "pixel_unshuffle: length of x");
    let (r, [height, width]) = (sizes.factor, sizes.small);
    planes::each(
        x,
        size.max(1),
        size,
        #[inline(always)]
        |plane, x| {
            let y = &y[plane * size..][..size];
            for (row, x) in x.chunks_exact_mut(width).enumerate() {
                let (channel, h) = (row / height, row % height);
                let (i, j) = (channel / r, channel % r);
                strided::gather(&y[(h * r + i) * width * r + j..], r, beta, x);
            }
        },
    );
}
