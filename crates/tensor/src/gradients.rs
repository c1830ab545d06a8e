//! What backward returns.

use std::collections::HashMap;

use smallvec::SmallVec;
use striate_compute::Real;

use crate::array::Array;
use crate::tensor::Tensor;

/// Gradients of a loss, to be read with the tensors that they belong to.
#[derive(Clone)]
pub struct Gradients<E: Real = f32> {
    of: HashMap<u64, SmallVec<[Option<Tensor<E>>; 1]>>,
}

impl<E: Real> Default for Gradients<E> {
    fn default() -> Self {
        Gradients { of: HashMap::new() }
    }
}

impl<E: Real> Gradients<E> {
    pub(crate) fn insert(&mut self, id: u64, gradients: impl Iterator<Item = Option<Tensor<E>>>) {
        self.of.insert(id, gradients.collect());
    }

    /// dL/dx, or `None` when the loss does not depend on `x` or `x` is not tracked.
    pub fn get(&self, x: &Tensor<E>) -> Option<&Tensor<E>> {
        let edge = x.edge()?;
        self.of.get(&edge.node.id)?[edge.output].as_ref()
    }

    /// Replaces dL/dx, when there is one: as clipping does.
    pub fn set(&mut self, x: &Tensor<E>, gradient: Tensor<E>) {
        if let Some(slot) = x.edge().and_then(|edge| self.of.get_mut(&edge.node.id)?.get_mut(edge.output)) {
            *slot = Some(gradient);
        }
    }

    /// Changes dL/dx, when there is one, in place: no element is copied unless another handle shares them.
    pub fn update(&mut self, x: &Tensor<E>, change: impl FnOnce(&mut Array<E>)) {
        let slot = x.edge().and_then(|edge| self.of.get_mut(&edge.node.id)?.get_mut(edge.output));
        if let Some(slot) = slot
            && let Some(gradient) = slot.take()
        {
            let mut array = gradient.array();
            drop(gradient);
            change(&mut array);
            *slot = Some(array.into());
        }
    }

    /// Adds the gradients of another loss: gradient accumulation.
    pub fn accumulate(&mut self, other: Gradients<E>) {
        for (id, gradients) in other.of {
            let Some(sums) = self.of.get_mut(&id) else {
                self.of.insert(id, gradients);
                continue;
            };
            for (sum, gradient) in sums.iter_mut().zip(gradients) {
                *sum = match (sum.take(), gradient) {
                    (Some(a), Some(b)) => Some(a.add_in_place(&b)),
                    (a, b) => a.or(b),
                };
            }
        }
    }

    /// How many tensors have a gradient.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether nothing has a gradient.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}
