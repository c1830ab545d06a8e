//! Norms of vectors.

use striate_compute::Real;

use super::compare::indicator;
use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::reduce;
use crate::shape::{self, Dims, expect, reduced};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = (Σ |x|ᵖ)^(1/p) along axes; dx = dy · sign x · (|x| / y)ᵖ⁻¹, 0 where x = 0 or y = 0
struct Norm {
    p: f64,
    axes: Dims,
    keepdim: bool,
}

impl<E: Real> Op<E> for Norm {
    const NAME: &'static str = "norm";
    /// x and y, with the axes kept
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let x = &x[0];
        let p = E::of(self.p);
        let y = if self.p == 2.0 {
            reduce::sum(&x.map(|x| x * x), &self.axes).map(E::sqrt)
        } else {
            let root = E::of(1.0 / self.p);
            reduce::sum(&x.map(move |x| x.abs().powf(p)), &self.axes).map(move |sum| sum.powf(root))
        };
        let saved = keep.then(|| [x.clone(), y.reshape(&reduced(x.shape(), &self.axes, true))]);
        ([y.reshape(&reduced(x.shape(), &self.axes, self.keepdim))].into(), saved)
    }

    fn backward(&self, [x, y]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let zero = |x: E, y: E| x == E::zero() || y == E::zero();
        let slope = if self.p == 2.0 {
            Array::zip_to(x.shape(), x, y, |x, y| if zero(x, y) { E::zero() } else { x / y })
        } else {
            let power = E::of(self.p - 1.0);
            Array::zip_to(x.shape(), x, y, move |x, y| {
                let size = (x.abs() / y).powf(power);
                if zero(x, y) {
                    E::zero()
                } else {
                    size * (E::of(2.0) * indicator::<E>(x > E::zero()) - E::one())
                }
            })
        };
        dx.add(0, Array::zip_to(x.shape(), &slope, &dy.reshape(y.shape()), |slope, dy| slope * dy));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let x = &x[0];
        let y = y[0].reshape_to(&reduced(x.shape(), &self.axes, true));
        let dy = dy[0].as_ref()?.reshape_to(y.shape());
        // 1 in place of 0 keeps the quotients finite; the sign is 0 there.
        let y = &y + y.eq(0.0);
        let size = ((x.abs() + x.eq(0.0)) / y).powf(self.p - 1.0);
        Some(vec![Some(x.sign() * size * dy)])
    }
}

impl<E: Real> Tensor<E> {
    /// The Euclidean norm of all elements, a tensor without axes; see [`Tensor::norm_dim`].
    pub fn norm(&self) -> Self {
        self.norm_dim(2.0, &[], false)
    }

    /// The p-norm along `axes` (all when empty).
    ///
    /// y = (Σ |x|ᵖ)^(1/p), dx = dy · sign x · (|x| / y)ᵖ⁻¹, 0 where x = 0. For p = ∞, y = max |x|, for p = −∞,
    /// y = min |x|, and elements that share an extremum share its gradient; for p = 0, y counts the elements that
    /// are not 0, and is untracked. With `keepdim` the axes stay with length 1.
    /// PyTorch's `torch.linalg.vector_norm(x, ord, dim, keepdim)`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice, or is empty and p infinite.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_slice(&[3.0f32, -4.0]);
    /// assert_eq!(x.norm_dim(2.0, &[0], false).item(), 5.0);
    /// assert_eq!(x.norm_dim(1.0, &[0], false).item(), 7.0);
    /// assert_eq!(x.norm_dim(f64::INFINITY, &[0], false).item(), 4.0);
    /// ```
    #[track_caller]
    pub fn norm_dim(&self, p: f64, axes: &[isize], keepdim: bool) -> Self {
        match p {
            0.0 => self.ne(0.0).sum_dim(axes, keepdim),
            1.0 => self.abs().sum_dim(axes, keepdim),
            f64::INFINITY => self.abs().amax(axes, keepdim),
            f64::NEG_INFINITY => self.abs().amin(axes, keepdim),
            _ => {
                let axes = expect(shape::axes("norm", axes, self.shape()));
                apply(Norm { p, axes, keepdim }, &[self])
            }
        }
    }
}
