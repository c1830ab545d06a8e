//! Single elements by index along an axis: gather and scatter_add.

use std::sync::Arc;

use ndarray::{ArrayRef, Dimension};
use striate_compute::{Real, par};

use crate::array::Array;
use crate::nest::Nest;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, contiguous_strides, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// Indices along an axis, in row-major order, and their shape.
#[derive(Clone)]
struct Index {
    axis: usize,
    shape: Dims,
    places: Arc<[usize]>,
}

impl Index {
    #[track_caller]
    fn new<D: Dimension>(op: &'static str, x: &[usize], axis: isize, index: &ArrayRef<usize, D>) -> Self {
        let axis = expect(shape::gather(op, x, axis, index.shape()));
        expect(shape::indices(op, x, axis, index.iter().copied()));
        Index { axis, shape: index.shape().into(), places: index.iter().copied().collect() }
    }

    /// The loops over the indices, and over an array with these strides at index 0 along the axis.
    fn nest(&self, strides: &[usize]) -> Nest<1> {
        let mut fixed: Dims = strides.into();
        fixed[self.axis] = 0;
        Nest::new(&self.shape, [&fixed])
    }

    /// Calls `f(offset, i)` for all indices in `rows` innermost loops from the `first` on, with `i` counted from there:
    /// the element lies at `offset`, when the stride along the axis is `stride`.
    fn walk(
        &self,
        nest: &Nest<1>,
        stride: usize,
        first: usize,
        rows: usize,
        mut f: impl FnMut(usize, usize),
    ) {
        let places = &self.places[first * nest.inner..];
        nest.rows(first, rows, |row, [offset]| {
            for i in 0..nest.inner {
                let place = places[row * nest.inner + i];
                f(offset + i * nest.steps[0] + place * stride, row * nest.inner + i);
            }
        });
    }

    /// y[…, i, …] = x[…, index[…, i, …], …]
    fn gather<E: Real>(&self, x: &Array<E>) -> Array<E> {
        let data = x.data();
        Array::build(&self.shape, |y| {
            if y.is_empty() {
                return;
            }
            let nest = self.nest(x.strides());
            let rows = (par::PIECE / nest.inner).max(1);
            par::pieces_mut(y, rows * nest.inner, |piece, y| {
                let count = y.len() / nest.inner;
                self.walk(&nest, x.strides()[self.axis], piece * rows, count, |offset, i| {
                    y[i] = data[offset]
                });
            });
        })
    }

    /// y[…, index[…, i, …], …] += x[…, i, …] for y contiguous and of `shape`, in row-major order.
    fn add<E: Real>(&self, y: &mut [E], shape: &[usize], x: &Array<E>) {
        if x.is_empty() {
            return;
        }
        let x = x.contiguous();
        let x = x.as_slice().expect("the copy is contiguous");
        let strides = contiguous_strides(shape);
        let nest = self.nest(&strides);
        self.walk(&nest, strides[self.axis], 0, x.len() / nest.inner, |offset, i| y[offset] += x[i]);
    }
}

/// y[…, i, …] = x[…, index[…, i, …], …]; dx[…, index[…, i, …], …] += dy[…, i, …]
struct Gather(Index);

impl<E: Real> Op<E> for Gather {
    const NAME: &'static str = "gather";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([self.0.gather(&x[0])].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let shape: Dims = dx.shape(0).into();
        self.0.add(dx.slot(0), &shape, dy);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let zeros = Tensor::zeros(x[0].shape());
        Some(vec![Some(apply(ScatterAdd(self.0.clone()), &[&zeros, dy[0].as_ref()?]))])
    }
}

/// y = x, then y[…, index[…, i, …], …] += source[…, i, …]; dx = dy, dsource[…, i, …] = dy[…, index[…, i, …], …]
struct ScatterAdd(Index);

impl<E: Real> Op<E> for ScatterAdd {
    const NAME: &'static str = "scatter_add";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let mut y = x[0].clone();
        self.0.add(y.make_mut(), x[0].shape(), &x[1]);
        ([y].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        dx.add(0, dy.clone());
        if dx.wants(1) {
            dx.add(1, self.0.gather(dy));
        }
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        Some(vec![Some(dy.clone()), Some(apply(Gather(self.0.clone()), &[dy]))])
    }
}

impl<E: Real> Tensor<E> {
    /// One element per index along an axis; the result has the shape of `index`.
    ///
    /// y[…, i, …] = x[…, index[…, i, …], …]; dx[…, index[…, i, …], …] += dy[…, i, …] in row-major order.
    /// `index` has as many axes as x and is no longer than x along the others. PyTorch's `gather`, and
    /// `take_along_dim` where nothing broadcasts.
    ///
    /// # Panics
    /// When the axis does not exist, `index` has another shape than that, or an index is outside the axis.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let scores = Tensor::<f32>::arange(0.0, 6).reshape(&[2, 3]);
    /// assert_eq!(scores.gather(1, &ndarray::array![[2usize], [0]]).to_vec(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn gather<D: Dimension>(&self, axis: isize, index: &ArrayRef<usize, D>) -> Self {
        apply(Gather(Index::new("gather", self.shape(), axis, index)), &[self])
    }

    /// This, with each element of `source` added at its index along an axis.
    ///
    /// y = x, then y[…, index[…, i, …], …] += source[…, i, …] in row-major order; dx = dy,
    /// dsource[…, i, …] = dy[…, index[…, i, …], …]. PyTorch's `scatter_add`.
    ///
    /// # Panics
    /// As [`Tensor::gather`], and when `source` has not the shape of `index`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let ones = Tensor::<f32>::ones(&[3]);
    /// let counts = Tensor::zeros(&[4]).scatter_add(0, &ndarray::array![1usize, 3, 1], &ones);
    /// assert_eq!(counts.to_vec(), [0.0, 2.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn scatter_add<D: Dimension>(&self, axis: isize, index: &ArrayRef<usize, D>, source: &Self) -> Self {
        let index = Index::new("scatter_add", self.shape(), axis, index);
        if source.shape() != &index.shape[..] {
            let operands = [("index", &index.shape[..]), ("source", source.shape())];
            let rule = "source must have the shape of index";
            expect::<()>(Err(shape::ShapeError::new("scatter_add", rule, &operands)));
        }
        apply(ScatterAdd(index), &[self, source])
    }
}
