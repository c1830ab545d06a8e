//! The tensor: a value, and where it came from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, RwLockWriteGuard};

use striate_compute::Real;

use crate::array::Array;
use crate::gradients::Gradients;
use crate::shape::elements;
use crate::tape::{self, Edge, GradOptions, Node};

/// An n-dimensional array of `f32` (or `f64`, to check with) that remembers how it was computed.
///
/// A tensor is a handle: cloning it copies no element, and it can be sent to other threads. Its value never changes,
/// save that of a variable (a parameter), which an optimiser steps with [`Tensor::update`].
///
/// ```
/// use striate_tensor::Tensor;
///
/// let w = Tensor::from_slice(&[1.0f32, 2.0, 3.0]).requires_grad();
/// let loss = (&w * &w).sum();
/// let gradients = loss.backward();
/// assert_eq!(gradients.get(&w).unwrap().to_vec(), [2.0, 4.0, 6.0]);
/// ```
#[derive(Clone)]
pub struct Tensor<E: Real = f32> {
    source: Source<E>,
}

#[derive(Clone)]
enum Source<E: Real> {
    Value(Array<E>, Option<Edge<E>>),
    Variable(Arc<Variable<E>>),
}

struct Variable<E: Real> {
    value: RwLock<Array<E>>,
    node: Arc<Node<E>>,
    tracked: AtomicBool,
}

/// A variable's elements while no one else reads or changes them: see [`Tensor::lock`].
pub struct ElementsLock<'a, E: Real>(RwLockWriteGuard<'a, Array<E>>);

impl<E: Real> ElementsLock<'_, E> {
    /// The elements in row-major order; copied first when another handle shares them.
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        self.0.make_mut()
    }
}

impl<E: Real> Tensor<E> {
    pub(crate) fn recorded(value: Array<E>, edge: Edge<E>) -> Self {
        Tensor { source: Source::Value(value, Some(edge)) }
    }

    /// `value` everywhere.
    pub fn full(shape: &[usize], value: f64) -> Self {
        Array::full(shape, E::of(value)).into()
    }

