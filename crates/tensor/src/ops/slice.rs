//! Parts of an axis, without copying: slice, select, split, chunk.

use std::ops::RangeBounds;

use striate_compute::{Real, isa, map, par};

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, ShapeError, Steps, elements, expect};
use crate::tape::{apply, apply_many};
use crate::tensor::Tensor;

/// y[…, start + i · step, …] ← f(y[…, start + i · step, …], x[…, i, …]) along an axis of y, contiguous and of `shape`.
///
/// Touches the places named and no others.
pub(super) fn update<E: Real>(
    y: &mut [E],
    shape: &[usize],
    Steps { axis, start, count, step }: Steps,
    x: &Array<E>,
    f: impl Fn(E, E) -> E + Sync + Send + Copy,
) {
    let inner = elements(&shape[axis + 1..]);
    let (y_block, x_block) = (shape[axis] * inner, count * inner);
    if x.is_empty() {
        return;
    }
    let x = x.contiguous();
    let x = x.as_slice().expect("the copy is contiguous");
    if step == 1 && x_block >= par::PIECE {
        for (y, x) in y.chunks_exact_mut(y_block).zip(x.chunks_exact(x_block)) {
            map::update(&mut y[start * inner..][..x_block], x, f);
        }
        return;
    }
    let (row, pitch) = if step == 1 { (x_block, x_block) } else { (inner, step * inner) };
    let blocks = (par::PIECE / x_block).max(1);
    par::pieces_mut(y, blocks * y_block, |piece, y| {
        let x = &x[piece * blocks * x_block..];
        isa::vectorized(|| {
            for (y, x) in y.chunks_exact_mut(y_block).zip(x.chunks_exact(x_block)) {
                for (y, x) in y[start * inner..].chunks_mut(pitch).zip(x.chunks_exact(row)) {
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(*y, x));
                }
            }
        });
    });
}

/// y[…, i, …] = x[…, start + i · step, …], a view; dx = dy in those places
struct Slice(Steps);

impl<E: Real> Op<E> for Slice {
    const NAME: &'static str = "slice";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let Steps { axis, start, count, step } = self.0;
        ([x[0].slice(axis, start, count, step)].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let shape: Dims = dx.shape(0).into();
        update(dx.slot(0), &shape, self.0, dy, |dx, dy| dx + dy);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let Steps { axis, start, count, step } = self.0;
        let places: Vec<usize> = (0..count).map(|i| start + i * step).collect();
        let zeros = Tensor::zeros(x[0].shape());
        Some(vec![Some(zeros.index_add(axis as isize, &places, dy[0].as_ref()?))])
    }
}

/// Consecutive pieces of an axis, views; dx = their gradients side by side
struct Split {
    axis: usize,
    sizes: Vec<usize>,
}

impl Split {
    /// The places of each piece.
    fn pieces(&self) -> impl Iterator<Item = Steps> {
        let mut start = 0;
        self.sizes.iter().map(move |&count| {
            start += count;
            Steps { axis: self.axis, start: start - count, count, step: 1 }
        })
    }
}

