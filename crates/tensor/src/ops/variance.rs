//! Variance and standard deviation.

use striate_compute::Real;

use super::pointwise::{Pointwise, Reads, pointwise};
use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::reduce;
use crate::shape::{self, Dims, elements, expect, reduced};
use crate::tape::apply;
use crate::tensor::Tensor;

/// How to estimate a variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarOptions {
    /// What is subtracted from the count n in the divisor: 1 for a sample's unbiased estimate, 0 for the biased one.
    pub correction: f64,
    /// Whether the axes stay, with length 1.
    pub keepdim: bool,
}

impl Default for VarOptions {
    /// Unbiased; the axes vanish.
    fn default() -> Self {
        VarOptions { correction: 1.0, keepdim: false }
    }
}

/// y = Σ (x − x̄)² / (n − c) along axes; dx = dy · 2 (x − x̄) / (n − c)
struct Var {
    axes: Dims,
    options: VarOptions,
}

impl Var {
    fn kept(&self, x: &[usize]) -> Dims {
        reduced(x, &self.axes, true)
    }

    fn count(&self, x: &[usize]) -> f64 {
        elements(&self.axes.iter().map(|&axis| x[axis]).collect::<Dims>()) as f64
    }

    /// 1 / (n − c), infinite where too few elements leave no estimate.
    fn scale(&self, x: &[usize]) -> f64 {
        1.0 / (self.count(x) - self.options.correction).max(0.0)
    }
}

impl<E: Real> Op<E> for Var {
    const NAME: &'static str = "var";
    /// x and x̄
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let x = &x[0];
        let shape = x.shape();
        let (count, scale) = (E::of(self.count(shape)), E::of(self.scale(shape)));
        let mean = reduce::sum(x, &self.axes).map(move |sum| sum / count).reshape(&self.kept(shape));
        let squares = Array::zip_to(shape, x, &mean, |x, mean| (x - mean) * (x - mean));
        let y = reduce::sum(&squares, &self.axes).map(move |sum| sum * scale);
        let y = y.reshape(&reduced(shape, &self.axes, self.options.keepdim));
        ([y].into(), keep.then(|| [x.clone(), mean]))
    }

    fn backward(&self, [x, mean]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let scale = E::of(2.0 * self.scale(x.shape()));
        let dy = dy.reshape(mean.shape()).map(move |dy| scale * dy);
        let centred = Array::zip_to(x.shape(), x, mean, |x, mean| x - mean);
        dx.add(0, Array::zip_to(x.shape(), &centred, &dy, |x, dy| x * dy));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let x = &x[0];
        let axes: Vec<isize> = self.axes.iter().map(|&axis| axis as isize).collect();
        let centred = x - x.mean_dim(&axes, true);
        let dy = dy[0].as_ref()?.reshape_to(&self.kept(x.shape())) * (2.0 * self.scale(x.shape()));
        Some(vec![Some(centred * dy)])
    }
}

/// y = √variance, dy/dvariance = 1 / (2y), or 0 where y = 0
#[derive(Clone, Copy)]
struct Std;

impl<E: Real> Pointwise<E> for Std {
    const NAME: &'static str = "std";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, variance: E) -> E {
        variance.sqrt()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        if y == E::zero() { y } else { E::one() / (y + y) }
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        // Where y = 0, 1 / 1 · 0.
        (y * 2.0 + y.eq(0.0)).reciprocal() * y.ne(0.0)
    }
}

impl<E: Real> Tensor<E> {
    /// The unbiased variance of all elements, a tensor without axes; see [`Tensor::var_dim`].
    pub fn var(&self) -> Self {
        self.var_dim(&[], VarOptions::default())
    }

    /// The variance along `axes` (all when empty).
    ///
    /// y = Σ (x − x̄)² / (n − c), dx = dy · 2 (x − x̄) / (n − c) with n the number of elements that each y comes from
    /// and c the correction; NaN when n ≤ c. PyTorch's `torch.var(x, dim, correction, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice.
    ///
    /// ```
    /// # use striate_tensor::{ops::VarOptions, Tensor};
    /// let x = Tensor::from_vec(&[1, 3], vec![1.0f32, 2.0, 3.0]);
    /// assert_eq!(x.var_dim(&[1], VarOptions::default()).to_vec(), [1.0]);
    /// let biased = VarOptions { correction: 0.0, ..Default::default() };
    /// assert_eq!(x.var_dim(&[1], biased).to_vec(), [2.0 / 3.0]);
    /// ```
    #[track_caller]
    pub fn var_dim(&self, axes: &[isize], options: VarOptions) -> Self {
        let axes = expect(shape::axes("var", axes, self.shape()));
        apply(Var { axes, options }, &[self])
    }

    /// The unbiased standard deviation of all elements, a tensor without axes; see [`Tensor::std_dim`].
    pub fn std(&self) -> Self {
        self.std_dim(&[], VarOptions::default())
    }

    /// The standard deviation along `axes` (all when empty): the square root of [`Tensor::var_dim`].
    ///
    /// y = √(Σ (x − x̄)² / (n − c)), dx = dy · (x − x̄) / ((n − c) y), 0 where y = 0.
    /// PyTorch's `torch.std(x, dim, correction, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice.
    ///
    /// ```
    /// # use striate_tensor::{ops::VarOptions, Tensor};
    /// let x = Tensor::from_vec(&[1, 3], vec![1.0f32, 3.0, 5.0]);
    /// assert_eq!(x.std_dim(&[1], VarOptions::default()).to_vec(), [2.0]);
    /// ```
    #[track_caller]
    pub fn std_dim(&self, axes: &[isize], options: VarOptions) -> Self {
        pointwise(Std, &self.var_dim(axes, options))
    }
}
