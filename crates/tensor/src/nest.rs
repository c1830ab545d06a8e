//! Loops over strided operands.

use crate::shape::Dims;

/// A loop nest over `N` operands of one shape. Axes that all operands walk without a gap are merged,
/// so the innermost loop is as long as the layouts allow.
pub(crate) struct Nest<const N: usize> {
    outer: Dims,
    outer_strides: [Dims; N],
    /// Length of the innermost loop.
    pub(crate) inner: usize,
    /// Steps of the operands in the innermost loop.
    pub(crate) steps: [usize; N],
}

impl<const N: usize> Nest<N> {
    pub(crate) fn new(shape: &[usize], strides: [&[usize]; N]) -> Self {
        let mut merged = Dims::new();
        let mut merged_strides: [Dims; N] = std::array::from_fn(|_| Dims::new());
        for axis in (0..shape.len()).filter(|&axis| shape[axis] != 1) {
            let joins = merged.last().is_some()
                && (0..N).all(|i| *merged_strides[i].last().unwrap() == strides[i][axis] * shape[axis]);
            if joins {
                *merged.last_mut().unwrap() *= shape[axis];
                (0..N).for_each(|i| *merged_strides[i].last_mut().unwrap() = strides[i][axis]);
            } else {
                merged.push(shape[axis]);
                (0..N).for_each(|i| merged_strides[i].push(strides[i][axis]));
            }
        }
        let inner = merged.pop().unwrap_or(1);
        let steps = std::array::from_fn(|i| merged_strides[i].pop().unwrap_or(1));
        Nest { outer: merged, outer_strides: merged_strides, inner, steps }
    }

    /// How many innermost loops there are.
    pub(crate) fn count(&self) -> usize {
        self.outer.iter().product()
    }

    /// The place of the `element`-th element in row-major order.
    pub(crate) fn cursor(&self, element: usize) -> Cursor<'_, N> {
        let inner = self.inner.max(1);
        let mut index: Dims = self.outer.clone();
        let mut rest = element / inner;
        for (i, &n) in self.outer.iter().enumerate().rev() {
            index[i] = rest % n.max(1);
            rest /= n.max(1);
        }
        let row = std::array::from_fn(|operand| {
            self.outer_strides[operand].iter().zip(&index).map(|(stride, i)| stride * i).sum()
        });
        Cursor { nest: self, index, row, column: element % inner }
    }

    /// Calls `f` with the operands' offsets for `count` consecutive innermost loops from the `first` on.
    #[inline(always)]
    pub(crate) fn rows(&self, first: usize, count: usize, mut f: impl FnMut(usize, [usize; N])) {
        let mut cursor = self.cursor(first * self.inner);
        for row in 0..count {
            f(row, cursor.row);
            cursor.advance(self.inner);
        }
    }
}

/// A place in a loop nest.
pub(crate) struct Cursor<'a, const N: usize> {
    nest: &'a Nest<N>,
    index: Dims,
    row: [usize; N],
    column: usize,
}

impl<const N: usize> Cursor<'_, N> {
    /// How many elements are left in the innermost loop.
    pub(crate) fn left(&self) -> usize {
        self.nest.inner - self.column
    }

    /// The operands' offsets here.
    pub(crate) fn offsets(&self) -> [usize; N] {
        std::array::from_fn(|i| self.row[i] + self.column * self.nest.steps[i])
    }

    /// Moves on by at most [`Cursor::left`] elements.
    pub(crate) fn advance(&mut self, elements: usize) {
        self.column += elements;
        if self.column < self.nest.inner {
            return;
        }
        self.column = 0;
        for axis in (0..self.index.len()).rev() {
            let (n, strides) = (self.nest.outer[axis], &self.nest.outer_strides);
            self.index[axis] += 1;
            (0..N).for_each(|i| self.row[i] += strides[i][axis]);
            if self.index[axis] < n {
                break;
            }
            self.index[axis] = 0;
            (0..N).for_each(|i| self.row[i] -= strides[i][axis] * n);
        }
    }
}
