//! Where the largest and the smallest elements are.

use ndarray::{ArrayD, Axis};
use striate_compute::{Real, map, par};

use super::extremum_along::non_empty;
use crate::array::Array;
use crate::shape::{self, Dims, elements, expect, reduced};
use crate::tensor::Tensor;

/// Whether `x` beats the best so far: strictly, so that the first of equals stays; NaN beats all numbers.
#[inline(always)]
fn beats<E: Real>(x: E, best: E, wins: impl Fn(E, E) -> bool) -> bool {
    wins(x, best) || (x.is_nan() && !best.is_nan())
}

/// The index of the first winner in a row: its value, by a vectorised pass, then its place.
fn first<E: Real>(x: &[E], wins: impl Fn(E, E) -> bool) -> usize {
    let best = map::reduce_piece(
        x,
        x[0],
        #[inline(always)]
        |a, b| if wins(b, a) || b.is_nan() { b } else { a },
    );
    x.iter().position(|&x| x == best || (best.is_nan() && x.is_nan())).unwrap_or(0)
}

/// The index of the first winner along `axis`, which stays with length 1.
fn find<E: Real>(
    x: &Array<E>,
    axis: usize,
    wins: impl Fn(E, E) -> bool + Sync + Send + Copy,
) -> ArrayD<usize> {
    let shape = reduced(x.shape(), &[axis], true);
    let (n, inner) = (x.shape()[axis], elements(&x.shape()[axis + 1..]));
    let x = x.contiguous();
    let x = x.as_slice().expect("the copy is contiguous");
    let mut index = vec![0; elements(&shape)];
    let blocks = (par::PIECE / (n * inner).max(1)).max(1);
    par::pieces_mut(&mut index, (blocks * inner).max(1), |piece, index| {
        let x = &x[piece * blocks * n * inner..];
        for (index, x) in index.chunks_exact_mut(inner.max(1)).zip(x.chunks_exact((n * inner).max(1))) {
            if inner == 1 {
                index[0] = first(x, wins);
                continue;
            }
            let mut best: Vec<E> = x[..inner].to_vec();
            for (i, x) in x.chunks_exact(inner).enumerate().skip(1) {
                for ((index, best), &x) in index.iter_mut().zip(&mut best).zip(x) {
                    if beats(x, *best, wins) {
                        (*index, *best) = (i, x);
                    }
                }
            }
        }
    });
    ArrayD::from_shape_vec(&shape[..], index).expect("one index for each")
}

impl<E: Real> Tensor<E> {
    #[track_caller]
    fn find(
        &self,
        op: &'static str,
        axis: isize,
        wins: impl Fn(E, E) -> bool + Sync + Send + Copy,
    ) -> (usize, ArrayD<usize>) {
        let axis = expect(shape::axis(op, axis, self.shape()));
        expect(non_empty(op, self.shape(), &[axis]));
        (axis, find(&self.array(), axis, wins))
    }

    #[track_caller]
    fn find_dim(
        &self,
        op: &'static str,
        axis: isize,
        keepdim: bool,
        wins: impl Fn(E, E) -> bool + Sync + Send + Copy,
    ) -> ArrayD<usize> {
        let (axis, index) = self.find(op, axis, wins);
        if keepdim { index } else { index.remove_axis(Axis(axis)) }
    }

    #[track_caller]
    fn take(
        &self,
        op: &'static str,
        axis: isize,
        keepdim: bool,
        wins: impl Fn(E, E) -> bool + Sync + Send + Copy,
    ) -> (Self, ArrayD<usize>) {
        let (axis, index) = self.find(op, axis, wins);
        let values = self.gather(axis as isize, &index);
        if keepdim {
            return (values, index);
        }
        let shape: Dims = reduced(self.shape(), &[axis], false);
        (values.reshape_to(&shape), index.remove_axis(Axis(axis)))
    }

    /// The index of the first largest element in row-major order; of the first NaN when there is one.
    ///
    /// PyTorch's `torch.argmax(x)`.
    ///
    /// # Panics
    /// When there is no element.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 5.0, 5.0]).argmax(), 1);
    /// ```
    #[track_caller]
    pub fn argmax(&self) -> usize {
        self.detach().reshape(&[-1]).find("argmax", 0, |x, best| x > best).1[[0]]
    }

    /// The index of the first smallest element in row-major order; of the first NaN when there is one.
    ///
    /// PyTorch's `torch.argmin(x)`.
    ///
    /// # Panics
    /// When there is no element.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, -5.0, -5.0]).argmin(), 1);
    /// ```
    #[track_caller]
    pub fn argmin(&self) -> usize {
        self.detach().reshape(&[-1]).find("argmin", 0, |x, best| x < best).1[[0]]
    }

    /// The index of the first largest element along an axis, which stays with length 1 when `keepdim`.
    ///
    /// NaN counts as largest. PyTorch's `torch.argmax(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When the axis does not exist or is empty.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 4.0, 3.0, 2.0]);
    /// assert_eq!(x.argmax_dim(1, false).into_raw_vec_and_offset().0, [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmax_dim(&self, axis: isize, keepdim: bool) -> ArrayD<usize> {
        self.find_dim("argmax", axis, keepdim, |x, best| x > best)
    }

    /// The index of the first smallest element along an axis, which stays with length 1 when `keepdim`.
    ///
    /// NaN counts as smallest. PyTorch's `torch.argmin(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When the axis does not exist or is empty.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 4.0, 3.0, 2.0]);
    /// assert_eq!(x.argmin_dim(1, false).into_raw_vec_and_offset().0, [0, 1]);
    /// ```
    #[track_caller]
    pub fn argmin_dim(&self, axis: isize, keepdim: bool) -> ArrayD<usize> {
        self.find_dim("argmin", axis, keepdim, |x, best| x < best)
    }

    /// The largest element along an axis, and its index.
    ///
    /// y = x at the first largest element, which takes all of the gradient; NaN counts as largest. With `keepdim` the
    /// axis stays with length 1. PyTorch's `torch.max(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When the axis does not exist or is empty.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 4.0, 3.0, 2.0]);
    /// let (values, indices) = x.max_dim(1, false);
    /// assert_eq!(values.to_vec(), [4.0, 3.0]);
    /// assert_eq!(indices[[0]], 1);
    /// ```
    #[track_caller]
    pub fn max_dim(&self, axis: isize, keepdim: bool) -> (Self, ArrayD<usize>) {
        self.take("max", axis, keepdim, |x, best| x > best)
    }

    /// The smallest element along an axis, and its index.
    ///
    /// y = x at the first smallest element, which takes all of the gradient; NaN counts as smallest. With `keepdim`
    /// the axis stays with length 1. PyTorch's `torch.min(x, dim, keepdim)`.
    ///
    /// # Panics
    /// When the axis does not exist or is empty.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 4.0, 3.0, 2.0]);
    /// let (values, indices) = x.min_dim(1, false);
    /// assert_eq!(values.to_vec(), [1.0, 2.0]);
    /// assert_eq!(indices[[0]], 0);
    /// ```
    #[track_caller]
    pub fn min_dim(&self, axis: isize, keepdim: bool) -> (Self, ArrayD<usize>) {
        self.take("min", axis, keepdim, |x, best| x < best)
    }
}
