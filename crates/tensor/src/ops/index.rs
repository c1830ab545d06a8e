//! Whole rows by index: index_select, index_add, embedding, and what follows from them.

use std::sync::Arc;

use ndarray::{ArrayRef, Dimension};
use striate_compute::{Real, par};

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, ShapeError, elements, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// y[…, i, …] = x[…, indices[i], …]
fn select<E: Real>(x: &Array<E>, axis: usize, indices: &[usize]) -> Array<E> {
    let (n, inner) = (x.shape()[axis], elements(&x.shape()[axis + 1..]));
    let mut shape: Dims = x.shape().into();
    shape[axis] = indices.len();
    let x = x.contiguous();
    let x = x.as_slice().expect("the copy is contiguous");
    Array::build(&shape, |y| {
        if y.is_empty() {
            return;
        }
        let rows = (par::PIECE / inner).max(1);
        par::pieces_mut(y, rows * inner, |piece, y| {
            let mut row = piece * rows;
            if inner == 1 {
                for y in y {
                    *y = x[row / indices.len() * n + indices[row % indices.len()]];
                    row += 1;
                }
            } else {
                for y in y.chunks_exact_mut(inner) {
                    let from = row / indices.len() * n + indices[row % indices.len()];
                    y.copy_from_slice(&x[from * inner..][..inner]);
                    row += 1;
                }
            }
        });
    })
}

/// y[…, indices[i], …] += x[…, i, …] for y contiguous and of `shape`, in the order of i, whatever the number of threads.
fn add<E: Real>(y: &mut [E], shape: &[usize], axis: usize, indices: &[usize], x: &Array<E>) {
    let inner = elements(&shape[axis + 1..]);
    let (y_block, x_block) = (shape[axis] * inner, indices.len() * inner);
    if x.is_empty() {
        return;
    }
    let x = x.contiguous();
    let x = x.as_slice().expect("the copy is contiguous");
    let add_row = |y: &mut [E], to: usize, x: &[E], from: usize| {
        let x = &x[from * inner..][..inner];
        y[to * inner..][..inner].iter_mut().zip(x).for_each(|(y, &x)| *y += x);
    };
    if y.len() > y_block || x_block < par::PIECE {
        let blocks = (par::PIECE / x_block).max(1);
        return par::pieces_mut(y, blocks * y_block, |piece, y| {
            let x = &x[piece * blocks * x_block..];
            for (y, x) in y.chunks_exact_mut(y_block).zip(x.chunks_exact(x_block)) {
                indices.iter().enumerate().for_each(|(from, &to)| add_row(y, to, x, from));
            }
        });
    }
    let mut order: Vec<usize> = (0..indices.len()).collect();
    order.sort_by_key(|&from| indices[from]);
    let rows = (par::PIECE / inner).max(1);
    par::pieces_mut(y, rows * inner, |piece, y| {
        let first = piece * rows;
        let end = first + y.len() / inner;
        let from = order.partition_point(|&i| indices[i] < first);
        for &i in order[from..].iter().take_while(|&&i| indices[i] < end) {
            add_row(y, indices[i] - first, x, i);
        }
    });
}

/// y[…, i, …] = x[…, indices[i], …]; dx[…, indices[i], …] += dy[…, i, …]
struct IndexSelect {
    axis: usize,
    indices: Arc<[usize]>,
}

impl<E: Real> Op<E> for IndexSelect {
    const NAME: &'static str = "index_select";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([select(&x[0], self.axis, &self.indices)].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let shape: Dims = dx.shape(0).into();
        add(dx.slot(0), &shape, self.axis, &self.indices, dy);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let add = IndexAdd { axis: self.axis, indices: self.indices.clone() };
        Some(vec![Some(apply(add, &[&Tensor::zeros(x[0].shape()), dy[0].as_ref()?]))])
    }
}

/// y = x, then y[…, indices[i], …] += source[…, i, …]; dx = dy, dsource[…, i, …] = dy[…, indices[i], …]
struct IndexAdd {
    axis: usize,
    indices: Arc<[usize]>,
}

impl<E: Real> Op<E> for IndexAdd {
    const NAME: &'static str = "index_add";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let mut y = x[0].clone();
        add(y.make_mut(), x[0].shape(), self.axis, &self.indices, &x[1]);
        ([y].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        dx.add(0, dy.clone());
        if dx.wants(1) {
            dx.add(1, select(dy, self.axis, &self.indices));
        }
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        let select = IndexSelect { axis: self.axis, indices: self.indices.clone() };
        Some(vec![Some(dy.clone()), Some(apply(select, &[dy]))])
    }
}

