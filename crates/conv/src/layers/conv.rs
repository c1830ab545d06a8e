//! Convolution layers, over one, two or three spatial axes.

use striate_nn::init::Init;
use striate_nn::{Module, Path, observe};
use striate_tensor::{Real, Tensor};

use crate::boundary::Boundary;
use crate::geometry::{ConvOptions, Padding};
use crate::kernels::conv::ConvAlgorithm;
use crate::ops::conv;

/// Options of a [`Conv`] layer: those of its windows, and the layer's own.
#[derive(Clone, Copy, Debug)]
pub struct ConvLayerOptions<const D: usize> {
    /// Steps of the window; 1 unless said otherwise.
    pub stride: [usize; D],
    /// Elements around the input; none unless said otherwise.
    pub padding: Padding<D>,
    /// What those elements are; zeros unless said otherwise. PyTorch's `padding_mode`.
    pub padding_mode: Boundary,
    /// Distance of neighbouring kernel elements; 1 unless said otherwise.
    pub dilation: [usize; D],
    /// Groups of channels that do not mix; 1 unless said otherwise.
    pub groups: usize,
    /// How it is computed.
    pub algorithm: ConvAlgorithm,
    /// Whether b is there.
    pub bias: bool,
    /// How w starts: U(±1/√fan_in) when `None`, as in PyTorch.
    pub weight_init: Option<Init>,
    /// How b starts: U(±1/√fan_in) when `None`, as in PyTorch.
    pub bias_init: Option<Init>,
}

impl<const D: usize> Default for ConvLayerOptions<D> {
    fn default() -> Self {
        let ConvOptions { stride, padding, dilation, groups, algorithm } = ConvOptions::default();
        let padding_mode = Boundary::Zero;
        ConvLayerOptions {
            stride,
            padding,
            padding_mode,
            dilation,
            groups,
            algorithm,
            bias: true,
            weight_init: None,
            bias_init: None,
        }
    }
}

impl<const D: usize> ConvLayerOptions<D> {
    fn windows(&self, padding: Padding<D>) -> ConvOptions<D> {
        let ConvLayerOptions { stride, dilation, groups, algorithm, .. } = *self;
        ConvOptions { stride, padding, dilation, groups, algorithm }
    }
}

/// y = b + x ⋆ w for x (N, C, *), w (O, C / groups, *), b (O); see [`conv2d`](crate::conv2d).
/// PyTorch's `nn.Conv2d` and its siblings.
///
/// ```
/// use striate_conv::{Conv2d, ConvLayerOptions};
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let same = ConvLayerOptions { padding: 1.into(), ..Default::default() };
/// let layer = Conv2d::with(&store.root().sub("conv1"), 3, 16, [3, 3], same);
/// assert_eq!(layer.forward(&Tensor::ones(&[8, 3, 28, 28])).shape(), [8, 16, 28, 28]);
/// ```
#[derive(Clone)]
pub struct Conv<const D: usize, E: Real = f32> {
    /// w (O, C / groups, *), `weight` in the store.
    pub weight: Tensor<E>,
    /// b (O), `bias` in the store.
    pub bias: Option<Tensor<E>>,
    options: ConvLayerOptions<D>,
    name: String,
}

/// [`Conv`] for (N, C, L).
pub type Conv1d<E = f32> = Conv<1, E>;
/// [`Conv`] for (N, C, H, W).
pub type Conv2d<E = f32> = Conv<2, E>;
/// [`Conv`] for (N, C, D, H, W).
pub type Conv3d<E = f32> = Conv<3, E>;

impl<E: Real, const D: usize> Conv<D, E> {
    const KIND: &'static str = ["", "Conv1d", "Conv2d", "Conv3d"][D];
    const OP: &'static str = ["", "conv1d", "conv2d", "conv3d"][D];

    /// A layer with PyTorch's defaults: no padding, stride 1, with bias.
    #[track_caller]
    pub fn new(path: &Path<E>, channels: usize, features: usize, kernel: [usize; D]) -> Self {
        Self::with(path, channels, features, kernel, ConvLayerOptions::default())
    }

    /// A layer with options.
    ///
    /// # Panics
    /// When the channels do not split into the groups.
    #[track_caller]
    pub fn with(
        path: &Path<E>,
        channels: usize,
        features: usize,
        kernel: [usize; D],
        options: ConvLayerOptions<D>,
    ) -> Self {
        let per_group = per_group(Self::OP, channels, features, options.groups);
        let shape: Vec<usize> = [features, per_group].into_iter().chain(kernel).collect();
        let (weight, bias) =
            parameters(path, &shape, features, options.bias, [options.weight_init, options.bias_init]);
        Conv { weight, bias, options, name: path.name().to_string() }
    }
}

impl<E: Real, const D: usize> Module<E> for Conv<D, E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let options = &self.options;
        let (weight, bias) = (&self.weight, self.bias.as_ref());
        let y = if options.padding_mode == Boundary::Zero {
            conv::conv(Self::OP, x, weight, bias, &options.windows(options.padding))
        } else {
            let kernel = &weight.shape()[2..];
            let sides: [(usize, usize); D] =
                std::array::from_fn(|axis| options.padding.sides(axis, kernel[axis], options.dilation[axis]));
            let x = conv::pad(x, sides, options.padding_mode);
            conv::conv(Self::OP, &x, weight, bias, &options.windows(Padding::Valid))
        };
        observe::layer(&self.name, Self::KIND, y)
    }
}

