//! The multi-layer perceptron.

use striate_tensor::{Real, Tensor};

use crate::activation::Activation;
use crate::layers::linear::Linear;
use crate::module::Module;
use crate::store::Path;

/// Options of an [`Mlp`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpOptions {
    /// σ of the hidden layers.
    pub hidden: Activation,
    /// σ of the last layer.
    pub output: Activation,
    /// Whether b is there.
    pub bias: bool,
}

impl Default for MlpOptions {
    fn default() -> Self {
        MlpOptions { hidden: Activation::Relu, output: Activation::Linear, bias: true }
    }
}

/// The multi-layer perceptron f(x; W, b) = x⁽ᴸ⁾ with x⁽ˡ⁾ = σ(W⁽ˡ⁾ᵀ x⁽ˡ⁻¹⁾ + b⁽ˡ⁾).
///
/// x (…, widths\[0\]) → (…, last width). Layers are named `0`, `1`, … in the store, each with `weight`, the transpose
/// of W⁽ˡ⁾, and `bias`. The notes' section 3; Rumelhart, Hinton and Williams 1986.
///
/// ```
/// use striate_nn::models::mlp::Mlp;
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let net = Mlp::new(&store.root(), &[784, 512, 256, 10]);
/// assert_eq!(net.forward(&Tensor::zeros(&[8, 784])).shape(), [8, 10]);
/// ```
pub struct Mlp<E: Real = f32> {
    layers: Vec<Linear<E>>,
    options: MlpOptions,
}

impl<E: Real> Mlp<E> {
    /// A network with ReLU between its layers and none after the last.
    ///
    /// # Panics
    /// When there are fewer than two widths.
    #[track_caller]
    pub fn new(path: &Path<E>, widths: &[usize]) -> Self {
        Self::with(path, widths, MlpOptions::default())
    }

    /// A network with options.
    ///
    /// # Panics
    /// As [`Mlp::new`].
    #[track_caller]
    pub fn with(path: &Path<E>, widths: &[usize], options: MlpOptions) -> Self {
        assert!(widths.len() >= 2, "mlp: needs the widths of input and output, has {widths:?}");
        let linear = crate::layers::linear::LinearOptions { bias: options.bias, ..Default::default() };
        let layer = |(i, width): (usize, &[usize])| Linear::with(&path.sub(i), width[0], width[1], linear);
        Mlp { layers: widths.windows(2).enumerate().map(layer).collect(), options }
    }

    /// The layers, from the input on.
    pub fn layers(&self) -> &[Linear<E>] {
        &self.layers
    }
}

impl<E: Real> Module<E> for Mlp<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(x.clone(), |x, (l, layer)| {
            let activation = if l == last { self.options.output } else { self.options.hidden };
            activation.apply(&layer.forward(&x))
        })
    }
}
