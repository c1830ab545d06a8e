//! Values without a tape: a shared, strided window on a pooled buffer.

use std::sync::Arc;

use ndarray::{ArrayView, ArrayViewD, Dimension, IxDyn, ShapeBuilder};
use striate_compute::{Buffer, Real, isa, map, par};

use crate::blocks::blocks;
use crate::layout::{self, Transposition};
use crate::nest::Nest;
use crate::shape::{Dims, contiguous_strides, elements};

/// A cheap handle on numbers: reference-counted, strided, over a pooled buffer.
///
/// Cloning, transposing, slicing and broadcasting move no element. Operations and optimisers work on arrays;
/// users meet them in [`crate::Op`] and where they read a [`crate::Tensor`]'s value.
#[derive(Clone)]
pub struct Array<E: Real> {
    buffer: Arc<Buffer<E>>,
    offset: usize,
    shape: Dims,
    strides: Dims,
}

impl<E: Real> Array<E> {
    fn from_buffer(shape: &[usize], buffer: Buffer<E>) -> Self {
        Array { buffer: Arc::new(buffer), offset: 0, shape: shape.into(), strides: contiguous_strides(shape) }
    }

    /// A new array that `write` fills: it must write every element, what it finds is arbitrary.
    pub fn build(shape: &[usize], write: impl FnOnce(&mut [E])) -> Self {
        let mut buffer = Buffer::scratch(elements(shape));
        write(&mut buffer);
        Self::from_buffer(shape, buffer)
    }

    /// `value` everywhere; takes one element's memory.
    pub fn full(shape: &[usize], value: E) -> Self {
        Self::build(&[], |y| y[0] = value).broadcast_to(shape)
    }