/// Options of a [`ConvTranspose`] layer.
#[derive(Clone, Copy, Debug)]
pub struct ConvTransposeOptions<const D: usize> {
    /// Steps of the window in the output; 1 unless said otherwise.
    pub stride: [usize; D],
    /// Elements cut off the output's sides; none unless said otherwise.
    pub padding: Padding<D>,
    /// Elements added to the output's end, since several sizes convolve to the same one.
    pub output_padding: [usize; D],
    /// Distance of neighbouring kernel elements; 1 unless said otherwise.
    pub dilation: [usize; D],
    /// Groups of channels that do not mix; 1 unless said otherwise.
    pub groups: usize,
    /// How it is computed.
    pub algorithm: ConvAlgorithm,
    /// Whether b is there.
    pub bias: bool,
    /// How w starts: U(±1/√fan_in) when `None`, as in PyTorch.
    pub weight_init: Option<Init>,
    /// How b starts: U(±1/√fan_in) when `None`, as in PyTorch.
    pub bias_init: Option<Init>,
}

impl<const D: usize> Default for ConvTransposeOptions<D> {
    fn default() -> Self {
        let ConvOptions { stride, padding, dilation, groups, algorithm } = ConvOptions::default();
        let output_padding = [0; D];
        ConvTransposeOptions {
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            algorithm,
            bias: true,
            weight_init: None,
            bias_init: None,
        }
    }
}

/// The transposed convolution of x (N, C, *) with w (C, O / groups, *) and b (O); see
/// [`conv_transpose2d`](crate::conv_transpose2d). PyTorch's `nn.ConvTranspose2d` and its siblings.
///
/// ```
/// use striate_conv::{ConvTranspose2d, ConvTransposeOptions};
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let double = ConvTransposeOptions { stride: [2, 2], ..Default::default() };
/// let layer = ConvTranspose2d::with(&store.root().sub("up"), 64, 32, [2, 2], double);
/// assert_eq!(layer.forward(&Tensor::ones(&[1, 64, 8, 8])).shape(), [1, 32, 16, 16]);
/// ```
#[derive(Clone)]
pub struct ConvTranspose<const D: usize, E: Real = f32> {
    /// w (C, O / groups, *), `weight` in the store.
    pub weight: Tensor<E>,
    /// b (O), `bias` in the store.
    pub bias: Option<Tensor<E>>,
    options: ConvTransposeOptions<D>,
    name: String,
}

/// [`ConvTranspose`] for (N, C, L).
pub type ConvTranspose1d<E = f32> = ConvTranspose<1, E>;
/// [`ConvTranspose`] for (N, C, H, W).
pub type ConvTranspose2d<E = f32> = ConvTranspose<2, E>;
/// [`ConvTranspose`] for (N, C, D, H, W).
pub type ConvTranspose3d<E = f32> = ConvTranspose<3, E>;

impl<E: Real, const D: usize> ConvTranspose<D, E> {
    const KIND: &'static str = ["", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"][D];
    const OP: &'static str = ["", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"][D];

    /// A layer with PyTorch's defaults: stride 1, with bias.
    #[track_caller]
    pub fn new(path: &Path<E>, channels: usize, features: usize, kernel: [usize; D]) -> Self {
        Self::with(path, channels, features, kernel, ConvTransposeOptions::default())
    }

    /// A layer with options.
    ///
    /// # Panics
    /// When the channels do not split into the groups.
    #[track_caller]
    pub fn with(
        path: &Path<E>,
        channels: usize,
        features: usize,
        kernel: [usize; D],
        options: ConvTransposeOptions<D>,
    ) -> Self {
        let per_group = per_group(Self::OP, features, channels, options.groups);
        let shape: Vec<usize> = [channels, per_group].into_iter().chain(kernel).collect();
        let (weight, bias) =
            parameters(path, &shape, features, options.bias, [options.weight_init, options.bias_init]);
        ConvTranspose { weight, bias, options, name: path.name().to_string() }
    }
}

impl<E: Real, const D: usize> Module<E> for ConvTranspose<D, E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let ConvTransposeOptions { stride, padding, dilation, groups, algorithm, output_padding, .. } =
            self.options;
        let windows = ConvOptions { stride, padding, dilation, groups, algorithm };
        let y = conv::conv_transpose(Self::OP, x, &self.weight, self.bias.as_ref(), &windows, output_padding);
        observe::layer(&self.name, Self::KIND, y)
    }
}

/// `split` channels of a group.
#[track_caller]
fn per_group(op: &str, split: usize, other: usize, groups: usize) -> usize {
    assert!(
        groups > 0 && split.is_multiple_of(groups) && other.is_multiple_of(groups),
        "{op}: {split} and {other} channels do not split into {groups} groups"
    );
    split / groups
}

/// Weight and bias from U(±1/√fan_in), where fan_in counts the weight's second axis and its kernel, as PyTorch does for
/// both kinds of layer.
#[track_caller]
fn parameters<E: Real>(
    path: &Path<E>,
    shape: &[usize],
    features: usize,
    bias: bool,
    [weight_init, bias_init]: [Option<Init>; 2],
) -> (Tensor<E>, Option<Tensor<E>>) {
    let fan_in = Init::fan_in(shape[1..].iter().product());
    let weight = path.parameter("weight", shape, weight_init.unwrap_or(fan_in));
    (weight, bias.then(|| path.parameter("bias", &[features], bias_init.unwrap_or(fan_in))))
}
