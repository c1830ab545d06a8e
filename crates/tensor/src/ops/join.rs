//! Copies side by side: concat, stack, repeat.

use striate_compute::Real;

use super::slice::update;
use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, Dims, ShapeError, Steps, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// Arrays side by side along an axis; dxᵢ = their part of dy, a view
struct Concat {
    axis: usize,
    shape: Dims,
}

impl<E: Real> Op<E> for Concat {
    const NAME: &'static str = "concat";
    type Saved = Vec<usize>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Vec<usize>>) {
        let sizes: Vec<usize> = x.iter().map(|x| x.shape()[self.axis]).collect();
        let y = Array::build(&self.shape, |y| {
            let mut start = 0;
            for (x, &count) in x.iter().zip(&sizes) {
                update(y, &self.shape, Steps { axis: self.axis, start, count, step: 1 }, x, |_, x| x);
                start += count;
            }
        });
        ([y].into(), keep.then_some(sizes))
    }

    fn backward(&self, sizes: &Vec<usize>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let mut start = 0;
        for (i, &count) in sizes.iter().enumerate() {
            dx.add(i, dy.slice(self.axis, start, count, 1));
            start += count;
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let sizes: Vec<usize> = x.iter().map(|x| x.shape()[self.axis]).collect();
        Some(dy[0].as_ref()?.split(&sizes, self.axis as isize).into_iter().map(Some).collect())
    }
}

impl<E: Real> Tensor<E> {
    /// Tensors side by side along an axis; other lengths must be equal.
    ///
    /// dxᵢ = the part of dy that came from xᵢ, without copying. PyTorch's `torch.cat`.
    ///
    /// # Panics
    /// When there is no tensor, the axis does not exist or other lengths differ.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let (a, b) = (Tensor::<f32>::zeros(&[2, 3]), Tensor::ones(&[2, 1]));
    /// assert_eq!(Tensor::concat(&[&a, &b], 1).shape(), [2, 4]);
    /// ```
    #[track_caller]
    pub fn concat(tensors: &[&Self], axis: isize) -> Self {
        let shapes: Vec<&[usize]> = tensors.iter().map(|x| x.shape()).collect();
        let (axis, shape) = expect(shape::concat(&shapes, axis));
        apply(Concat { axis, shape }, tensors)
    }

    /// Tensors of one shape along a new axis. PyTorch's `torch.stack`.
    ///
    /// # Panics
    /// When there is no tensor, shapes differ, or `axis` is no place in the result's shape.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let (a, b) = (Tensor::from_slice(&[1.0f32, 2.0]), Tensor::from_slice(&[3.0, 4.0]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 1).to_vec(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn stack(tensors: &[&Self], axis: isize) -> Self {
        let Some(first) = tensors.first() else {
            return expect(Err(ShapeError::new("stack", "needs at least one operand", &[])));
        };
        if let Some(other) = tensors.iter().find(|x| x.shape() != first.shape()) {
            let operands = [("first", first.shape()), ("other", other.shape())];
            expect::<()>(Err(ShapeError::new("stack", "operands must have one shape", &operands)));
        }
        let longer = expect(shape::unsqueeze("stack", first.shape(), axis));
        let axis = if axis < 0 { axis + longer.len() as isize } else { axis };
        let tensors: Vec<Self> = tensors.iter().map(|x| x.reshape_to(&longer)).collect();
        Self::concat(&tensors.iter().collect::<Vec<_>>(), axis)
    }

    /// The whole tensor `times[axis]` times along each axis; more numbers than axes add axes at the front.
    ///
    /// dx = Σ dy over the repetitions. PyTorch's `x.repeat` and, for as many numbers as axes, `torch.tile`.
    ///
    /// # Panics
    /// When there are fewer numbers than axes.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.0]).repeat(&[2]).to_vec(), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn repeat(&self, times: &[usize]) -> Self {
        let Some(new) = times.len().checked_sub(self.rank()) else {
            let rule = format!("{times:?} has fewer numbers than there are axes");
            return expect(Err(ShapeError::new("repeat", rule, &[("x", self.shape())])));
        };
        let length = |axis: usize| if axis < new { 1 } else { self.shape()[axis - new] };
        let pairs = |first: &dyn Fn(usize) -> usize| -> Dims {
            (0..times.len()).flat_map(|axis| [first(axis), length(axis)]).collect()
        };
        let result: Dims = (0..times.len()).map(|axis| times[axis] * length(axis)).collect();
        self.reshape_to(&pairs(&|_| 1)).expand(&pairs(&|axis| times[axis])).reshape_to(&result)
    }
}