impl<E: Real> Tensor<E> {
    /// Rows (or columns, or planes) by index, in any order, any number of times.
    ///
    /// `y[…, i, …] = x[…, indices[i], …]`; `dx[…, indices[i], …] += dy[…, i, …]`, in the order of i.
    /// PyTorch's `index_select`.
    ///
    /// # Panics
    /// When the axis does not exist or an index is outside it.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::<f32>::arange(0.0, 6).reshape(&[3, 2]);
    /// assert_eq!(x.index_select(0, &[2, 0, 2]).to_vec(), [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: isize, indices: &[usize]) -> Self {
        self.selected("index_select", axis, indices.into())
    }

    #[track_caller]
    fn selected(&self, op: &'static str, axis: isize, indices: Arc<[usize]>) -> Self {
        let axis = expect(shape::axis(op, axis, self.shape()));
        expect(shape::indices(op, self.shape(), axis, indices.iter().copied()));
        apply(IndexSelect { axis, indices }, &[self])
    }

    /// This, with the rows of `source` added at `indices` along an axis; an index that is named twice gets both.
    ///
    /// `y = x`, then `y[…, indices[i], …] += source[…, i, …]` in the order of i; dx = dy,
    /// `dsource[…, i, …] = dy[…, indices[i], …]`. PyTorch's `index_add`.
    ///
    /// # Panics
    /// When the axis does not exist, an index is outside it, or `source` has not the shape of x with as many places
    /// along the axis as there are indices.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let y = Tensor::<f32>::zeros(&[3]).index_add(0, &[2, 0, 2], &Tensor::from_slice(&[1.0, 2.0, 3.0]));
    /// assert_eq!(y.to_vec(), [2.0, 0.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn index_add(&self, axis: isize, indices: &[usize], source: &Self) -> Self {
        let axis = expect(shape::axis("index_add", axis, self.shape()));
        expect(shape::indices("index_add", self.shape(), axis, indices.iter().copied()));
        let mut wanted: Dims = self.shape().into();
        wanted[axis] = indices.len();
        if source.shape() != &wanted[..] {
            let operands = [("x", self.shape()), ("source", source.shape())];
            expect::<()>(Err(ShapeError::new("index_add", format!("source must be {wanted:?}"), &operands)));
        }
        apply(IndexAdd { axis, indices: indices.into() }, &[self, source])
    }

    /// The rows of this table (V, …) at `indices` of any shape: (indices…, …).
    ///
    /// y[i…, …] = table[indices[i…], …]; the gradient of a row is the sum over the places that read it, in their
    /// order. PyTorch's `torch.nn.functional.embedding`.
    ///
    /// # Panics
    /// When the table has no axis or an index is not below V.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let table = Tensor::<f32>::arange(0.0, 6).reshape(&[3, 2]);
    /// let words = ndarray::array![[0usize, 2], [2, 1]];
    /// assert_eq!(table.embedding(&words).shape(), [2, 2, 2]);
    /// ```
    #[track_caller]
    pub fn embedding<D: Dimension>(&self, indices: &ArrayRef<usize, D>) -> Self {
        let rows = self.selected("embedding", 0, indices.iter().copied().collect());
        let shape: Dims = indices.shape().iter().chain(&self.shape()[1..]).copied().collect();
        rows.reshape_to(&shape)
    }

    /// 1 at each index, 0 elsewhere: indices (…) → (…, classes), a constant. PyTorch's `one_hot`.
    ///
    /// # Panics
    /// When an index is not below `classes`.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let y = Tensor::<f32>::one_hot(&ndarray::array![2usize, 0], 3);
    /// assert_eq!(y.to_vec(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn one_hot<D: Dimension>(indices: &ArrayRef<usize, D>, classes: usize) -> Self {
        expect(shape::indices("one_hot", &[classes], 0, indices.iter().copied()));
        let shape: Dims = indices.shape().iter().copied().chain([classes]).collect();
        let mut y = Array::zeros(&shape);
        let rows = y.make_mut().chunks_exact_mut(classes.max(1));
        rows.zip(indices).for_each(|(row, &index)| row[index] = E::one());
        y.into()
    }

    /// The elements in reverse order along the given axes (all when empty). PyTorch's `flip`.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.0, 3.0]).flip(&[0]).to_vec(), [3.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn flip(&self, axes: &[isize]) -> Self {
        let axes = expect(shape::axes("flip", axes, self.shape()));
        axes.iter().fold(self.clone(), |x, &axis| {
            let reversed: Vec<usize> = (0..x.shape()[axis]).rev().collect();
            x.index_select(axis as isize, &reversed)
        })
    }

    /// The elements moved by `shift` places along an axis; what leaves at the end returns at the start. PyTorch's `roll`.
    ///
    /// y[…, (i + shift) mod n, …] = x[…, i, …]
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.0, 3.0]).roll(1, 0).to_vec(), [3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Self {
        let n = self.shape()[expect(shape::axis("roll", axis, self.shape()))];
        let first = (-(shift as i128)).rem_euclid(n.max(1) as i128) as usize;
        let places: Vec<usize> = (0..n).map(|i| (first + i) % n).collect();
        self.index_select(axis, &places)
    }
}
