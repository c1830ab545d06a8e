//! Activations that pass positive numbers on, and what each does with the others.

use striate_compute::Real;

use super::compare::indicator;
use super::pointwise::{Pointwise, Reads, pointwise};
use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{ShapeError, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = max(x, 0), dy/dx = 1 where y > 0, else 0
#[derive(Clone, Copy)]
struct Relu;

impl<E: Real> Pointwise<E> for Relu {
    const NAME: &'static str = "relu";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.maximum(E::zero())
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        indicator(y > E::zero())
    }

    #[inline(always)]
    fn pass(&self, y: E, dy: E) -> E {
        if y > E::zero() { dy } else { E::zero() }
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y.gt(0.0)
    }
}

/// y = min(max(x, 0), 6), dy/dx = 1 where 0 < y < 6, else 0
#[derive(Clone, Copy)]
struct Relu6;

impl<E: Real> Pointwise<E> for Relu6 {
    const NAME: &'static str = "relu6";
    const READS: Reads = Reads::Output;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.maximum(E::zero()).minimum(E::of(6.0))
    }

    #[inline(always)]
    fn df(&self, y: E) -> E {
        self.pass(y, E::one())
    }

    #[inline(always)]
    fn pass(&self, y: E, dy: E) -> E {
        if y > E::zero() && y < E::of(6.0) { dy } else { E::zero() }
    }

    fn df_tensor(&self, y: &Tensor<E>) -> Tensor<E> {
        y.gt(0.0) * y.lt(6.0)
    }
}

/// y = x where x > 0, else slope · x; dy/dx = 1 or slope
#[derive(Clone, Copy)]
struct LeakyRelu {
    slope: f64,
}

impl<E: Real> Pointwise<E> for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        self.pass(x, x)
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        self.pass(x, E::one())
    }

    #[inline(always)]
    fn pass(&self, x: E, dy: E) -> E {
        if x > E::zero() { dy } else { E::of(self.slope) * dy }
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        x.gt(0.0) * (1.0 - self.slope) + self.slope
    }
}

/// y = x where x > 0, else α (eˣ − 1); dy/dx = 1 or α eˣ
#[derive(Clone, Copy)]
struct Elu {
    alpha: f64,
}

impl<E: Real> Pointwise<E> for Elu {
    const NAME: &'static str = "elu";
    const READS: Reads = Reads::Input;

    #[inline(always)]
    fn f(&self, x: E) -> E {
        x.maximum(E::zero()) + E::of(self.alpha) * x.minimum(E::zero()).exp_m1()
    }

    #[inline(always)]
    fn df(&self, x: E) -> E {
        let below = E::of(self.alpha) * x.minimum(E::zero()).exp();
        if x > E::zero() { E::one() } else { below }
    }

    fn df_tensor(&self, x: &Tensor<E>) -> Tensor<E> {
        // Where x > 0 the exponential is of 0, so that it stays finite.
        x.gt(0.0) + (x * x.le(0.0)).exp() * x.le(0.0) * self.alpha
    }
}

/// y = x where x > 0, else slope · x; dx = dy or slope · dy, dslope = Σ dy · x where x ≤ 0
struct Prelu;

impl<E: Real> Op<E> for Prelu {
    const NAME: &'static str = "prelu";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let (x, slope) = (&x[0], &x[1]);
        let y = Array::zip_to(x.shape(), x, slope, |x, slope| if x > E::zero() { x } else { slope * x });
        ([y].into(), keep.then(|| [x.clone(), slope.clone()]))
    }

    fn backward(&self, [x, slope]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        if dx.wants(0) {
            let passed =
                Array::zip_to(x.shape(), x, slope, |x, slope| if x > E::zero() { E::one() } else { slope });
            dx.add(0, passed.zip(dy, |passed, dy| passed * dy));
        }
        if dx.wants(1) {
            let dslope = x.zip(dy, |x, dy| if x > E::zero() { E::zero() } else { x * dy });
            dx.add(1, dslope.sum_to(slope.shape()));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (x, slope, dy) = (&x[0], &x[1], dy[0].as_ref()?);
        let dx = dy * (x.gt(0.0) + slope * x.le(0.0));
        Some(vec![Some(dx), Some((dy * x * x.le(0.0)).sum_to(slope.shape()))])
    }
}