    /// Zeros, each with its own memory.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::from_buffer(shape, Buffer::filled(elements(shape), E::zero()))
    }

    /// Adopts a vector in row-major order without copying it.
    ///
    /// # Panics
    /// When the vector's length is not that of the shape.
    #[track_caller]
    pub fn from_vec(shape: &[usize], vec: Vec<E>) -> Self {
        assert_eq!(vec.len(), elements(shape), "from_vec: {} elements do not fill {shape:?}", vec.len());
        Self::from_buffer(shape, Buffer::from(vec))
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Distance in elements between neighbours along each axis; 0 along a broadcast axis.
    pub fn strides(&self) -> &[usize] {
        &self.strides
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        elements(&self.shape)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements lie in row-major order without gaps.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.is_empty()
            || self.shape.iter().zip(&self.strides).rev().all(|(&n, &stride)| {
                let fits = n == 1 || stride == expected;
                expected *= n;
                fits
            })
    }

    /// The elements in row-major order, when they lie so.
    pub fn as_slice(&self) -> Option<&[E]> {
        self.is_contiguous().then(|| &self.buffer[self.offset..][..self.len()])
    }

    /// All of the buffer from this array's first element on, to be walked with [`Array::strides`].
    pub fn data(&self) -> &[E] {
        &self.buffer[self.offset.min(self.buffer.len())..]
    }

    /// Lends the elements as an `ndarray` view, without copying.
    pub fn view(&self) -> ArrayViewD<'_, E> {
        let shape = IxDyn(&self.shape);
        if self.is_empty() {
            return ArrayViewD::from_shape(shape, &[]).expect("an empty view fits");
        }
        ArrayViewD::from_shape(shape.strides(IxDyn(&self.strides)), self.data())
            .expect("an array's strides stay inside its buffer")
    }

    /// This array when it is contiguous, else a contiguous copy.
    pub fn contiguous(&self) -> Self {
        if self.is_contiguous() {
            return self.clone();
        }
        Self::build(&self.shape, |y| self.copy_to(y))
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<E> {
        let mut vec = vec![E::zero(); self.len()];
        self.copy_to(&mut vec);
        vec
    }

    /// Writes the elements in row-major order.
    fn copy_to(&self, y: &mut [E]) {
        if let Some(x) = self.as_slice() {
            return map::map(x, y, |x| x);
        }
        if let Some(transposition) = Transposition::of(self).filter(|_| !y.is_empty()) {
            return transposition.copy(self.data(), y);
        }
        rows(&self.shape, [self], y, |[x], [step], y| match step {
            1 => y.copy_from_slice(&x[..y.len()]),
            0 => y.fill(x[0]),
            _ => y.iter_mut().zip(x.iter().step_by(step)).for_each(|(y, &x)| *y = x),
        });
    }

    /// `y[i] = f(x[i])`; a permuted array gives one that is permuted alike.
    pub fn map(&self, f: impl Fn(E) -> E + Sync + Send) -> Self {
        if let Some(order) = self.permuted_order() {
            return self.permute(&order).map(f).permute(&layout::inverse(&order));
        }
        let x = self.contiguous();
        Self::build(&self.shape, |y| map::map(x.as_slice().unwrap(), y, f))
    }

    /// The order of axes that makes a permuted array contiguous; `None` when it is so already or no order does.
    fn permuted_order(&self) -> Option<Dims> {
        if self.is_contiguous() { None } else { layout::memory_order(self) }
    }

    /// `y[i] = f(a[i], b[i])`, both broadcast to `shape`; arrays permuted alike give one that is permuted as they are.
    pub fn zip_to(shape: &[usize], a: &Self, b: &Self, f: impl Fn(E, E) -> E + Sync + Send) -> Self {
        let (a, b) = (a.broadcast_to(shape), b.broadcast_to(shape));
        if let Some(order) = a.permuted_order().filter(|_| a.strides == b.strides) {
            let (a, b) = (a.permute(&order), b.permute(&order));
            return Self::zip_to(a.shape(), &a, &b, f).permute(&layout::inverse(&order));
        }
        Self::build(shape, |y| {
            blocks(
                shape,
                [&a, &b],
                y,
                #[inline(always)]
                |[a, b], y| {
                    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                        *y = f(a, b);
                    }
                },
            );
        })
    }

    /// `y[i] = f(a[i], b[i])` for arrays of one shape.
    pub fn zip(&self, other: &Self, f: impl Fn(E, E) -> E + Sync + Send) -> Self {
        assert_eq!(self.shape, other.shape, "zip: arrays of different shapes");
        Self::zip_to(&self.shape, self, other, f)
    }

    /// The elements to change, in row-major order; copied first when another handle shares them or they have gaps.
    pub fn make_mut(&mut self) -> &mut [E] {
        let len = self.len();
        if !self.is_contiguous() || Arc::get_mut(&mut self.buffer).is_none() {
            *self = Self::build(&self.shape, |y| self.copy_to(y));
        }
        let buffer = Arc::get_mut(&mut self.buffer).expect("the buffer is this array's own");
        &mut buffer[self.offset..][..len]
    }

    /// Adds an array of the same shape in place.
    pub fn add_assign(&mut self, other: &Self) {
        assert_eq!(self.shape, other.shape, "add_assign: arrays of different shapes");
        if !self.is_contiguous() || Arc::get_mut(&mut self.buffer).is_none() {
            *self = self.zip(other, |a, b| a + b);
            return;
        }
        let other = other.contiguous();
        map::update(self.make_mut(), other.as_slice().unwrap(), |a, b| a + b);
    }

    fn window(&self, offset: usize, shape: Dims, strides: Dims) -> Self {
        let offset = if elements(&shape) == 0 { 0 } else { self.offset + offset };
        Array { buffer: self.buffer.clone(), offset, shape, strides }
    }

    /// The same elements in another shape of as many; copies only when no strides describe it.
    pub fn reshape(&self, shape: &[usize]) -> Self {
        assert_eq!(elements(shape), self.len(), "reshape: {:?} does not fill {shape:?}", self.shape);
        match layout::reshaped(&self.shape, &self.strides, shape) {
            Some(strides) => self.window(0, shape.into(), strides),
            None => self.contiguous().window(0, shape.into(), contiguous_strides(shape)),
        }
    }

    /// Axis i of the result is axis `order[i]` of this.
    pub fn permute(&self, order: &[usize]) -> Self {
        let pick = |dims: &Dims| order.iter().map(|&axis| dims[axis]).collect();
        self.window(0, pick(&self.shape), pick(&self.strides))
    }

    /// Exchanges two axes.
    pub fn transpose(&self, i: usize, j: usize) -> Self {
        let mut order: Dims = (0..self.shape.len()).collect();
        order.swap(i, j);
        self.permute(&order)
    }

    /// Repeats axes of length 1, and new ones at the front, to fill `shape`.
    pub fn broadcast_to(&self, shape: &[usize]) -> Self {
        if self.shape[..] == *shape {
            return self.clone();
        }
        let new = shape.len() - self.shape.len();
        let strides = (0..shape.len())
            .map(|axis| match axis.checked_sub(new) {
                Some(i) if self.shape[i] == shape[axis] => self.strides[i],
                Some(i) => {
                    assert_eq!(
                        self.shape[i], 1,
                        "broadcast_to: {:?} does not repeat to {shape:?}",
                        self.shape
                    );
                    0
                }
                None => 0,
            })
            .collect();
        self.window(0, shape.into(), strides)
    }

    /// Elements `start`, `start + step`, … along an axis, `count` of them.
    pub fn slice(&self, axis: usize, start: usize, count: usize, step: usize) -> Self {
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.clone());
        shape[axis] = count;
        strides[axis] *= step;
        self.window(start * self.strides[axis], shape, strides)
    }

    /// The elements whose indices along axes `i` < `j` are equal, along axis `i`; axis `j` vanishes.
    pub fn diagonal(&self, i: usize, j: usize) -> Self {
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.clone());
        shape[i] = shape[i].min(shape.remove(j));
        strides[i] += strides.remove(j);
        self.window(0, shape, strides)
    }

    /// Sums over the axes that [`Array::broadcast_to`] would repeat to get from `shape` to this: its transpose.
    pub fn sum_to(&self, shape: &[usize]) -> Self {
        if self.shape[..] == *shape {
            return self.clone();
        }
        let new = self.shape.len() - shape.len();
        let axes: Dims = (0..self.shape.len())
            .filter(|&axis| axis < new || (shape[axis - new] == 1 && self.shape[axis] != 1))
            .collect();
        crate::reduce::sum(self, &axes).reshape(shape)
    }
}

