//! Elements chosen by a mask: where, masked_fill, tril, triu.

use ndarray::{ArrayRef, Dimension};
use striate_compute::Real;

use crate::array::{Array, rows};
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, ShapeError, broadcast, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y = mask ≠ 0 ? a : b; da = mask ≠ 0 ? dy : 0, db = mask ≠ 0 ? 0 : dy
struct Where<E: Real> {
    mask: Array<E>,
    shape: Dims,
}

/// mask ≠ 0 ? a : b, all broadcast to `shape`.
fn choose<E: Real>(shape: &[usize], mask: &Array<E>, a: &Array<E>, b: &Array<E>) -> Array<E> {
    let pick = |mask: E, a: E, b: E| if mask != E::zero() { a } else { b };
    let [mask, a, b] = [mask, a, b].map(|x| x.broadcast_to(shape));
    Array::build(shape, |y| {
        rows(shape, [&mask, &a, &b], y, |[mask, a, b], steps, y| match steps {
            [1, 1, 1] => {
                y.iter_mut().zip(mask).zip(a).zip(b).for_each(|(((y, &m), &a), &b)| *y = pick(m, a, b))
            }
            [1, 1, 0] => y.iter_mut().zip(mask).zip(a).for_each(|((y, &m), &a)| *y = pick(m, a, b[0])),
            [1, 0, 1] => y.iter_mut().zip(mask).zip(b).for_each(|((y, &m), &b)| *y = pick(m, a[0], b)),
            [r, p, q] => {
                y.iter_mut().enumerate().for_each(|(i, y)| *y = pick(mask[i * r], a[i * p], b[i * q]));
            }
        });
    })
}

impl<E: Real> Op<E> for Where<E> {
    const NAME: &'static str = "where_";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([choose(&self.shape, &self.mask, &x[0], &x[1])].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let zero = Array::full(&self.shape, E::zero());
        if dx.wants(0) {
            dx.add(0, choose(&self.shape, &self.mask, dy, &zero).sum_to(dx.shape(0)));
        }
        if dx.wants(1) {
            dx.add(1, choose(&self.shape, &self.mask, &zero, dy).sum_to(dx.shape(1)));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (dy, zero) = (dy[0].as_ref()?, Tensor::scalar(0.0));
        let mask = Tensor::from(self.mask.clone());
        let da = dy.where_(&mask, &zero).sum_to(x[0].shape());
        let db = zero.where_(&mask, dy).sum_to(x[1].shape());
        Some(vec![Some(da), Some(db)])
    }
}

impl<E: Real> Tensor<E> {
    /// A mask from truth values: 1 where true, 0 where false, a constant.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::<f32>::mask(&ndarray::array![true, false]).to_vec(), [1.0, 0.0]);
    /// ```
    pub fn mask<D: Dimension>(values: &ArrayRef<bool, D>) -> Self {
        values.mapv(|value| if value { E::one() } else { E::zero() }).into()
    }

    /// The elements of this where `mask` is not 0, of `other` where it is 0; all three broadcast.
    ///
    /// y = mask ≠ 0 ? x : other; dx = mask ≠ 0 ? dy : 0, dother = mask ≠ 0 ? 0 : dy. An element that is not chosen
    /// has gradient 0, be it infinite or NaN. The mask is a constant. PyTorch's `x.where(mask, other)`.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let (x, mask) = (Tensor::from_slice(&[1.0f32, 2.0]), Tensor::from_slice(&[0.0f32, 1.0]));
    /// assert_eq!(x.where_(&mask, &Tensor::scalar(-1.0)).to_vec(), [-1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn where_(&self, mask: &Self, other: &Self) -> Self {
        let shape = expect(broadcast("where_", self.shape(), other.shape()));
        let shape = expect(broadcast("where_", &shape, mask.shape()));
        apply(Where { mask: mask.array(), shape }, &[self, other])
    }

    /// This with `value` where `mask`, which broadcasts to this, is not 0; dx = 0 there. PyTorch's `masked_fill`.
    ///
    /// # Panics
    /// When the mask does not broadcast to the shape of x.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let scores = Tensor::from_slice(&[1.0f32, 2.0]);
    /// let future = Tensor::mask(&ndarray::array![false, true]);
    /// assert_eq!(scores.masked_fill(&future, f64::NEG_INFINITY).to_vec(), [1.0, f32::NEG_INFINITY]);
    /// ```
    #[track_caller]
    pub fn masked_fill(&self, mask: &Self, value: f64) -> Self {
        if shape::expand(mask.shape(), self.shape()).is_err() {
            let operands = [("x", self.shape()), ("mask", mask.shape())];
            expect::<()>(Err(ShapeError::new("masked_fill", "the mask must broadcast to x", &operands)));
        }
        Tensor::scalar(value).where_(mask, self)
    }

    /// The last two axes with zeros above a diagonal: the main one for 0, higher ones for positive `diagonal`.
    ///
    /// y[…, i, j] = j − i ≤ diagonal ? x[…, i, j] : 0; dx = tril(dy). PyTorch's `tril`.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::<f32>::ones(&[2, 2]).tril(0).to_vec(), [1.0, 0.0, 1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Self {
        self.triangle("tril", |i, j| j.saturating_sub(i) <= diagonal)
    }

    /// The last two axes with zeros below a diagonal: the main one for 0, higher ones for positive `diagonal`.
    ///
    /// y[…, i, j] = j − i ≥ diagonal ? x[…, i, j] : 0; dx = triu(dy). PyTorch's `triu`.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Self {
        self.triangle("triu", |i, j| j.saturating_sub(i) >= diagonal)
    }

    #[track_caller]
    fn triangle(&self, op: &'static str, keep: impl Fn(isize, isize) -> bool) -> Self {
        let &[.., rows, columns] = self.shape() else {
            return expect(Err(ShapeError::new(op, "needs two axes", &[("x", self.shape())])));
        };
        let mask = ndarray::Array2::from_shape_fn((rows, columns), |(i, j)| keep(i as isize, j as isize));
        self.where_(&Tensor::mask(&mask), &Tensor::scalar(0.0))
    }
}
