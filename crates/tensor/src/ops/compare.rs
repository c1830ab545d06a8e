//! Comparisons, element by element: 1 where they hold, else 0. They are constant almost everywhere, so untracked.

use striate_compute::Real;

use crate::array::Array;
use crate::shape::{broadcast, expect};
use crate::tensor::Tensor;

impl<E: Real> From<f64> for Tensor<E> {
    /// A tensor without axes, which broadcasts to any shape.
    fn from(number: f64) -> Self {
        Tensor::scalar(number)
    }
}

impl<E: Real> From<&Tensor<E>> for Tensor<E> {
    /// Another handle on the same tensor.
    fn from(tensor: &Tensor<E>) -> Self {
        tensor.clone()
    }
}

/// How close is close: |a − b| ≤ `atol` + `rtol` · |b|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CloseOptions {
    /// Tolerance relative to |b|.
    pub rtol: f64,
    /// Absolute tolerance.
    pub atol: f64,
}

impl Default for CloseOptions {
    /// PyTorch's: 10⁻⁵ and 10⁻⁸.
    fn default() -> Self {
        CloseOptions { rtol: 1e-5, atol: 1e-8 }
    }
}

/// 1 where `holds`, else 0.
#[inline(always)]
pub(super) fn indicator<E: Real>(holds: bool) -> E {
    if holds { E::one() } else { E::zero() }
}

#[track_caller]
fn compare<E: Real>(
    op: &'static str,
    a: &Tensor<E>,
    b: Tensor<E>,
    holds: impl Fn(E, E) -> bool + Sync + Send,
) -> Tensor<E> {
    let (a, b) = (a.array(), b.array());
    let shape = expect(broadcast(op, a.shape(), b.shape()));
    Array::zip_to(
        &shape,
        &a,
        &b,
        #[inline(always)]
        |a, b| indicator(holds(a, b)),
    )
    .into()
}

impl<E: Real> Tensor<E> {
    /// 1 where a = b, else 0.
    ///
    /// Shapes broadcast; `other` is a tensor or a number. The result is untracked. NaN equals nothing.
    /// PyTorch's `torch.eq`.
    ///
    /// # Panics
    /// When the shapes do not broadcast; so do all comparisons.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1.0f32, 2.0]);
    /// assert_eq!(x.eq(2.0).to_vec(), [0.0, 1.0]);
    /// assert_eq!(x.eq(&x).to_vec(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn eq(&self, other: impl Into<Self>) -> Self {
        compare("eq", self, other.into(), |a, b| a == b)
    }

    /// 1 where a ≠ b, else 0, as [`Tensor::eq`] otherwise. PyTorch's `torch.ne`.
    #[track_caller]
    pub fn ne(&self, other: impl Into<Self>) -> Self {
        compare("ne", self, other.into(), |a, b| a != b)
    }

    /// 1 where a < b, else 0, as [`Tensor::eq`] otherwise. PyTorch's `torch.lt`.
    #[track_caller]
    pub fn lt(&self, other: impl Into<Self>) -> Self {
        compare("lt", self, other.into(), |a, b| a < b)
    }

    /// 1 where a ≤ b, else 0, as [`Tensor::eq`] otherwise. PyTorch's `torch.le`.
    #[track_caller]
    pub fn le(&self, other: impl Into<Self>) -> Self {
        compare("le", self, other.into(), |a, b| a <= b)
    }

    /// 1 where a > b, else 0, as [`Tensor::eq`] otherwise. PyTorch's `torch.gt`.
    #[track_caller]
    pub fn gt(&self, other: impl Into<Self>) -> Self {
        compare("gt", self, other.into(), |a, b| a > b)
    }

    /// 1 where a ≥ b, else 0, as [`Tensor::eq`] otherwise. PyTorch's `torch.ge`.
    #[track_caller]
    pub fn ge(&self, other: impl Into<Self>) -> Self {
        compare("ge", self, other.into(), |a, b| a >= b)
    }

    /// 1 where x is not a number, else 0. PyTorch's `torch.isnan`.
    pub fn is_nan(&self) -> Self {
        self.array().map(|x| indicator(x.is_nan())).into()
    }

    /// 1 where x is neither infinite nor NaN, else 0. PyTorch's `torch.isfinite`.
    pub fn is_finite(&self) -> Self {
        self.array().map(|x| indicator(x.abs() < E::INFINITY)).into()
    }

    /// Whether |a − b| ≤ `atol` + `rtol` · |b| everywhere. NaN is close to nothing, an infinity to itself.
    ///
    /// Shapes broadcast. PyTorch's `torch.allclose`.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use striate_tensor::{ops::CloseOptions, Tensor};
    /// let x = Tensor::from_slice(&[1.0f32, 2.0]);
    /// assert!(x.all_close(&(&x + 1e-6), CloseOptions::default()));
    /// assert!(!x.all_close(&(&x + 1e-3), CloseOptions::default()));
    /// ```
    #[track_caller]
    pub fn all_close(&self, other: &Self, options: CloseOptions) -> bool {
        let (rtol, atol) = (E::of(options.rtol), E::of(options.atol));
        let close = |a: E, b: E| a == b || ((a - b).abs() <= atol + rtol * b.abs() && b.abs() < E::INFINITY);
        let far = compare("all_close", self, other.clone(), |a, b| !close(a, b));
        far.array().as_slice().is_some_and(|far| far.iter().all(|&far| far == E::zero()))
    }
}