/// Writes `y`, contiguous and of `shape`, one innermost loop at a time: `f(operands from their place on, steps, y)`.
pub(crate) fn rows<E: Real, const N: usize>(
    shape: &[usize],
    operands: [&Array<E>; N],
    y: &mut [E],
    f: impl Fn([&[E]; N], [usize; N], &mut [E]) + Sync + Send,
) {
    if y.is_empty() {
        return;
    }
    let nest = Nest::new(shape, operands.map(|x| x.strides()));
    let rows_per_piece = (par::PIECE / nest.inner).max(1);
    par::pieces_mut(y, rows_per_piece * nest.inner, |piece, y| {
        isa::vectorized_for::<E, _>(|| {
            nest.rows(piece * rows_per_piece, y.len() / nest.inner, |row, offsets| {
                let slices = std::array::from_fn(|i| &operands[i].data()[offsets[i]..]);
                f(slices, nest.steps, &mut y[row * nest.inner..][..nest.inner]);
            });
        });
    });
}

impl<E: Real, D: Dimension> From<ndarray::Array<E, D>> for Array<E> {
    /// Adopts an owned array: without copying when it is in row-major order without gaps.
    fn from(array: ndarray::Array<E, D>) -> Self {
        let shape: Dims = array.shape().into();
        if !array.is_standard_layout() {
            return Self::from(array.view());
        }
        let len = array.len();
        match array.into_raw_vec_and_offset() {
            (vec, None | Some(0)) if vec.len() == len => Self::from_vec(&shape, vec),
            (vec, offset) => Self::from_vec(&shape, vec[offset.unwrap_or(0)..][..len].to_vec()),
        }
    }
}

impl<E: Real, D: Dimension> From<ArrayView<'_, E, D>> for Array<E> {
    /// Copies a view.
    fn from(view: ArrayView<E, D>) -> Self {
        Self::build(view.shape(), |y| match view.as_slice() {
            Some(x) => y.copy_from_slice(x),
            None => y.iter_mut().zip(&view).for_each(|(y, &x)| *y = x),
        })
    }
}
