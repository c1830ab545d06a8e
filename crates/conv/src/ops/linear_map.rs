//! Linear maps as operations: the gradient of one is its transpose, and the gradient of that is the map again.

use striate_tensor::shape::Dims;
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

/// y = A x for a matrix A that is not written down.
pub(crate) trait LinearMap<E: Real>: Clone + Send + Sync + 'static {
    /// The name in messages.
    const NAME: &'static str;
    /// y ← A x
    fn map(&self, x: &[E], y: &mut [E]);
    /// dx ← β·dx + Aᵀ dy; β is 0 or 1.
    fn transpose(&self, dy: &[E], beta: E, dx: &mut [E]);
}

/// y = A x, of the shape `y`; dx = Aᵀ dy
pub(crate) fn linear_map<E: Real, F: LinearMap<E>>(map: F, x: &Tensor<E>, y: &[usize]) -> Tensor<E> {
    apply(Map(Shaped { map, x: x.shape().into(), y: y.into() }), &[x])
}

/// x = Aᵀ y, of the shape `x`; dy = A dx
pub(crate) fn transposed_map<E: Real, F: LinearMap<E>>(map: F, y: &Tensor<E>, x: &[usize]) -> Tensor<E> {
    apply(Transposed(Shaped { map, x: x.into(), y: y.shape().into() }), &[y])
}

#[derive(Clone)]
struct Shaped<F> {
    map: F,
    x: Dims,
    y: Dims,
}

impl<F> Shaped<F> {
    fn map<E: Real>(&self, x: &Array<E>) -> Array<E>
    where
        F: LinearMap<E>,
    {
        Array::build(&self.y, |y| self.map.map(x.contiguous().as_slice().expect("made contiguous"), y))
    }

    fn transpose<E: Real>(&self, y: &Array<E>, beta: E, x: &mut [E])
    where
        F: LinearMap<E>,
    {
        self.map.transpose(y.contiguous().as_slice().expect("made contiguous"), beta, x);
    }
}

struct Map<F>(Shaped<F>);

impl<E: Real, F: LinearMap<E>> Op<E> for Map<F> {
    const NAME: &'static str = F::NAME;
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([self.0.map(&x[0])].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        dx.write(0, |dx, beta| self.0.transpose(dy, beta, dx));
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(apply(Transposed(self.0.clone()), &[dy[0].as_ref()?]))])
    }
}

struct Transposed<F>(Shaped<F>);

impl<E: Real, F: LinearMap<E>> Op<E> for Transposed<F> {
    const NAME: &'static str = F::NAME;
    type Saved = ();

    fn forward(&self, y: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([Array::build(&self.0.x, |x| self.0.transpose(&y[0], E::zero(), x))].into(), Some(()))
    }

    fn backward(&self, _: &(), dx: &[Option<Array<E>>], dy: &mut Grads<E>) {
        let Some(dx) = dx[0].as_ref().filter(|_| dy.wants(0)) else { return };
        dy.add(0, self.0.map(dx));
    }

    fn backward_tensors(
        &self,
        _y: &[Tensor<E>],
        _x: &[Tensor<E>],
        dx: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(apply(Map(self.0.clone()), &[dx[0].as_ref()?]))])
    }
}
