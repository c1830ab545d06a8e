//! The sizes of a convolution: options, shape rules and their errors, and the resolved geometry that kernels read.

use thiserror::Error;

use crate::kernels::conv::ConvAlgorithm;

/// How a sliding window moves: options of a convolution over D spatial axes.
///
/// ```
/// use striate_conv::{ConvOptions, Padding};
///
/// let options = ConvOptions { stride: [2, 2], padding: 1.into(), ..Default::default() };
/// assert_eq!(options.padding, Padding::Sides([(1, 1), (1, 1)]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvOptions<const D: usize> {
    /// Steps of the window; 1 unless said otherwise.
    pub stride: [usize; D],
    /// Elements around the input; none unless said otherwise.
    pub padding: Padding<D>,
    /// Distance of neighbouring kernel elements in the input; 1 unless said otherwise.
    pub dilation: [usize; D],
    /// Groups of channels that do not mix; 1 unless said otherwise, as many as channels for a depthwise convolution.
    pub groups: usize,
    /// How it is computed; by shape unless said otherwise.
    pub algorithm: ConvAlgorithm,
}

impl<const D: usize> Default for ConvOptions<D> {
    fn default() -> Self {
        ConvOptions {
            stride: [1; D],
            padding: Padding::Valid,
            dilation: [1; D],
            groups: 1,
            algorithm: ConvAlgorithm::Auto,
        }
    }
}

/// How many elements stand around the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Padding<const D: usize> {
    /// None: the window stays inside. PyTorch's `padding='valid'`.
    #[default]
    Valid,
    /// As many as give an output of the input's size; an odd one stands after. PyTorch's `padding='same'`.
    Same,
    /// These, before and after, by axis.
    Sides([(usize, usize); D]),
}

impl<const D: usize> From<usize> for Padding<D> {
    fn from(every_side: usize) -> Self {
        Padding::Sides([(every_side, every_side); D])
    }
}

impl<const D: usize> From<[usize; D]> for Padding<D> {
    fn from(by_axis: [usize; D]) -> Self {
        Padding::Sides(by_axis.map(|side| (side, side)))
    }
}

impl<const D: usize> From<[(usize, usize); D]> for Padding<D> {
    fn from(sides: [(usize, usize); D]) -> Self {
        Padding::Sides(sides)
    }
}

impl<const D: usize> Padding<D> {
    /// Elements before and after along an axis.
    pub fn sides(self, axis: usize, kernel: usize, dilation: usize) -> (usize, usize) {
        match self {
            Padding::Valid => (0, 0),
            Padding::Same => {
                let all = dilation.saturating_mul(kernel.saturating_sub(1));
                (all / 2, all - all / 2)
            }
            Padding::Sides(sides) => sides[axis],
        }
    }
}

