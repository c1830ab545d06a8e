//! Activations that saturate: tanh, the logistic function, and its integral and logarithm.

use striate_compute::Real;

use super::pointwise::{Pointwise, Reads, pointwise};
use crate::tensor::Tensor;

/// y = tanh x, dy/dx = 1 − y²
#[derive(Clone, Copy)]
struct Tanh;

impl<E: Real> Pointwise<E> for Tanh {
    const NAME: &'static str = "tanh";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.tanh()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        E::one() - y * y
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        -y.square() + 1.0
    }
}

/// y = 1 / (1 + e⁻ˣ), dy/dx = y (1 − y)
#[derive(Clone, Copy)]
struct Sigmoid;

impl<E: Real> Pointwise<E> for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.sigmoid()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        y * (E::one() - y)
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y * (-y + 1.0)
    }
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)), where nothing overflows
#[inline(always)]
fn softplus<E: Real>(x: E) -> E {
    x.maximum(E::zero()) + (-x.abs()).exp().ln_1p()
}

/// y = ln(1 + eˣ), dy/dx = σ(x)
#[derive(Clone, Copy)]
struct Softplus;

impl<E: Real> Pointwise<E> for Softplus {
    const NAME: &'static str = "softplus";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        softplus(x)
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        x.sigmoid()
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.sigmoid()
    }
}

/// y = ln σ(x) = −ln(1 + e⁻ˣ), dy/dx = σ(−x)
#[derive(Clone, Copy)]
struct LogSigmoid;

impl<E: Real> Pointwise<E> for LogSigmoid {
    const NAME: &'static str = "log_sigmoid";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        -softplus(-x)
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        (-x).sigmoid()
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        (-x).sigmoid()
    }
}

/// y = min(max(x / 6 + ½, 0), 1), dy/dx = ⅙ where −3 < x < 3, else 0
#[derive(Clone, Copy)]
struct HardSigmoid;

impl<E: Real> Pointwise<E> for HardSigmoid {
    const NAME: &'static str = "hard_sigmoid";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        (x + E::of(3.0)).maximum(E::zero()).minimum(E::of(6.0)) / E::of(6.0)
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        self.pass(x, E::one())
    }

    #[inline(always)]
    fn pass(&self, x: E, dy: E) -> E {
        if x.abs() < E::of(3.0) { dy / E::of(6.0) } else { E::zero() }
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.abs().lt(3.0) / 6.0
    }
}

impl<E: Real> Tensor<E> {
    /// The hyperbolic tangent of every element.
    ///
    /// y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), dy/dx = 1 − y². Any shape. PyTorch's `torch.tanh`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32, -1e4]).tanh().to_vec(), [0.0, -1.0]);
    /// ```
    pub fn tanh(&self) -> Self {
        pointwise(Tanh, self)
    }

    /// The logistic function of every element.
    ///
    /// y = σ(x) = 1 / (1 + e⁻ˣ), dy/dx = y (1 − y). Any shape. PyTorch's `torch.sigmoid`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[0.0f32, -1e4]).sigmoid().to_vec(), [0.5, 0.0]);
    /// ```
    pub fn sigmoid(&self) -> Self {
        pointwise(Sigmoid, self)
    }

    /// The logarithm of the logistic function of every element, finite where σ itself is 0.
    ///
    /// y = ln σ(x) = −ln(1 + e⁻ˣ), dy/dx = σ(−x). Any shape. PyTorch's `torch.nn.functional.logsigmoid`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-1e4f32, 1e4]).log_sigmoid().to_vec(), [-1e4, 0.0]);
    /// ```
    pub fn log_sigmoid(&self) -> Self {
        pointwise(LogSigmoid, self)
    }

    /// The smooth form of [`Tensor::relu`].
    ///
    /// y = ln(1 + eˣ), dy/dx = σ(x). Any shape. PyTorch's `torch.nn.functional.softplus`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-1e4f32, 1e4]).softplus().to_vec(), [0.0, 1e4]);
    /// ```
    pub fn softplus(&self) -> Self {
        pointwise(Softplus, self)
    }

    /// The logistic function in three straight pieces.
    ///
    /// y = min(max(x + 3, 0), 6) / 6, dy/dx = ⅙ where −3 < x < 3, else 0. Any shape.
    /// PyTorch's `torch.nn.functional.hardsigmoid`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-4.0f32, 0.0, 4.0]).hard_sigmoid().to_vec(), [0.0, 0.5, 1.0]);
    /// ```
    pub fn hard_sigmoid(&self) -> Self {
        pointwise(HardSigmoid, self)
    }
}
