//! Activation functions with their derivatives, as plain functions of one number.
//!
//! [`Activation`] names them for an [`crate::models::mlp::Mlp`]; on tensors they are methods of [`Tensor`].

use striate_tensor::{Real, Tensor};

/// An activation function σ by name.
///
/// ```
/// use striate_nn::Activation;
///
/// assert_eq!(Activation::Sigmoid.value(0.0), 0.5);
/// assert_eq!(Activation::Sigmoid.derivative(0.0), 0.25);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activation {
    /// σ(x) = x: a network of such layers alone is one linear map. See [`linear`].
    Linear,
    /// σ(x) = 1 / (1 + e⁻ˣ): see [`sigmoid`].
    Sigmoid,
    /// σ(x) = tanh x: see [`tanh`].
    Tanh,
    /// σ(x) = max(0, x): see [`relu`].
    #[default]
    Relu,
    /// σ(x) = x for x > 0, else slope · x: see [`leaky_relu`].
    LeakyRelu {
        /// Slope on the negative side.
        slope: f64,
    },
    /// σ(x) = ln(1 + eˣ): see [`softplus`].
    Softplus,
    /// σ(x) = x · sigmoid(x): see [`silu`].
    Silu,
}

impl Activation {
    /// σ of every element.
    pub fn apply<E: Real>(self, x: &Tensor<E>) -> Tensor<E> {
        match self {
            Activation::Linear => x.clone(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Tanh => x.tanh(),
            Activation::Relu => x.relu(),
            Activation::LeakyRelu { slope } => x.leaky_relu(slope),
            Activation::Softplus => x.softplus(),
            Activation::Silu => x.silu(),
        }
    }

    /// σ(x)
    pub fn value(self, x: f64) -> f64 {
        match self {
            Activation::Linear => linear(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Tanh => tanh(x),
            Activation::Relu => relu(x),
            Activation::LeakyRelu { slope } => leaky_relu(x, slope),
            Activation::Softplus => softplus(x),
            Activation::Silu => silu(x),
        }
    }

    /// σ′(x)
    pub fn derivative(self, x: f64) -> f64 {
        match self {
            Activation::Linear => linear_derivative(x),
            Activation::Sigmoid => sigmoid_derivative(x),
            Activation::Tanh => tanh_derivative(x),
            Activation::Relu => relu_derivative(x),
            Activation::LeakyRelu { slope } => leaky_relu_derivative(x, slope),
            Activation::Softplus => softplus_derivative(x),
            Activation::Silu => silu_derivative(x),
        }
    }

    /// The factor by which an initial weight before σ grows, so that the values keep their variance.
    ///
    /// 1 for linear and sigmoid, 5/3 for tanh, √2 for ReLU and its smooth kin, √(2 / (1 + slope²)) for leaky ReLU.
    /// PyTorch's `nn.init.calculate_gain`.
    pub fn gain(self) -> f64 {
        match self {
            Activation::Linear | Activation::Sigmoid => 1.0,
            Activation::Tanh => 5.0 / 3.0,
            Activation::Relu | Activation::Softplus | Activation::Silu => 2f64.sqrt(),
            Activation::LeakyRelu { slope } => (2.0 / (1.0 + slope * slope)).sqrt(),
        }
    }
}

/// σ(x) = x
pub fn linear(x: f64) -> f64 {
    x
}

/// σ′(x) = 1
pub fn linear_derivative(_x: f64) -> f64 {
    1.0
}

/// σ(x) = 1 / (1 + e⁻ˣ)
pub fn sigmoid(x: f64) -> f64 {
    Real::sigmoid(x)
}

/// σ′(x) = σ(x) (1 − σ(x))
pub fn sigmoid_derivative(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}

/// σ(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
pub fn tanh(x: f64) -> f64 {
    x.tanh()
}

/// σ′(x) = 1 − σ(x)²
pub fn tanh_derivative(x: f64) -> f64 {
    1.0 - x.tanh() * x.tanh()
}

/// σ(x) = max(0, x)
pub fn relu(x: f64) -> f64 {
    if x > 0.0 || x.is_nan() { x } else { 0.0 }
}

/// σ′(x) = 1 for x > 0, else 0
pub fn relu_derivative(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}

/// σ(x) = x for x > 0, else slope · x
pub fn leaky_relu(x: f64, slope: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}

/// σ′(x) = 1 for x > 0, else slope
pub fn leaky_relu_derivative(x: f64, slope: f64) -> f64 {
    if x > 0.0 { 1.0 } else { slope }
}

/// σ(x) = ln(1 + eˣ)
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// σ′(x) = 1 / (1 + e⁻ˣ)
pub fn softplus_derivative(x: f64) -> f64 {
    sigmoid(x)
}

/// σ(x) = x s(x), s the sigmoid
pub fn silu(x: f64) -> f64 {
    x * sigmoid(x)
}

/// σ′(x) = s(x) (1 + x s(−x)), s the sigmoid
pub fn silu_derivative(x: f64) -> f64 {
    sigmoid(x) * (1.0 + x * sigmoid(-x))
}