/// Sizes that make no convolution.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum GeometryError {
    #[error("{what} must have {expected} axes, not {rank} ({what} {shape:?})")]
    Rank { what: &'static str, expected: usize, rank: usize, shape: Vec<usize> },
    #[error("input has {channels} channels, kernel expects {expected} (x {x:?}, w {w:?}, groups {groups})")]
    Channels { channels: usize, expected: usize, x: Vec<usize>, w: Vec<usize>, groups: usize },
    #[error("{channels} {what} channels do not split into {groups} groups")]
    Groups { what: &'static str, channels: usize, groups: usize },
    #[error("bias must be ({expected}), not {shape:?}")]
    Bias { expected: usize, shape: Vec<usize> },
    #[error("{what} of axis {axis} must be at least 1")]
    Zero { what: &'static str, axis: usize },
    #[error(
        "window of {window} (kernel {kernel}, dilation {dilation}) exceeds the {padded} elements of axis {axis} \
         (input {input}, padding {before} and {after})"
    )]
    WindowTooLarge {
        axis: usize,
        input: usize,
        kernel: usize,
        dilation: usize,
        window: usize,
        padded: usize,
        before: usize,
        after: usize,
    },
    #[error("padding 'same' needs stride 1, not {stride} at axis {axis}")]
    SameWithStride { axis: usize, stride: usize },
    #[error(
        "output padding {output_padding} of axis {axis} must be smaller than stride {stride} or dilation {dilation}"
    )]
    OutputPadding { axis: usize, output_padding: usize, stride: usize, dilation: usize },
    #[error(
        "padding {before} and {after} of axis {axis} leaves nothing of the {full} elements of the output"
    )]
    NothingLeft { axis: usize, full: usize, before: usize, after: usize },
    #[error(
        "{mode} padding {padding} of axis {axis} needs an input of more than {limit} elements, not {input}"
    )]
    Border { mode: &'static str, axis: usize, padding: usize, limit: usize, input: usize },
    #[error("padding {padding} of axis {axis} must be at most half of the window's {window} elements")]
    PoolPadding { axis: usize, padding: usize, window: usize },
    #[error("window {place} of axis {axis} has no element inside the input")]
    EmptyWindow { axis: usize, place: usize },
    #[error("output size {size} of axis {axis} must lie between {least} and {most}")]
    UnpoolSize { axis: usize, size: usize, least: usize, most: usize },
    #[error("index {index} is outside the {size} elements of a plane")]
    Index { index: usize, size: usize },
    #[error("{what} ({size}) must be a multiple of {factor}")]
    NoMultiple { what: &'static str, size: usize, factor: usize },
    #[error("{what} must be {expected:?}, not {shape:?}")]
    Shape { what: &'static str, expected: Vec<usize>, shape: Vec<usize> },
    #[error(
        "{algorithm:?} does not compute a convolution of kernel {kernel:?}, stride {stride:?}, dilation {dilation:?}"
    )]
    Algorithm { algorithm: ConvAlgorithm, kernel: [usize; 3], stride: [usize; 3], dilation: [usize; 3] },
    #[error("sizes overflow: {what}")]
    Overflow { what: &'static str },
}

/// One axis of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Elements of the kernel.
    pub kernel: usize,
    /// Steps of the window.
    pub stride: usize,
    /// Elements around the input, before and after.
    pub padding: (usize, usize),
    /// Distance of neighbouring kernel elements in the input.
    pub dilation: usize,
}

impl Default for Window {
    fn default() -> Self {
        Window { kernel: 1, stride: 1, padding: (0, 0), dilation: 1 }
    }
}

/// Number of places of a window along one axis: ⌊(n + p₀ + p₁ − d·(k − 1) − 1) / s⌋ + 1.
///
/// # Errors
/// When kernel, stride or dilation is 0, the window is larger than the padded input, or sizes overflow;
/// `axis` is only named in them.
///
/// ```
/// use striate_conv::{Window, output_size};
///
/// let window = Window { kernel: 7, stride: 2, padding: (3, 3), ..Default::default() };
/// assert_eq!(output_size(0, 224, window), Ok(112));
/// assert!(output_size(0, 4, Window { kernel: 7, ..Default::default() }).is_err());
/// ```
pub fn output_size(axis: usize, input: usize, window: Window) -> Result<usize, GeometryError> {
    let Window { kernel, stride, padding: (before, after), dilation } = window;
    for (what, size) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        if size == 0 {
            return Err(GeometryError::Zero { what, axis });
        }
    }
    let overflow = || GeometryError::Overflow { what: "a window of the input" };
    let span = dilation.checked_mul(kernel - 1).and_then(|d| d.checked_add(1)).ok_or_else(overflow)?;
    let padded = input.checked_add(before).and_then(|n| n.checked_add(after)).ok_or_else(overflow)?;
    if padded.max(span) > isize::MAX as usize {
        return Err(overflow());
    }
    if span > padded {
        return Err(GeometryError::WindowTooLarge {
            axis,
            input,
            kernel,
            dilation,
            window: span,
            padded,
            before,
            after,
        });
    }
    Ok((padded - span) / stride + 1)
}

/// Number of elements along one axis after a transposed convolution:
/// (n − 1)·s − p₀ − p₁ + d·(k − 1) + output padding + 1.
///
/// # Errors
/// As [`output_size`]; and when the output padding is as large as stride and dilation, or nothing is left.
pub fn transposed_output_size(
    axis: usize,
    input: usize,
    window: Window,
    output_padding: usize,
) -> Result<usize, GeometryError> {
    let Window { kernel, stride, padding: (before, after), dilation } = window;
    for (what, size) in [("kernel", kernel), ("stride", stride), ("dilation", dilation), ("input", input)] {
        if size == 0 {
            return Err(GeometryError::Zero { what, axis });
        }
    }
    if output_padding >= stride.max(dilation) {
        return Err(GeometryError::OutputPadding { axis, output_padding, stride, dilation });
    }
    let overflow = || GeometryError::Overflow { what: "the output of a transposed convolution" };
    let full = (input - 1)
        .checked_mul(stride)
        .and_then(|n| n.checked_add(dilation.checked_mul(kernel - 1)?))
        .and_then(|n| n.checked_add(output_padding)?.checked_add(1))
        .filter(|&n| n <= isize::MAX as usize)
        .ok_or_else(overflow)?;
    let cut = before.checked_add(after).ok_or_else(overflow)?;
    if cut >= full {
        return Err(GeometryError::NothingLeft { axis, full, before, after });
    }
    Ok(full - cut)
}

