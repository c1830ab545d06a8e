//! What encoders and decoders are built of.

use striate_conv::{Conv2d, ConvLayerOptions, ConvTranspose2d, ConvTransposeOptions};
use striate_nn::{Activation, Linear, Path, Sequential};
use striate_tensor::{Real, Tensor};

use crate::error::GenerativeError;

/// The layers between samples and codes: an encoder has them from the sample on, a decoder the same way back.
///
/// ```
/// use striate_generative::Network;
///
/// let wide = Network::Dense { hidden: vec![400, 200], activation: Default::default() };
/// assert_eq!(Network::dense(&[400, 200]), wide);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// Fully connected layers for samples of any shape, as `fc1`, `fc2`, … in the store.
    Dense {
        /// Units of the layers, from the sample on. None is a linear map.
        hidden: Vec<usize>,
        /// σ after each of them.
        activation: Activation,
    },
    /// Convolutions of 4 × 4 and stride 2 (in the decoder transposed) for pictures (C, H, W) whose sides they can
    /// halve, and one fully connected layer, as `conv1`, …, `fc` in an encoder and `fc1`, `fc2`, `conv1`, … in a decoder.
    Convolutional {
        /// Channels of the convolutions, from the sample on.
        channels: Vec<usize>,
        /// Units of the fully connected layer.
        hidden: usize,
        /// σ after each layer.
        activation: Activation,
    },
}

impl Default for Network {
    /// 400 units.
    fn default() -> Self {
        Network::dense(&[400])
    }
}

impl Network {
    /// Fully connected layers with ReLU.
    pub fn dense(hidden: &[usize]) -> Self {
        Network::Dense { hidden: hidden.to_vec(), activation: Activation::Relu }
    }

    /// Convolutions to 32, 32, 64 and 64 channels and 256 units, with ReLU, for pictures whose sides are multiples
    /// of 16: those of Higgins et al. 2017 and Burgess et al. 2018 for 64 × 64.
    pub fn convolutional() -> Self {
        Network::Convolutional { channels: vec![32, 32, 64, 64], hidden: 256, activation: Activation::Relu }
    }

    /// (N, shape…) → (N, F), and F.
    pub(crate) fn encoder<E: Real>(
        &self,
        path: &Path<E>,
        shape: &[usize],
    ) -> Result<(Sequential<E>, usize), GenerativeError> {
        match *self {
            Network::Dense { ref hidden, activation } => {
                positive("a hidden layer's width", hidden)?;
                let mut widths = vec![shape.iter().product()];
                widths.extend(hidden);
                let mut net = Sequential::new().then(|x: &Tensor<E>| x.flatten(1, -1));
                for (i, width) in widths.windows(2).enumerate() {
                    let layer = Linear::new(&path.sub(format_args!("fc{}", i + 1)), width[0], width[1]);
                    net = net.then(layer).then(move |x: &Tensor<E>| activation.apply(x));
                }
                Ok((net, widths[widths.len() - 1]))
            }
            Network::Convolutional { ref channels, hidden, activation } => {
                let [height, width] = self.smallest_map(shape, channels)?;
                positive("the fully connected layer's width", &[hidden])?;
                let halve = ConvLayerOptions { stride: [2, 2], padding: 1.into(), ..Default::default() };
                let (mut net, mut inputs) = (Sequential::new(), shape[0]);
                for (i, &features) in channels.iter().enumerate() {
                    let path = path.sub(format_args!("conv{}", i + 1));
                    let layer = Conv2d::with(&path, inputs, features, [4, 4], halve);
                    net = net.then(layer).then(move |x: &Tensor<E>| activation.apply(x));
                    inputs = features;
                }
                let net = net
                    .then(|x: &Tensor<E>| x.flatten(1, -1))
                    .then(Linear::new(&path.sub("fc"), inputs * height * width, hidden))
                    .then(move |x: &Tensor<E>| activation.apply(x));
                Ok((net, hidden))
            }
        }
    }

