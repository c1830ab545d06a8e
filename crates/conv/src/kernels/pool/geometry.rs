//! Which elements every window of a pooling covers.

use crate::geometry::{GeometryError, Window, lift, output_size, product};

/// Options of max pooling over D spatial axes: a kernel size converts into them.
///
/// ```
/// use striate_conv::PoolOptions;
///
/// let halving: PoolOptions<2> = 2.into();
/// let overlapping = PoolOptions { kernel: [3, 3], stride: Some([2, 2]), padding: [1, 1], ..Default::default() };
/// assert_eq!(halving, PoolOptions::default());
/// assert_ne!(halving, overlapping);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolOptions<const D: usize> {
    /// Elements of the window; 2 along each axis unless said otherwise.
    pub kernel: [usize; D],
    /// Steps of the window; as large as the kernel when `None`.
    pub stride: Option<[usize; D]>,
    /// Elements around the input that no window takes a value from; at most half of the window.
    pub padding: [usize; D],
    /// Distance of neighbouring elements of the window in the input; 1 unless said otherwise.
    pub dilation: [usize; D],
    /// Whether a last window counts that begins inside the input (or the padding before it) and ends outside.
    pub ceil_mode: bool,
}

impl<const D: usize> Default for PoolOptions<D> {
    fn default() -> Self {
        [2; D].into()
    }
}

impl<const D: usize> From<[usize; D]> for PoolOptions<D> {
    fn from(kernel: [usize; D]) -> Self {
        PoolOptions { kernel, stride: None, padding: [0; D], dilation: [1; D], ceil_mode: false }
    }
}

impl<const D: usize> From<usize> for PoolOptions<D> {
    fn from(kernel: usize) -> Self {
        [kernel; D].into()
    }
}

/// Options of average pooling over D spatial axes: a kernel size converts into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AvgPoolOptions<const D: usize> {
    /// Elements of the window; 2 along each axis unless said otherwise.
    pub kernel: [usize; D],
    /// Steps of the window; as large as the kernel when `None`.
    pub stride: Option<[usize; D]>,
    /// Zeros around the input; at most half of the window.
    pub padding: [usize; D],
    /// Whether a last window counts that begins inside the input (or the padding before it) and ends outside.
    pub ceil_mode: bool,
    /// Whether the padding's zeros count in the average.
    pub count_include_pad: bool,
    /// What sums are divided by, instead of the number of elements.
    pub divisor_override: Option<usize>,
}

impl<const D: usize> Default for AvgPoolOptions<D> {
    fn default() -> Self {
        [2; D].into()
    }
}

impl<const D: usize> From<[usize; D]> for AvgPoolOptions<D> {
    fn from(kernel: [usize; D]) -> Self {
        AvgPoolOptions {
            kernel,
            stride: None,
            padding: [0; D],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }
}

impl<const D: usize> From<usize> for AvgPoolOptions<D> {
    fn from(kernel: usize) -> Self {
        [kernel; D].into()
    }
}

impl<const D: usize> AvgPoolOptions<D> {
    /// The windows alone.
    pub fn windows(&self) -> PoolOptions<D> {
        let &AvgPoolOptions { kernel, stride, padding, ceil_mode, .. } = self;
        PoolOptions { kernel, stride, padding, dilation: [1; D], ceil_mode }
    }

    /// What sums are divided by.
    ///
    /// # Errors
    /// When `divisor_override` is 0.
    pub fn divisor(&self) -> Result<Divisor, GeometryError> {
        match self.divisor_override {
            Some(0) => Err(GeometryError::Zero { what: "divisor_override", axis: 0 }),
            Some(divisor) => Ok(Divisor::Fixed(divisor)),
            None if self.count_include_pad => Ok(Divisor::Padded),
            None => Ok(Divisor::Inside),
        }
    }
}

/// Options of Lp pooling over D spatial axes: a kernel size converts into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LpPoolOptions<const D: usize> {
    /// Elements of the window; 2 along each axis unless said otherwise.
    pub kernel: [usize; D],
    /// Steps of the window; as large as the kernel when `None`.
    pub stride: Option<[usize; D]>,
    /// Whether a last window counts that begins inside the input and ends outside.
    pub ceil_mode: bool,
}

impl<const D: usize> Default for LpPoolOptions<D> {
    fn default() -> Self {
        [2; D].into()
    }
}

impl<const D: usize> From<[usize; D]> for LpPoolOptions<D> {
    fn from(kernel: [usize; D]) -> Self {
        LpPoolOptions { kernel, stride: None, ceil_mode: false }
    }
}

impl<const D: usize> From<usize> for LpPoolOptions<D> {
    fn from(kernel: usize) -> Self {
        [kernel; D].into()
    }
}

