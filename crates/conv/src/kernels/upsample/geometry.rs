//! The sizes of an upsampling.

use crate::geometry::{GeometryError, lift, product};
use crate::kernels::pool::planes;

/// How large the result of an upsampling is, over D spatial axes: a factor converts into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resize<const D: usize> {
    /// So many times the input, by axis.
    Factor([usize; D]),
    /// These sizes, by axis.
    Size([usize; D]),
}

impl<const D: usize> From<usize> for Resize<D> {
    fn from(factor: usize) -> Self {
        Resize::Factor([factor; D])
    }
}

/// An upsampling with all sizes resolved: what kernels read. One and two spatial axes are lifted to three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpsampleGeometry {
    /// N · C: every plane is upsampled alone.
    pub planes: usize,
    /// Spatial size of x: depth, height, width.
    pub input: [usize; 3],
    /// Spatial size of y, which may be smaller.
    pub output: [usize; 3],
}

impl UpsampleGeometry {
    /// The upsampling of x (N, C, *) over D spatial axes.
    ///
    /// # Errors
    /// When x has not D + 2 axes, an axis of x or of the result is empty, or sizes overflow.
    ///
    /// ```
    /// use striate_conv::{Resize, UpsampleGeometry};
    ///
    /// assert_eq!(UpsampleGeometry::new::<2>(&[8, 3, 7, 5], &2.into())?.output, [1, 14, 10]);
    /// assert_eq!(UpsampleGeometry::new(&[8, 3, 7, 5], &Resize::Size([9, 10]))?.output, [1, 9, 10]);
    /// # Ok::<(), striate_conv::GeometryError>(())
    /// ```
    pub fn new<const D: usize>(x: &[usize], to: &Resize<D>) -> Result<Self, GeometryError> {
        let (planes, input) = planes::<D>(x)?;
        let overflow = || GeometryError::Overflow { what: "elements of y" };
        let mut output = [0; D];
        for axis in 0..D {
            output[axis] = match to {
                Resize::Factor(factors) => input[axis].checked_mul(factors[axis]).ok_or_else(overflow)?,
                Resize::Size(sizes) => sizes[axis],
            };
            for (what, size) in [("input", input[axis]), ("output", output[axis])] {
                if size == 0 {
                    return Err(GeometryError::Zero { what, axis });
                }
            }
        }
        let all: Vec<usize> = output.into_iter().chain([planes.max(1)]).collect();
        product(&all).ok_or_else(overflow)?;
        Ok(UpsampleGeometry { planes, input: lift(input, 1), output: lift(output, 1) })
    }

    /// Elements of a plane of x.
    pub fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of a plane of y.
    pub fn output_size(&self) -> usize {
        self.output.iter().product()
    }
}
