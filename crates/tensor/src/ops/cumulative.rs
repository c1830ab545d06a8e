//! Running sums.

use striate_compute::{Real, par};

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{self, elements, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

/// yᵢ = x₀ + … + xᵢ along an axis; dxᵢ = dyᵢ + dyᵢ₊₁ + …, the same from the end, which `reverse` says
#[derive(Clone, Copy)]
struct Cumsum {
    axis: usize,
    reverse: bool,
}

impl Cumsum {
    /// Adds in f64, as PyTorch does.
    fn run<E: Real>(self, x: &Array<E>) -> Array<E> {
        let shape = x.shape();
        let (n, inner) = (shape[self.axis], elements(&shape[self.axis + 1..]));
        let x = x.contiguous();
        let x = x.as_slice().expect("the copy is contiguous");
        Array::build(shape, |y| {
            if y.is_empty() {
                return;
            }
            let block = n * inner;
            let blocks = (par::PIECE / block).max(1);
            par::pieces_mut(y, blocks * block, |piece, y| {
                let x = &x[piece * blocks * block..];
                let mut sums = vec![0.0; inner];
                for (x, y) in x.chunks_exact(block).zip(y.chunks_exact_mut(block)) {
                    let pairs = y.chunks_exact_mut(inner).zip(x.chunks_exact(inner));
                    sums.fill(0.0);
                    match (inner, self.reverse) {
                        (1, false) => running(y.iter_mut().zip(x)),
                        (1, true) => running(y.iter_mut().zip(x).rev()),
                        (_, false) => pairs.for_each(|(y, x)| add_row(&mut sums, y, x)),
                        (_, true) => pairs.rev().for_each(|(y, x)| add_row(&mut sums, y, x)),
                    }
                }
            });
        })
    }

    fn backwards(self) -> Self {
        Cumsum { reverse: !self.reverse, ..self }
    }
}

fn running<'a, E: Real>(pairs: impl Iterator<Item = (&'a mut E, &'a E)>) {
    let mut sum = 0.0;
    for (y, x) in pairs {
        sum += x.f64();
        *y = E::of(sum);
    }
}

fn add_row<E: Real>(sums: &mut [f64], y: &mut [E], x: &[E]) {
    for ((sum, y), x) in sums.iter_mut().zip(y).zip(x) {
        *sum += x.f64();
        *y = E::of(*sum);
    }
}

impl<E: Real> Op<E> for Cumsum {
    const NAME: &'static str = "cumsum";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        ([self.run(&x[0])].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        if let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) {
            dx.add(0, self.backwards().run(dy));
        }
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(apply(self.backwards(), &[dy[0].as_ref()?]))])
    }
}

impl<E: Real> Tensor<E> {
    /// Running sums along an axis.
    ///
    /// yᵢ = x₀ + … + xᵢ, dxᵢ = dyᵢ + dyᵢ₊₁ + …; added in f64. The result has the shape of x.
    /// PyTorch's `torch.cumsum(x, dim)`.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use striate_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.0, 3.0]).cumsum(0).to_vec(), [1.0, 3.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Self {
        let axis = expect(shape::axis("cumsum", axis, self.shape()));
        apply(Cumsum { axis, reverse: false }, &[self])
    }
}