/// What an average pooling divides sums by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divisor {
    /// The window's elements in the input and its padding.
    Padded,
    /// The window's elements in the input.
    Inside,
    /// This number.
    Fixed(usize),
}

/// Windows that slide with a fixed step, over three axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sliding {
    /// Elements of the window.
    pub kernel: [usize; 3],
    /// Steps of the window.
    pub stride: [usize; 3],
    /// Distance of neighbouring elements of the window.
    pub dilation: [usize; 3],
    /// Elements before the input.
    pub padding: [usize; 3],
}

/// A pooling with all sizes resolved: what kernels read. One and two spatial axes are lifted to three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// N · C: every plane is pooled alone.
    pub planes: usize,
    /// Spatial size of x: depth, height, width.
    pub input: [usize; 3],
    /// Spatial size of y.
    pub output: [usize; 3],
    /// How windows slide; `None` for adaptive pooling, whose window o of n covers ⌊o·I/n⌋ to ⌈(o + 1)·I/n⌉.
    pub sliding: Option<Sliding>,
}

/// One window along one axis: `first`, `first + step`, …, `count` elements of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first element inside the input.
    pub first: usize,
    /// Elements inside the input.
    pub count: usize,
    /// Distance of neighbouring elements.
    pub step: usize,
    /// Elements of the window before the input.
    pub skipped: usize,
    /// Elements of the window in the input and its padding.
    pub padded: usize,
}

impl Span {
    /// Number of each element in the window, and its place in the input.
    #[inline(always)]
    pub fn taps(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count).map(move |i| (self.skipped + i, self.first + i * self.step))
    }
}

/// Number of windows along one axis: ⌊(n + p₀ + p₁ − d·(k − 1) − 1) / s⌋ + 1, and in ceil mode ⌈…⌉ + 1, less one where
/// the last window would begin in the padding after the input.
///
/// # Errors
/// When a size is 0, the padding exceeds half of the window or no window fits; `axis` is only named in them.
///
/// ```
/// use striate_conv::{Window, pool_output_size};
///
/// let overlapping = Window { kernel: 3, stride: 2, padding: (1, 1), ..Default::default() };
/// assert_eq!(pool_output_size(0, 112, overlapping, false), Ok(56));
/// let halving = Window { kernel: 2, stride: 2, ..Default::default() };
/// assert_eq!(pool_output_size(0, 5, halving, true), Ok(3));
/// ```
pub fn pool_output_size(
    axis: usize,
    input: usize,
    window: Window,
    ceil_mode: bool,
) -> Result<usize, GeometryError> {
    let Window { kernel, stride, padding: (before, after), dilation } = window;
    if input == 0 {
        return Err(GeometryError::Zero { what: "input", axis });
    }
    let overflow = || GeometryError::Overflow { what: "a window of the input" };
    let further =
        after.checked_add(if ceil_mode { stride.saturating_sub(1) } else { 0 }).ok_or_else(overflow)?;
    let places = output_size(axis, input, Window { padding: (before, further), ..window })?;
    let span = dilation * (kernel - 1) + 1;
    if before.max(after) > span / 2 {
        return Err(GeometryError::PoolPadding { axis, padding: before.max(after), window: span });
    }
    let beyond = ceil_mode && (places - 1) * stride >= input + before;
    Ok(places - usize::from(beyond))
}

impl PoolGeometry {
    /// The pooling of x (N, C, *) over D spatial axes.
    ///
    /// # Errors
    /// When shapes and options do not fit.
    ///
    /// ```
    /// use striate_conv::PoolGeometry;
    ///
    /// let pool = PoolGeometry::new::<2>(&[8, 3, 28, 31], &2.into())?;
    /// assert_eq!((pool.planes, pool.output), (24, [1, 14, 15]));
    /// # Ok::<(), striate_conv::GeometryError>(())
    /// ```
    pub fn new<const D: usize>(x: &[usize], options: &PoolOptions<D>) -> Result<Self, GeometryError> {
        let (planes, input) = planes::<D>(x)?;
        let &PoolOptions { kernel, padding, dilation, ceil_mode, .. } = options;
        let stride = options.stride.unwrap_or(kernel);
        let mut output = [0; D];
        for axis in 0..D {
            let window = Window {
                kernel: kernel[axis],
                stride: stride[axis],
                padding: (padding[axis], padding[axis]),
                dilation: dilation[axis],
            };
            output[axis] = pool_output_size(axis, input[axis], window, ceil_mode)?;
        }
        let sliding = Sliding {
            kernel: lift(kernel, 1),
            stride: lift(stride, 1),
            dilation: lift(dilation, 1),
            padding: lift(padding, 0),
        };
        product(&sliding.kernel).ok_or(GeometryError::Overflow { what: "elements of a window" })?;
        let pool = Self::checked::<D>(planes, input, output, Some(sliding))?;
        for axis in (0..D).filter(|&axis| dilation[axis] > 1) {
            let spans = pool.spans(axis + 3 - D);
            if let Some(place) = spans.iter().position(|span| span.count == 0) {
                return Err(GeometryError::EmptyWindow { axis, place });
            }
        }
        Ok(pool)
    }

