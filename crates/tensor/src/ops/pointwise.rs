//! y = f(x), element by element: a function is its equation and its derivative.

use striate_compute::Real;

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::tape::apply;
use crate::tensor::Tensor;

/// What the derivative of a [`Pointwise`] function is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// f′ as a function of x.
    Input,
    /// f′ as a function of y = f(x), as for exp, tanh and sigmoid.
    Output,
}

/// A function of one number, applied to every element: use it with [`pointwise`].
///
/// It is copied into the loops, so that its parameters stay in registers there.
pub trait Pointwise<E: Real>: Copy + Send + Sync + 'static {
    /// The name in messages.
    const NAME: &'static str;
    /// What [`Pointwise::df`] is given.
    const READS: Reads;
    /// f(x); `#[inline(always)]`, so that the loop over it vectorises.
    fn f(&self, x: E) -> E;
    /// f′, given x or y as [`Pointwise::READS`] says.
    fn df(&self, v: E) -> E;
    /// dy · f′: what a step function overrides, to pass 0 where f′ = 0 also when dy is infinite.
    #[inline(always)]
    fn pass(&self, v: E, dy: E) -> E {
        self.df(v) * dy
    }
    /// [`Pointwise::df`] in tensor operations, for gradients of gradients.
    fn df_tensor(&self, v: &Tensor<E>) -> Tensor<E>;
}

struct Map<F>(F);

impl<E: Real, F: Pointwise<E>> Op<E> for Map<F> {
    const NAME: &'static str = F::NAME;
    type Saved = Array<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Array<E>>) {
        let f = self.0;
        let y = x[0].map(
            #[inline(always)]
            move |x| f.f(x),
        );
        let saved = keep.then(|| if F::READS == Reads::Input { x[0].clone() } else { y.clone() });
        ([y].into(), saved)
    }

    fn backward(&self, v: &Array<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        if let Some(dy) = &dy[0] {
            let f = self.0;
            let g = v.zip(
                dy,
                #[inline(always)]
                move |v, dy| f.pass(v, dy),
            );
            dx.add(0, g);
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let v = if F::READS == Reads::Input { &x[0] } else { &y[0] };
        Some(vec![Some(self.0.df_tensor(v) * dy[0].as_ref()?)])
    }
}

/// y = f(x) for every element of x, any shape.
#[track_caller]
pub fn pointwise<E: Real, F: Pointwise<E>>(f: F, x: &Tensor<E>) -> Tensor<E> {
    apply(Map(f), &[x])
}
