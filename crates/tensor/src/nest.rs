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

    /// Calls `f` with the operands' offsets for `count` consecutive innermost loops from the `first` on.
    #[inline(always)]
    pub(crate) fn rows(&self, first: usize, count: usize, mut f: impl FnMut(usize, [usize; N])) {
        let mut index: Dims = self.outer.clone();
        let mut rest = first;
        for (i, &n) in self.outer.iter().enumerate().rev() {
            index[i] = rest % n.max(1);
            rest /= n.max(1);
        }
        let mut offsets: [usize; N] = std::array::from_fn(|operand| {
            self.outer_strides[operand].iter().zip(&index).map(|(stride, i)| stride * i).sum()
        });
        for row in 0..count {
            f(row, offsets);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                (0..N).for_each(|i| offsets[i] += self.outer_strides[i][axis]);
                if index[axis] < self.outer[axis] {
                    break;
                }
                index[axis] = 0;
                (0..N).for_each(|i| offsets[i] -= self.outer_strides[i][axis] * self.outer[axis]);
            }
        }
    }
}