/// A convolution with all sizes resolved: what kernels read. One and two spatial axes are lifted to three.
///
/// `y[n, o, q] = b[o] + Σ over c and t of w[o, c, t] · x[n, c, q·stride + t·dilation − padding]`, zero outside x,
/// where c runs over the channels of o's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// N
    pub batch: usize,
    /// Groups of channels that do not mix.
    pub groups: usize,
    /// Channels of x, over all groups.
    pub channels: usize,
    /// Channels of y, over all groups.
    pub features: usize,
    /// Spatial size of x: depth, height, width.
    pub input: [usize; 3],
    /// Spatial size of y.
    pub output: [usize; 3],
    /// Spatial size of w.
    pub kernel: [usize; 3],
    /// Steps of the window; 1 where there is no second place.
    pub stride: [usize; 3],
    /// Distance of neighbouring kernel elements.
    pub dilation: [usize; 3],
    /// Zeros before x; a negative number leaves elements of x out.
    pub padding: [isize; 3],
}

/// `values` with `fill` before them.
pub(crate) fn lift<T: Copy, const D: usize>(values: [T; D], fill: T) -> [T; 3] {
    std::array::from_fn(|axis| if axis + D < 3 { fill } else { values[axis + D - 3] })
}

pub(crate) fn product(sizes: &[usize]) -> Option<usize> {
    sizes
        .iter()
        .try_fold(1usize, |all, &size| all.checked_mul(size))
        .filter(|&n| n <= isize::MAX as usize / 8)
}

impl Geometry {
    /// The convolution of x (N, C, *) with w (O, C / groups, *) over D spatial axes.
    ///
    /// # Errors
    /// When shapes and options do not fit.
    ///
    /// ```
    /// use striate_conv::{ConvOptions, Geometry};
    ///
    /// let options = ConvOptions { padding: 1.into(), ..Default::default() };
    /// let conv = Geometry::new::<2>(&[8, 3, 28, 30], &[16, 3, 3, 3], &options)?;
    /// assert_eq!(conv.output_shape::<2>(), [8, 16, 28, 30]);
    /// # Ok::<(), striate_conv::GeometryError>(())
    /// ```
    pub fn new<const D: usize>(
        x: &[usize],
        w: &[usize],
        options: &ConvOptions<D>,
    ) -> Result<Self, GeometryError> {
        let (x_spatial, w_spatial) = (spatial::<D>("x", x)?, spatial::<D>("w", w)?);
        let (channels, features, groups) = (x[1], w[0], options.groups);
        split_into_groups("output", features, groups)?;
        if w[1].checked_mul(groups) != Some(channels) {
            let expected = w[1].saturating_mul(groups);
            return Err(GeometryError::Channels { channels, expected, x: x.to_vec(), w: w.to_vec(), groups });
        }
        let mut output = [0; D];
        let mut before = [0; D];
        let mut steps = options.stride;
        for axis in 0..D {
            let stride = options.stride[axis];
            if options.padding == Padding::Same && stride != 1 {
                return Err(GeometryError::SameWithStride { axis, stride });
            }
            let (kernel, dilation) = (w_spatial[axis], options.dilation[axis]);
            let padding = options.padding.sides(axis, kernel, dilation);
            output[axis] = output_size(axis, x_spatial[axis], Window { kernel, stride, padding, dilation })?;
            before[axis] = padding.0 as isize;
            steps[axis] = if output[axis] == 1 { 1 } else { stride };
        }
        Geometry {
            batch: x[0],
            groups,
            channels,
            features,
            input: lift(x_spatial, 1),
            output: lift(output, 1),
            kernel: lift(w_spatial, 1),
            stride: lift(steps, 1),
            dilation: lift(options.dilation, 1),
            padding: lift(before, 0),
        }
        .checked(options.algorithm)
    }

