//! Powers, roots and reciprocals.

use striate_compute::Real;

use super::pointwise::{Pointwise, Reads, pointwise};
use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{broadcast, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = x², dy/dx = 2x
#[derive(Clone, Copy)]
struct Square;

impl<E: Real> Pointwise<E> for Square {
    const NAME: &'static str = "square";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x * x
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        x + x
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x * 2.0
    }
}

/// y = √x, dy/dx = 1 / (2y)
#[derive(Clone, Copy)]
struct Sqrt;

impl<E: Real> Pointwise<E> for Sqrt {
    const NAME: &'static str = "sqrt";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.sqrt()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        E::one() / (y + y)
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y.reciprocal() * 0.5
    }
}

/// y = 1 / √x, dy/dx = −y³ / 2
#[derive(Clone, Copy)]
struct Rsqrt;

impl<E: Real> Pointwise<E> for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        E::one() / x.sqrt()
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        E::of(-0.5) * y * y * y
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y.square() * y * -0.5
    }
}

/// y = 1 / x, dy/dx = −y²
#[derive(Clone, Copy)]
struct Reciprocal;

impl<E: Real> Pointwise<E> for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        E::one() / x
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        -y * y
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        -y.square()
    }
}

/// y = xᵖ, dy/dx = p · xᵖ⁻¹
#[derive(Clone, Copy)]
struct Power(f64);

impl<E: Real> Pointwise<E> for Power {
    const NAME: &'static str = "powf";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.powf(E::of(self.0))
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        if self.0 == 0.0 { E::zero() } else { E::of(self.0) * x.powf(E::of(self.0 - 1.0)) }
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        if self.0 == 0.0 { Tensor::zeros(x.shape()) } else { x.powf(self.0 - 1.0) * self.0 }
    }
}

/// y = aᵇ; da = dy · b · aᵇ⁻¹ (0 where b = 0), db = dy · y · ln a (0 where a = 0 ≤ b)
struct Pow;

impl<E: Real> Op<E> for Pow {
    const NAME: &'static str = "pow";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let (a, b) = (&x[0], &x[1]);
        let shape = expect(broadcast("pow", a.shape(), b.shape()));
        ([Array::zip_to(&shape, a, b, E::powf)].into(), keep.then(|| [a.clone(), b.clone()]))
    }

    fn backward(&self, [a, b]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        if dx.wants(0) {
            let da =
                Array::zip_to(
                    dy.shape(),
                    a,
                    b,
                    |a, b| {
                        if b == E::zero() { b } else { b * a.powf(b - E::one()) }
                    },
                );
            dx.add(0, da.zip(dy, |da, dy| da * dy).sum_to(a.shape()));
        }
        if dx.wants(1) {
            let db = Array::zip_to(dy.shape(), a, b, |a, b| {
                if a == E::zero() && b >= E::zero() { E::zero() } else { a.powf(b) * a.ln() }
            });
            dx.add(1, db.zip(dy, |db, dy| db * dy).sum_to(b.shape()));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (a, b, dy) = (&x[0], &x[1], dy[0].as_ref()?);
        // Where a factor is 0 anyway, keep the other one finite.
        let da = dy * b * a.pow(&(b - 1.0 + b.eq(0.0)));
        let db = dy * &y[0] * (a + a.eq(0.0) * b.ge(0.0)).log();
        Some(vec![Some(da.sum_to(a.shape())), Some(db.sum_to(b.shape()))])
    }
}

impl<E: Real> Tensor<E> {
    /// The square of every element.
    ///
    /// y = x², dy/dx = 2x. Any shape. PyTorch's `torch.square`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-3.0f32]).square().to_vec(), [9.0]);
    /// ```
    pub fn square(&self) -> Self {
        pointwise(Square, self)
    }

    /// The square root of every element: NaN below 0, an infinite gradient at 0.
    ///
    /// y = √x, dy/dx = 1 / (2y). Any shape. PyTorch's `torch.sqrt`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[9.0f32]).sqrt().to_vec(), [3.0]);
    /// ```
    pub fn sqrt(&self) -> Self {
        pointwise(Sqrt, self)
    }

    /// The reciprocal of the square root of every element.
    ///
    /// y = 1 / √x, dy/dx = −y³ / 2. Any shape. PyTorch's `torch.rsqrt`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[4.0f32]).rsqrt().to_vec(), [0.5]);
    /// ```
    pub fn rsqrt(&self) -> Self {
        pointwise(Rsqrt, self)
    }

    /// The reciprocal of every element.
    ///
    /// y = 1 / x, dy/dx = −y². Any shape. PyTorch's `torch.reciprocal`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[4.0f32]).reciprocal().to_vec(), [0.25]);
    /// ```
    pub fn reciprocal(&self) -> Self {
        pointwise(Reciprocal, self)
    }

    /// Every element to the power of a number: NaN for a negative element and a fractional power.
    ///
    /// y = xᵖ, dy/dx = p · xᵖ⁻¹ (0 for p = 0). Any shape. The powers 1, 2, ½, −½ and −1 cost no more than
    /// [`Tensor::square`] and its like. PyTorch's `torch.pow(x, p)`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[2.0f32]).powf(3.0).to_vec(), [8.0]);
    /// ```
    pub fn powf(&self, p: f64) -> Self {
        match p {
            1.0 => self.clone(),
            2.0 => self.square(),
            0.5 => self.sqrt(),
            -0.5 => self.rsqrt(),
            -1.0 => self.reciprocal(),
            _ => pointwise(Power(p), self),
        }
    }

    /// Every element to the power of another tensor's.
    ///
    /// y = aᵇ, ∂y/∂a = b · aᵇ⁻¹ (0 where b = 0), ∂y/∂b = aᵇ · ln a (0 where a = 0 ≤ b).
    /// Shapes broadcast. PyTorch's `torch.pow(a, b)`.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let y = Tensor::from_slice(&[2.0f32, 3.0]).pow(&Tensor::from_slice(&[3.0, 2.0]));
    /// assert_eq!(y.to_vec(), [8.0, 9.0]);
    /// ```
    #[track_caller]
    pub fn pow(&self, exponent: &Self) -> Self {
        apply(Pow, &[self, exponent])
    }
}
