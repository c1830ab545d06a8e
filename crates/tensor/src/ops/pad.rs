//! More elements around the edges.

use striate_compute::{Real, par};

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, ShapeError, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// What [`Tensor::pad`] puts around the elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// One number.
    Constant(f64),
    /// The elements mirrored at the first and the last, which are not repeated: c b | a b c | b a.
    Reflect,
    /// The first and the last element: a a | a b c | c c.
    Replicate,
}

/// y = x within a margin of `value`; dx = dy without the margin, a view
struct Pad {
    padding: Vec<(usize, usize)>,
    value: f64,
    shape: Dims,
}

impl<E: Real> Op<E> for Pad {
    const NAME: &'static str = "pad";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let x = x[0].contiguous();
        let value = E::of(self.value);
        let y = Array::build(&self.shape, |y| {
            if x.is_empty() || y.is_empty() {
                return y.fill(value);
            }
            let (&[ref outer @ .., width], &[ref margins @ .., (before, _)]) =
                (&self.shape[..], &self.padding[..])
            else {
                return y.copy_from_slice(&x.data()[..1]);
            };
            let (x_shape, data) = (x.shape(), x.as_slice().expect("the copy is contiguous"));
            let x_width = x_shape[outer.len()];
            let source_row = |mut row: usize| {
                let (mut source, mut pitch) = (0, 1);
                for axis in (0..outer.len()).rev() {
                    let place = (row % outer[axis]).checked_sub(margins[axis].0)?;
                    source += Some(place).filter(|&place| place < x_shape[axis])? * pitch;
                    pitch *= x_shape[axis];
                    row /= outer[axis];
                }
                Some(source)
            };
            let rows = (par::PIECE / width).max(1);
            par::pieces_mut(y, rows * width, |piece, y| {
                for (i, y) in y.chunks_exact_mut(width).enumerate() {
                    let Some(row) = source_row(piece * rows + i) else {
                        y.fill(value);
                        continue;
                    };
                    let (left, rest) = y.split_at_mut(before);
                    let (middle, right) = rest.split_at_mut(x_width);
                    left.fill(value);
                    middle.copy_from_slice(&data[row * x_width..][..x_width]);
                    right.fill(value);
                }
            });
        });
        ([y].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let mut inside = dy.clone();
        for (axis, &(before, _)) in self.padding.iter().enumerate() {
            inside = inside.slice(axis, before, dx.shape(0)[axis], 1);
        }
        dx.add(0, inside);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let inside = (0..).zip(&self.padding).fold(dy[0].clone()?, |dy, (axis, &(before, _))| {
            dy.narrow(axis, before, x[0].shape()[axis as usize])
        });
        Some(vec![Some(inside)])
    }
}

impl<E: Real> Tensor<E> {
    /// More elements before and after along each axis: `padding` has one (before, after) per axis.
    ///
    /// dx = Σ dy over the places that an element was copied to. (N, C, H, W) with `[(0, 0), (0, 0), (1, 1), (2, 2)]`
    /// becomes (N, C, H + 2, W + 4). PyTorch's `torch.nn.functional.pad`, which names the last axis first.
    ///
    /// # Panics
    /// When there is not one pair per axis; for [`Padding::Reflect`] when a margin is not smaller than its axis, for
    /// [`Padding::Replicate`] when a padded axis is empty.
    ///
    /// ```
    /// # use striate_tensor::{ops::Padding, Tensor};
    /// let x = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
    /// assert_eq!(x.pad(&[(1, 2)], Padding::Constant(0.0)).to_vec(), [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    /// assert_eq!(x.pad(&[(1, 2)], Padding::Reflect).to_vec(), [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
    /// assert_eq!(x.pad(&[(1, 2)], Padding::Replicate).to_vec(), [1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn pad(&self, padding: &[(usize, usize)], with: Padding) -> Self {
        let shape = expect(shape::pad(self.shape(), padding));
        if let Padding::Constant(value) = with {
            return apply(Pad { padding: padding.to_vec(), value, shape }, &[self]);
        }
        padding.iter().enumerate().filter(|&(_, &pair)| pair != (0, 0)).fold(
            self.clone(),
            |x, (axis, &(before, after))| {
                let places = expect(edges(self.shape(), axis, before, after, with == Padding::Reflect));
                x.index_select(axis as isize, &places)
            },
        )
    }
}

/// Which place along an axis each place after padding shows.
fn edges(
    shape: &[usize],
    axis: usize,
    before: usize,
    after: usize,
    reflect: bool,
) -> Result<Vec<usize>, ShapeError> {
    let n = shape[axis];
    let fail = |rule| Err(ShapeError::new("pad", rule, &[("x", shape)]));
    if n == 0 {
        return fail(format!("axis {axis} is empty, it has no edge to copy"));
    }
    if reflect && before.max(after) >= n {
        return fail(format!(
            "margins ({before}, {after}) along axis {axis} must be smaller than its length {n}"
        ));
    }
    let place = |i: usize| match (i.checked_sub(before), reflect) {
        (None, true) => before - i,
        (None, false) => 0,
        (Some(i), true) if i >= n => 2 * (n - 1) - i,
        (Some(i), _) => i.min(n - 1),
    };
    Ok((0..before + n + after).map(place).collect())
}