    /// Zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::full(shape, 0.0)
    }

    /// Ones.
    pub fn ones(shape: &[usize]) -> Self {
        Self::full(shape, 1.0)
    }

    /// A tensor without axes.
    pub fn scalar(value: f64) -> Self {
        Self::full(&[], value)
    }

    /// A tensor with one axis, copied from a slice.
    pub fn from_slice(values: &[E]) -> Self {
        Array::from_vec(&[values.len()], values.to_vec()).into()
    }

    /// Adopts a vector in row-major order without copying it.
    ///
    /// # Panics
    /// When the vector's length is not that of the shape.
    #[track_caller]
    pub fn from_vec(shape: &[usize], values: Vec<E>) -> Self {
        Array::from_vec(shape, values).into()
    }

    /// start, start + 1, …, `count` numbers. PyTorch's `torch.arange`.
    pub fn arange(start: f64, count: usize) -> Self {
        Array::from_vec(&[count], (0..count).map(|i| E::of(start + i as f64)).collect()).into()
    }

    /// `count` numbers from `start` to `end`, both included, evenly spaced. PyTorch's `torch.linspace`.
    pub fn linspace(start: f64, end: f64, count: usize) -> Self {
        let step = (end - start) / (count.max(2) - 1) as f64;
        Array::from_vec(&[count], (0..count).map(|i| E::of(start + step * i as f64)).collect()).into()
    }

    /// The identity matrix (n, n). PyTorch's `torch.eye`.
    pub fn eye(n: usize) -> Self {
        Array::build(&[n, n], |y| {
            y.fill(E::zero());
            y.iter_mut().step_by(n + 1).for_each(|y| *y = E::one());
        })
        .into()
    }

    /// A variable: a tracked leaf whose value [`Tensor::update`] can change, as a parameter is.
    pub fn variable(value: impl Into<Array<E>>) -> Self {
        let value = value.into();
        let node = Node::leaf(value.shape());
        let variable = Variable { value: RwLock::new(value), node, tracked: AtomicBool::new(true) };
        Tensor { source: Source::Variable(Arc::new(variable)) }
    }

    /// Freezes a variable (`false`), so that no gradient is computed for it, or thaws it. PyTorch's `requires_grad_(…)`.
    ///
    /// # Panics
    /// When this is no [`Tensor::variable`].
    #[track_caller]
    pub fn set_requires_grad(&self, tracked: bool) {
        let Source::Variable(variable) = &self.source else { panic!("set_requires_grad: not a variable") };
        variable.tracked.store(tracked, Ordering::Relaxed);
    }

    /// The same value as a new leaf that gradients are computed for. PyTorch's `requires_grad_()` on a detached tensor.
    pub fn requires_grad(&self) -> Self {
        let value = self.array();
        let node = Node::leaf(value.shape());
        Self::recorded(value, Edge { node, output: 0 })
    }

    /// The same value, cut from its history. PyTorch's `detach()`.
    pub fn detach(&self) -> Self {
        self.array().into()
    }

    /// Whether gradients flow to or through this tensor.
    pub fn is_tracked(&self) -> bool {
        match &self.source {
            Source::Value(_, edge) => edge.is_some(),
            Source::Variable(variable) => variable.tracked.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn edge(&self) -> Option<Edge<E>> {
        match &self.source {
            Source::Value(_, edge) => edge.clone(),
            Source::Variable(variable) => {
                self.is_tracked().then(|| Edge { node: variable.node.clone(), output: 0 })
            }
        }
    }

    /// Changes a variable in place. What was computed from the old value, and is still to be differentiated, keeps it.
    ///
    /// # Panics
    /// When this is no [`Tensor::variable`], or `change` gives it another shape.
    #[track_caller]
    pub fn update<R>(&self, change: impl FnOnce(&mut Array<E>) -> R) -> R {
        let Source::Variable(variable) = &self.source else { panic!("update: not a variable") };
        let mut value = variable.value.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let result = change(&mut value);
        assert_eq!(value.shape(), &variable.node.shapes[0][..], "update: a variable keeps its shape");
        result
    }

    /// Locks a variable's elements to change them: a pass over many variables at once holds all their locks.
    ///
    /// Until the lock is dropped, whoever reads the variable's value waits, on this thread for ever.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let w = Tensor::from_slice(&[1.0f32, 2.0]).array();
    /// let w = Tensor::variable(w);
    /// w.lock().as_mut_slice()[1] = 5.0;
    /// assert_eq!(w.to_vec(), [1.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// When this is no [`Tensor::variable`].
    #[track_caller]
    pub fn lock(&self) -> ElementsLock<'_, E> {
        let Source::Variable(variable) = &self.source else { panic!("lock: not a variable") };
        ElementsLock(variable.value.write().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// The value: a handle that shares the elements, to be lent as a view with [`Array::view`].
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.array().view()[[1, 0]], 3.0);
    /// ```
    pub fn array(&self) -> Array<E> {
        match &self.source {
            Source::Value(array, _) => array.clone(),
            Source::Variable(variable) => {
                variable.value.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
            }
        }
    }

    /// Copies the value to an owned `ndarray` array.
    pub fn to_ndarray(&self) -> ndarray::ArrayD<E> {
        self.array().view().to_owned()
    }

    /// Copies the elements in row-major order.
    pub fn to_vec(&self) -> Vec<E> {
        self.array().to_vec()
    }

    /// The only element, as `f64`. PyTorch's `item()`.
    ///
    /// # Panics
    /// When there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> f64 {
        assert_eq!(self.len(), 1, "item: needs one element, has shape {:?}", self.shape());
        self.array().data()[0].f64()
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        match &self.source {
            Source::Value(array, _) => array.shape(),
            Source::Variable(variable) => &variable.node.shapes[0],
        }
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        elements(self.shape())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `hook` with dL/d(this) whenever a backward pass reaches this tensor. PyTorch's `register_hook`, read-only.
    ///
    /// # Panics
    /// When this tensor is not tracked.
    #[track_caller]
    pub fn on_gradient(&self, hook: impl Fn(&Tensor<E>) + Send + Sync + 'static) {
        let edge = self.edge().expect("on_gradient: the tensor is not tracked");
        edge.node.add_hook(edge.output, Arc::new(hook));
    }

    /// Gradients of this loss with respect to all leaves that it depends on. Frees the tape as it passes.
    ///
    /// # Panics
    /// When this is not a single number, when it depends on nothing that is tracked, when an operation on the way has no backward, or when the tape is freed already.
    #[track_caller]
    pub fn backward(&self) -> Gradients<E> {
        self.backward_with(GradOptions::default())
    }

    /// [`Tensor::backward`] with options.
    ///
    /// # Panics
    /// As [`Tensor::backward`].
    #[track_caller]
    pub fn backward_with(&self, options: GradOptions) -> Gradients<E> {
        self.backward_from(&self.one("backward"), options)
    }

    /// Vector–Jacobian product: gradients of Σ self · dy with respect to all leaves. PyTorch's `y.backward(dy)`.
    ///
    /// # Panics
    /// When `dy` has another shape; else as [`Tensor::backward`].
    #[track_caller]
    pub fn backward_from(&self, dy: &Tensor<E>, options: GradOptions) -> Gradients<E> {
        assert_eq!(dy.shape(), self.shape(), "backward_from: dy must have the shape of y");
        assert!(self.is_tracked(), "backward: the loss depends on nothing that gradients are computed for");
        tape::backward(self, dy.clone(), None, options)
    }

    #[track_caller]
    fn one(&self, op: &str) -> Self {
        assert_eq!(self.len(), 1, "{op}: the loss must be one number, it has shape {:?}", self.shape());
        Self::ones(self.shape())
    }

    /// Sum with a tensor that may replace this one: in place when nothing else shares the elements.
    pub(crate) fn add_in_place(self, other: &Self) -> Self {
        let mut sum = self.array();
        drop(self);
        sum.add_assign(&other.array());
        sum.into()
    }
}

/// dy/dx for each `x`, zeros where y does not depend on it; computes nothing else. PyTorch's `torch.autograd.grad`.
///
/// ```
/// # use striate_tensor::{grad, GradOptions, Tensor};
/// let x = Tensor::from_slice(&[3.0f32]).requires_grad();
/// let y = (&x * &x).sum();
/// assert_eq!(grad(&y, &[&x], GradOptions::default())[0].to_vec(), [6.0]);
/// ```
///
/// # Panics
/// As [`Tensor::backward`].
#[track_caller]
pub fn grad<E: Real>(y: &Tensor<E>, x: &[&Tensor<E>], options: GradOptions) -> Vec<Tensor<E>> {
    let gradients = tape::backward(y, y.one("grad"), Some(x), options);
    x.iter().map(|x| gradients.get(x).cloned().unwrap_or_else(|| Tensor::zeros(x.shape()))).collect()
}

impl<E: Real> From<Array<E>> for Tensor<E> {
    fn from(array: Array<E>) -> Self {
        Tensor { source: Source::Value(array, None) }
    }
}

impl<E: Real, D: ndarray::Dimension> From<ndarray::Array<E, D>> for Tensor<E> {
    /// Adopts an owned array: without copying when it is in row-major order without gaps.
    fn from(array: ndarray::Array<E, D>) -> Self {
        Array::from(array).into()
    }
}

impl<E: Real, D: ndarray::Dimension> From<ndarray::ArrayView<'_, E, D>> for Tensor<E> {
    /// Copies a view.
    fn from(view: ndarray::ArrayView<E, D>) -> Self {
        Array::from(view).into()
    }
}