    /// (N, `code`) → (N, shape…), without an activation at the end.
    pub(crate) fn decoder<E: Real>(
        &self,
        path: &Path<E>,
        code: usize,
        shape: &[usize],
    ) -> Result<Sequential<E>, GenerativeError> {
        match *self {
            Network::Dense { ref hidden, activation } => {
                positive("a hidden layer's width", hidden)?;
                let (mut net, mut inputs) = (Sequential::new(), code);
                for (i, &width) in hidden.iter().rev().enumerate() {
                    let layer = Linear::new(&path.sub(format_args!("fc{}", i + 1)), inputs, width);
                    net = net.then(layer).then(move |x: &Tensor<E>| activation.apply(x));
                    inputs = width;
                }
                let last = path.sub(format_args!("fc{}", hidden.len() + 1));
                Ok(net.then(Linear::new(&last, inputs, shape.iter().product())).then(unflatten(shape)))
            }
            Network::Convolutional { ref channels, hidden, activation } => {
                let [height, width] = self.smallest_map(shape, channels)?;
                positive("the fully connected layer's width", &[hidden])?;
                let mut inputs = channels.last().copied().unwrap_or(shape[0]);
                let mut net = Sequential::new()
                    .then(Linear::new(&path.sub("fc1"), code, hidden))
                    .then(move |x: &Tensor<E>| activation.apply(x))
                    .then(Linear::new(&path.sub("fc2"), hidden, inputs * height * width))
                    .then(unflatten(&[inputs, height, width]));
                let double = ConvTransposeOptions { stride: [2, 2], padding: 1.into(), ..Default::default() };
                let features = channels.iter().rev().skip(1).chain([&shape[0]]);
                for (i, &features) in features.enumerate().take(channels.len()) {
                    let path = path.sub(format_args!("conv{}", i + 1));
                    net = net.then(move |x: &Tensor<E>| activation.apply(x)).then(ConvTranspose2d::with(
                        &path,
                        inputs,
                        features,
                        [4, 4],
                        double,
                    ));
                    inputs = features;
                }
                Ok(net)
            }
        }
    }

    /// Height and width after all convolutions.
    fn smallest_map(&self, shape: &[usize], channels: &[usize]) -> Result<[usize; 2], GenerativeError> {
        positive("the number of convolutions", &[channels.len()])?;
        positive("a convolution's channels", channels)?;
        let &[_, height, width] = shape else {
            let expected = "(C, H, W) for convolutions".into();
            return Err(GenerativeError::Shape { what: "a sample", expected, shape: shape.to_vec() });
        };
        let layers = channels.len();
        let multiple = u32::try_from(layers).ok().and_then(|layers| 2usize.checked_pow(layers)).unwrap_or(0);
        if multiple == 0 || !height.is_multiple_of(multiple) || !width.is_multiple_of(multiple) {
            return Err(GenerativeError::Sides { layers, multiple, height, width });
        }
        Ok([height / multiple, width / multiple])
    }
}

/// (N, Π shape) → (N, shape…)
fn unflatten<E: Real>(shape: &[usize]) -> impl Fn(&Tensor<E>) -> Tensor<E> + Send + Sync + 'static {
    let shape: Vec<isize> = [-1].into_iter().chain(shape.iter().map(|&n| n as isize)).collect();
    move |x| x.reshape(&shape)
}

/// Whether samples of this shape have an element.
pub(crate) fn check_sample(shape: &[usize]) -> Result<(), GenerativeError> {
    if shape.is_empty() {
        let expected = "at least one axis".into();
        return Err(GenerativeError::Shape { what: "a sample", expected, shape: Vec::new() });
    }
    positive("a sample's side", shape)
}

/// Whether none of the sizes is 0.
pub(crate) fn positive(what: &'static str, sizes: &[usize]) -> Result<(), GenerativeError> {
    if sizes.contains(&0) { Err(GenerativeError::Zero { what }) } else { Ok(()) }
}