/// The slopes of [`Tensor::prelu`] as they align with x: along axis 1, where the channels are.
fn slope_shape(x: &[usize], slope: &[usize]) -> Result<Vec<isize>, ShapeError> {
    let channels = x.get(1).copied().unwrap_or(1);
    match *slope {
        [] | [1] => Ok(vec![]),
        [n] if n == channels => {
            let axes = 1..x.len();
            Ok(axes.map(|axis| if axis == 1 { n as isize } else { 1 }).collect())
        }
        _ => Err(ShapeError::new(
            "prelu",
            format!("needs one slope, or one for each of {channels} channels"),
            &[("x", x), ("slope", slope)],
        )),
    }
}

impl<E: Real> Tensor<E> {
    /// The rectifier: every element where it is positive, else 0.
    ///
    /// y = max(x, 0), dy/dx = 1 where x > 0, else 0 (also at 0); NaN stays NaN. Any shape. PyTorch's `torch.relu`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-2.0f32, 2.0]).relu().to_vec(), [0.0, 2.0]);
    /// ```
    pub fn relu(&self) -> Self {
        pointwise(Relu, self)
    }

    /// The rectifier with a ceiling of 6.
    ///
    /// y = min(max(x, 0), 6), dy/dx = 1 where 0 < x < 6, else 0. Any shape. PyTorch's `torch.nn.functional.relu6`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-2.0f32, 2.0, 8.0]).relu6().to_vec(), [0.0, 2.0, 6.0]);
    /// ```
    pub fn relu6(&self) -> Self {
        pointwise(Relu6, self)
    }

    /// The rectifier with a small slope for negative elements; PyTorch's default is 0.01.
    ///
    /// y = x where x > 0, else slope · x; dy/dx = 1 or slope. Any shape.
    /// PyTorch's `torch.nn.functional.leaky_relu(x, slope)`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-2.0f32, 2.0]).leaky_relu(0.5).to_vec(), [-1.0, 2.0]);
    /// ```
    pub fn leaky_relu(&self, slope: f64) -> Self {
        pointwise(LeakyRelu { slope }, self)
    }

    /// The exponential linear unit; PyTorch's default is α = 1.
    ///
    /// y = x where x > 0, else α (eˣ − 1); dy/dx = 1 or α eˣ. Any shape. PyTorch's `torch.nn.functional.elu(x, alpha)`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[-1e4f32, 2.0]).elu(1.0).to_vec(), [-1.0, 2.0]);
    /// ```
    pub fn elu(&self, alpha: f64) -> Self {
        pointwise(Elu { alpha }, self)
    }

    /// The rectifier with learnt slopes for negative elements.
    ///
    /// y = x where x > 0, else slope · x; dx = dy or slope · dy, dslope = Σ dy · x where x ≤ 0.
    /// x: any shape; slope: one number, or one for each channel (axis 1 of x). PyTorch's `torch.nn.functional.prelu`.
    ///
    /// # Panics
    /// When the number of slopes is neither 1 nor that of the channels.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[1, 2], vec![-2.0f32, -2.0]);
    /// assert_eq!(x.prelu(&Tensor::from_slice(&[0.25, 0.5])).to_vec(), [-0.5, -1.0]);
    /// ```
    #[track_caller]
    pub fn prelu(&self, slope: &Self) -> Self {
        let aligned = expect(slope_shape(self.shape(), slope.shape()));
        apply(Prelu, &[self, &slope.reshape(&aligned)])
    }
}
