//! What an operation is: a forward map, what it saves, and how it passes gradients back.

use smallvec::{SmallVec, smallvec};
use striate_compute::Real;

use crate::array::Array;
use crate::shape::Dims;
use crate::tape::{Node, Pending};
use crate::tensor::Tensor;

/// The results of an operation: almost always one.
pub type Outputs<E> = SmallVec<[Array<E>; 1]>;

/// A differentiable operation: one `impl`, in one file, in whichever crate it belongs to. Use it with [`crate::apply`].
///
/// ```
/// use striate_tensor::{apply, Array, Grads, Op, Outputs, Tensor};
///
/// /// y = x², dy/dx = 2x
/// struct Square;
///
/// impl Op<f32> for Square {
///     const NAME: &'static str = "square";
///     type Saved = Array<f32>;
///
///     fn forward(&self, x: &[Array<f32>], keep: bool) -> (Outputs<f32>, Option<Self::Saved>) {
///         ([x[0].map(|x| x * x)].into(), keep.then(|| x[0].clone()))
///     }
///
///     fn backward(&self, x: &Self::Saved, dy: &[Option<Array<f32>>], dx: &mut Grads<f32>) {
///         if let Some(dy) = &dy[0] {
///             dx.add(0, x.zip(dy, |x, dy| 2.0 * x * dy));
///         }
///     }
/// }
///
/// let x = Tensor::from_slice(&[1.0, -3.0]).requires_grad();
/// let y = apply(Square, &[&x]);
/// assert_eq!(y.sum().backward().get(&x).unwrap().to_vec(), [2.0, -6.0]);
/// ```
pub trait Op<E: Real>: Send + Sync + 'static {
    /// The name in messages, as users call the operation.
    const NAME: &'static str;
    /// Exactly what [`Op::backward`] reads.
    type Saved: Send + Sync + 'static;

    /// Computes the outputs, and when `keep` what backward will read; without `keep` nothing is saved.
    ///
    /// # Panics
    /// At the line that called the operation, when shapes do not fit.
    #[track_caller]
    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>);

    /// Adds dL/dx to `dx`, given dL/dy (`None` for an output that the loss does not depend on).
    fn backward(&self, saved: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>);

    /// The same backward in differentiable tensor operations, for gradients of gradients: one entry per input.
    ///
    /// The default has none, and asking for one is an error that names the operation.
    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        _dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        None
    }
}

/// Where [`Op::backward`] puts the gradients of its inputs.
pub struct Grads<'a, E: Real> {
    pub(crate) node: &'a Node<E>,
    pub(crate) pending: &'a mut Pending<E>,
    pub(crate) wanted: &'a dyn Fn(&Node<E>) -> bool,
}

impl<E: Real> Grads<'_, E> {
    /// Whether there is an input `i` and anyone asked for its gradient: compute nothing that is not wanted.
    pub fn wants(&self, i: usize) -> bool {
        matches!(self.node.parents.get(i), Some(Some(edge)) if (self.wanted)(&edge.node))
    }

    /// The shape of input `i`, which must be wanted.
    pub fn shape(&self, i: usize) -> &[usize] {
        let edge = self.node.parents[i].as_ref().expect("the input is tracked");
        &edge.node.shapes[edge.output]
    }

    /// Adds `dx` to the gradient of input `i`, when it is wanted.
    ///
    /// # Panics
    /// When `dx` has another shape than the input.
    pub fn add(&mut self, i: usize, dx: Array<E>) {
        if !self.wants(i) {
            return;
        }
        assert_eq!(dx.shape(), self.shape(i), "{}: gradient of input {i} has a wrong shape", self.node.name);
        match self.entry(i) {
            Some(sum) => sum.add_assign(&dx),
            empty => *empty = Some(dx),
        }
    }

    /// The gradient of a wanted input `i` so far (zeros at first), to add to in place.
    pub fn slot(&mut self, i: usize) -> &mut [E] {
        let shape: Dims = self.shape(i).into();
        self.entry(i).get_or_insert_with(|| Array::zeros(&shape)).make_mut()
    }

    /// Calls `write(g, β)`, which must set g ← β·g + dL/dx for a wanted input `i`; for β = 0, g is arbitrary.
    pub fn write(&mut self, i: usize, write: impl FnOnce(&mut [E], E)) {
        let shape: Dims = self.shape(i).into();
        match self.entry(i) {
            Some(sum) => write(sum.make_mut(), E::one()),
            empty => {
                *empty = Some(Array::build(&shape, |g| write(g, E::zero())));
            }
        }
    }

    fn entry(&mut self, i: usize) -> &mut Option<Array<E>> {
        let edge = self.node.parents[i].as_ref().expect("the input is tracked");
        let outputs = edge.node.shapes.len();
        &mut self.pending.entry(edge.node.id).or_insert_with(|| smallvec![None; outputs])[edge.output]
    }
}