impl<E: Real> Op<E> for Split {
    const NAME: &'static str = "split";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let piece = |Steps { axis, start, count, step }| x[0].slice(axis, start, count, step);
        (self.pieces().map(piece).collect(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        if !dx.wants(0) {
            return;
        }
        let shape: Dims = dx.shape(0).into();
        dx.write(0, |g, beta| {
            for (steps, dy) in self.pieces().zip(dy) {
                if beta != E::zero() {
                    dy.iter().for_each(|dy| update(g, &shape, steps, dy, |g, dy| g + dy));
                    continue;
                }
                let zeros = || {
                    let mut piece = shape.clone();
                    piece[self.axis] = steps.count;
                    Array::full(&piece, E::zero())
                };
                update(g, &shape, steps, &dy.clone().unwrap_or_else(zeros), |_, dy| dy);
            }
        });
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let pieces: Vec<Tensor<E>> = (dy.iter().zip(y))
            .map(|(dy, y)| dy.clone().unwrap_or_else(|| Tensor::zeros(y.shape())))
            .collect();
        Some(vec![Some(Tensor::concat(&pieces.iter().collect::<Vec<_>>(), self.axis as isize))])
    }
}

impl<E: Real> Tensor<E> {
    /// Every `step`-th element of a range along an axis, without copying; negative bounds count from the back.
    ///
    /// y[…, i, …] = x[…, start + i · step, …]; dx = dy in those places, and costs no more than they do.
    /// PyTorch's `x[:, start:end:step]`, except that a range beyond the axis is an error.
    ///
    /// # Panics
    /// When the axis does not exist, the range is not within it or the step is 0.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::<f32>::arange(0.0, 6);
    /// assert_eq!(x.slice(0, 1..-1, 2).to_vec(), [1.0, 3.0]);
    /// assert_eq!(x.slice(0, -2.., 1).to_vec(), [4.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: isize, range: impl RangeBounds<isize>, step: usize) -> Self {
        apply(Slice(expect(shape::slice(self.shape(), axis, range, step))), &[self])
    }

    /// Places `start..start + count` along an axis, without copying; dx = dy in those places. PyTorch's `narrow`.
    ///
    /// # Panics
    /// When the axis does not exist or is shorter.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, count: usize) -> Self {
        apply(Slice(expect(shape::narrow("narrow", self.shape(), axis, start, count))), &[self])
    }

    /// The elements at one index along an axis, which vanishes, without copying. A negative index counts from the back.
    ///
    /// y = x[…, index, …]; dx = dy in that place. PyTorch's `select`.
    ///
    /// # Panics
    /// When the axis does not exist or the index is outside it.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::<f32>::arange(0.0, 6).reshape(&[3, 2]);
    /// assert_eq!(x.select(0, -1).to_vec(), [4.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn select(&self, axis: isize, index: isize) -> Self {
        let axis = expect(shape::axis("select", axis, self.shape()));
        let start = expect(shape::index("select", self.shape(), axis, index));
        let mut shape: Dims = self.shape().into();
        shape.remove(axis);
        apply(Slice(Steps { axis, start, count: 1, step: 1 }), &[self]).reshape_to(&shape)
    }

    /// Consecutive pieces of the given sizes along an axis, without copying; dx = the dy side by side.
    /// PyTorch's `split(sizes, dim)`.
    ///
    /// # Panics
    /// When the axis does not exist or the sizes do not make it up.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let parts = Tensor::<f32>::arange(0.0, 5).split(&[2, 3], 0);
    /// assert_eq!(parts[1].to_vec(), [2.0, 3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn split(&self, sizes: &[usize], axis: isize) -> Vec<Self> {
        let axis = expect(shape::split(self.shape(), axis, sizes));
        apply_many(Split { axis, sizes: sizes.to_vec() }, &[self]).into_vec()
    }

    /// `N` pieces of one size along an axis, without copying: `let [i, f, g, o] = gates.chunk(1);`
    ///
    /// PyTorch's `chunk`, for lengths that `N` divides.
    ///
    /// # Panics
    /// When the axis does not exist or `N` does not divide its length.
    #[track_caller]
    pub fn chunk<const N: usize>(&self, axis: isize) -> [Self; N] {
        let n = self.shape()[expect(shape::axis("chunk", axis, self.shape()))];
        if n.checked_rem(N) != Some(0) {
            let rule = format!("length {n} of axis {axis} does not part into {N} equal pieces");
            expect::<()>(Err(ShapeError::new("chunk", rule, &[("x", self.shape())])));
        }
        let pieces = self.split(&[n / N; N], axis);
        pieces.try_into().expect("split returns as many pieces as sizes")
    }

    /// At most `pieces` pieces along an axis, all of one size save the last, without copying. PyTorch's `chunk`.
    ///
    /// # Panics
    /// When the axis does not exist or `pieces` is 0.
    #[track_caller]
    pub fn chunks(&self, pieces: usize, axis: isize) -> Vec<Self> {
        self.split(&expect(shape::chunks(self.shape(), axis, pieces)), axis)
    }
}