    /// Pooling of x (N, C, *) to `output` windows along each of D spatial axes.
    ///
    /// # Errors
    /// When x has not D + 2 axes, or an axis is empty.
    pub fn adaptive<const D: usize>(x: &[usize], output: [usize; D]) -> Result<Self, GeometryError> {
        let (planes, input) = planes::<D>(x)?;
        for axis in 0..D {
            for (what, size) in [("input", input[axis]), ("output", output[axis])] {
                if size == 0 {
                    return Err(GeometryError::Zero { what, axis });
                }
            }
        }
        Self::checked::<D>(planes, input, output, None)
    }

    /// Pooling of every plane of x (N, C, *) to one number, and the shape (N, C) of the result.
    ///
    /// # Errors
    /// When x has fewer than three axes, or a plane is empty.
    pub fn global(x: &[usize]) -> Result<(Self, [usize; 2]), GeometryError> {
        let &[n, channels, ref spatial @ ..] = x else {
            return Err(GeometryError::Rank { what: "x", expected: 3, rank: x.len(), shape: x.to_vec() });
        };
        if spatial.is_empty() {
            return Err(GeometryError::Rank { what: "x", expected: 3, rank: 2, shape: x.to_vec() });
        }
        let size = product(spatial).ok_or(GeometryError::Overflow { what: "elements of x" })?;
        Ok((Self::adaptive(&[n, channels, size], [1])?, [n, channels]))
    }

    fn checked<const D: usize>(
        planes: usize,
        input: [usize; D],
        output: [usize; D],
        sliding: Option<Sliding>,
    ) -> Result<Self, GeometryError> {
        let pool = PoolGeometry { planes, input: lift(input, 1), output: lift(output, 1), sliding };
        for (what, [d, h, w]) in [("elements of x", pool.input), ("elements of y", pool.output)] {
            product(&[planes.max(1), d, h, w]).ok_or(GeometryError::Overflow { what })?;
        }
        if pool.largest_winner() > u32::MAX as usize {
            return Err(GeometryError::Overflow { what: "elements of a window" });
        }
        Ok(pool)
    }

    /// Elements of a plane of x.
    pub fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of a plane of y.
    pub fn output_size(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of a sliding window.
    pub(crate) fn taps(&self) -> Option<usize> {
        self.sliding.map(|sliding| sliding.kernel.iter().product())
    }

    /// All windows along one of the three axes.
    pub fn spans(&self, axis: usize) -> Vec<Span> {
        let (input, output) = (self.input[axis], self.output[axis]);
        let Some(sliding) = self.sliding else {
            let edge = |o: usize| o as u128 * input as u128;
            let adaptive = |o| {
                let first = (edge(o) / output as u128) as usize;
                let count = edge(o + 1).div_ceil(output as u128) as usize - first;
                Span { first, count, step: 1, skipped: 0, padded: count }
            };
            return (0..output).map(adaptive).collect();
        };
        let (kernel, stride, dilation, padding) =
            (sliding.kernel[axis], sliding.stride[axis], sliding.dilation[axis], sliding.padding[axis]);
        let slide = |o| {
            let origin = o * stride;
            let skipped = padding.saturating_sub(origin).div_ceil(dilation);
            let first = origin + skipped * dilation - padding;
            let count = input.saturating_sub(first).div_ceil(dilation).min(kernel.saturating_sub(skipped));
            let padded = (input + 2 * padding).saturating_sub(origin).div_ceil(dilation).min(kernel);
            Span { first, count, step: dilation, skipped, padded }
        };
        (0..output).map(slide).collect()
    }
}

/// N · C and the spatial sizes of x (N, C, *).
pub(crate) fn planes<const D: usize>(x: &[usize]) -> Result<(usize, [usize; D]), GeometryError> {
    let wrong = || GeometryError::Rank { what: "x", expected: D + 2, rank: x.len(), shape: x.to_vec() };
    let spatial = x.get(2..).and_then(|spatial| spatial.try_into().ok()).ok_or_else(wrong)?;
    Ok((x[0] * x[1], spatial))
}
