//! How AlexNet and VGG end.

use striate_conv::{ConvOptions, adaptive_avg_pool2d, conv2d};
use striate_nn::{Dropout, Linear, LinearOptions, Module, Path};
use striate_tensor::{Real, Tensor};

use crate::units::frozen;

/// Linear layers on all of a map, with ReLU between them and dropout before some of them.
pub(crate) struct Head<E: Real> {
    layers: Vec<(Option<Dropout>, Linear<E>)>,
    /// Height and width of the map.
    window: usize,
}

/// One linear layer: the names of the dropout before it, and its own.
pub(crate) type HeadLayer = (Option<usize>, usize);

impl<E: Real> Head<E> {
    /// A head on a map of `window` × `window`; `widths` are the map's channels and what each layer gives out.
    #[track_caller]
    pub(crate) fn new(
        path: &Path<E>,
        window: usize,
        widths: &[usize],
        names: &[HeadLayer],
        dropout: f64,
        options: LinearOptions,
    ) -> Self {
        let mut inputs = widths[0] * window * window;
        let mut layers = Vec::new();
        for (&outputs, &(drop, name)) in widths[1..].iter().zip(names) {
            let drop = drop.map(|drop| Dropout::new(&path.sub(drop), dropout));
            layers.push((drop, Linear::with(&path.sub(name), inputs, outputs, options)));
            inputs = outputs;
        }
        Head { layers, window }
    }

    /// (N, C, H, W) → (N, classes): the map is averaged to the window's size first.
    #[track_caller]
    pub(crate) fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let x = adaptive_avg_pool2d(x, [self.window; 2]).flatten(1, -1);
        self.through(&x, |_, layer, x| layer.forward(x))
    }

    /// (N, C, H, W) → (N, classes, H', W'): the same layers as convolutions.
    #[track_caller]
    pub(crate) fn score_map(&self, x: &Tensor<E>) -> Tensor<E> {
        self.through(x, |i, layer, x| linear_as_conv(layer, x, if i == 0 { self.window } else { 1 }))
    }

    #[track_caller]
    fn through(&self, x: &Tensor<E>, map: impl Fn(usize, &Linear<E>, &Tensor<E>) -> Tensor<E>) -> Tensor<E> {
        self.layers.iter().enumerate().fold(x.clone(), |x, (i, (dropout, layer))| {
            let x = if i > 0 { x.relu() } else { x };
            map(i, layer, &dropout.as_ref().map_or_else(|| x.clone(), |dropout| dropout.forward(&x)))
        })
    }

    pub(crate) fn fuse(&self) -> Self {
        let layers = self.layers.iter().map(|(_, layer)| (None, frozen(layer))).collect();
        Head { layers, window: self.window }
    }
}

/// A linear layer on windows of C planes as a convolution: its weight (O, C·k·k) is a kernel (O, C, k, k).
///
/// x (N, C, H, W) → (N, O, H − k + 1, W − k + 1): for a map of k × k what the layer gives for `x.flatten(1, -1)`, and for
/// a larger one that for each window. The weight is the layer's own, so gradients reach it. Long, Shelhamer and Darrell
/// 2015; notes, section 6.
///
/// # Panics
/// When the layer's inputs are not k·k times the channels of x, or x is smaller than the window.
///
/// ```
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::linear_as_conv;
///
/// let layer = Linear::new(&ParamStore::<f64>::seeded(0).root(), 4 * 3 * 3, 10);
/// let map = Tensor::linspace(-1.0, 1.0, 4 * 9).reshape(&[1, 4, 3, 3]);
/// let (y, dense) = (linear_as_conv(&layer, &map, 3), layer.forward(&map.flatten(1, -1)));
/// assert!((y.flatten(1, -1) - dense).abs().max().item() < 1e-12);
/// assert_eq!(linear_as_conv(&layer, &Tensor::ones(&[1, 4, 5, 8]), 3).shape(), [1, 10, 3, 6]);
/// ```
#[track_caller]
pub fn linear_as_conv<E: Real>(layer: &Linear<E>, x: &Tensor<E>, window: usize) -> Tensor<E> {
    let (outputs, window) = (layer.weight.shape()[0] as isize, window as isize);
    let kernel = layer.weight.reshape(&[outputs, -1, window, window]);
    conv2d(x, &kernel, layer.bias.as_ref(), &ConvOptions::default())
}