    /// The convolution whose gradient with respect to its input is the transposed convolution of
    /// y (N, O, *) with w (O, C / groups, *), PyTorch's `conv_transpose`.
    ///
    /// # Errors
    /// When shapes and options do not fit.
    pub fn transposed<const D: usize>(
        y: &[usize],
        w: &[usize],
        options: &ConvOptions<D>,
        output_padding: [usize; D],
    ) -> Result<Self, GeometryError> {
        let (y_spatial, w_spatial) = (spatial::<D>("x", y)?, spatial::<D>("w", w)?);
        let (features, groups) = (y[1], options.groups);
        split_into_groups("input", features, groups)?;
        if w[0] != features {
            let (x, w) = (y.to_vec(), w.to_vec());
            return Err(GeometryError::Channels { channels: features, expected: w[0], x, w, groups });
        }
        let overflow = GeometryError::Overflow { what: "channels" };
        let mut input = [0; D];
        let mut before = [0; D];
        let mut steps = options.stride;
        for axis in 0..D {
            let (kernel, stride, dilation) = (w_spatial[axis], options.stride[axis], options.dilation[axis]);
            if options.padding == Padding::Same && stride != 1 {
                return Err(GeometryError::SameWithStride { axis, stride });
            }
            let padding = options.padding.sides(axis, kernel, dilation);
            let window = Window { kernel, stride, padding, dilation };
            input[axis] = transposed_output_size(axis, y_spatial[axis], window, output_padding[axis])?;
            before[axis] = isize::try_from(padding.0).map_err(|_| overflow.clone())?;
            steps[axis] = if y_spatial[axis] == 1 { 1 } else { stride };
        }
        Geometry {
            batch: y[0],
            groups,
            channels: w[1].checked_mul(groups).ok_or(overflow)?,
            features,
            input: lift(input, 1),
            output: lift(y_spatial, 1),
            kernel: lift(w_spatial, 1),
            stride: lift(steps, 1),
            dilation: lift(options.dilation, 1),
            padding: lift(before, 0),
        }
        .checked(options.algorithm)
    }

    fn checked(self, algorithm: ConvAlgorithm) -> Result<Self, GeometryError> {
        let arrays = [
            ("elements of x", [self.batch, self.channels], self.input),
            ("elements of y", [self.batch, self.features], self.output),
            ("elements of w", [self.features, self.group_channels()], self.kernel),
        ];
        for (what, [first, second], spatial) in arrays {
            // Axes of length 0 do not excuse the others.
            let all: Vec<usize> = [first, second].into_iter().chain(spatial).map(|n| n.max(1)).collect();
            product(&all).ok_or(GeometryError::Overflow { what })?;
        }
        if !algorithm.supports(&self) {
            let Geometry { kernel, stride, dilation, .. } = self;
            return Err(GeometryError::Algorithm { algorithm, kernel, stride, dilation });
        }
        Ok(self)
    }

    /// (N, C, *) with the last D spatial axes.
    pub fn input_shape<const D: usize>(&self) -> Vec<usize> {
        [self.batch, self.channels].into_iter().chain(self.input[3 - D..].iter().copied()).collect()
    }

    /// (N, O, *) with the last D spatial axes.
    pub fn output_shape<const D: usize>(&self) -> Vec<usize> {
        [self.batch, self.features].into_iter().chain(self.output[3 - D..].iter().copied()).collect()
    }

    /// (O, C / groups, *) with the last D spatial axes.
    pub fn kernel_shape<const D: usize>(&self) -> Vec<usize> {
        let spatial = self.kernel[3 - D..].iter().copied();
        [self.features, self.group_channels()].into_iter().chain(spatial).collect()
    }

    /// Channels of x in a group.
    pub fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    /// Channels of y in a group.
    pub fn group_features(&self) -> usize {
        self.features / self.groups
    }

    /// Elements of a channel of x.
    pub fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of a channel of y.
    pub fn output_size(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of the kernel of one pair of channels.
    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }
}

fn spatial<const D: usize>(what: &'static str, shape: &[usize]) -> Result<[usize; D], GeometryError> {
    let error = || GeometryError::Rank { what, expected: D + 2, rank: shape.len(), shape: shape.to_vec() };
    shape.get(2..).and_then(|spatial| spatial.try_into().ok()).ok_or_else(error)
}

fn split_into_groups(what: &'static str, channels: usize, groups: usize) -> Result<(), GeometryError> {
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(GeometryError::Groups { what, channels, groups });
    }
    Ok(())
}
