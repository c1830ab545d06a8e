//! a + b, a − b, a · b, a / b with broadcasting, and with a number on either side.

use std::ops::{Add, Div, Mul, Neg, Sub};

use striate_compute::Real;

use crate::array::Array;
use crate::op::{Grads, Op, Outputs};
use crate::shape::{broadcast, expect};
use crate::tape::apply;
use crate::tensor::Tensor;

type Pair<E> = [Array<E>; 2];

#[track_caller]
fn zip<E: Real>(op: &'static str, x: &[Array<E>], f: impl Fn(E, E) -> E + Sync + Send) -> Outputs<E> {
    let shape = expect(broadcast(op, x[0].shape(), x[1].shape()));
    [Array::zip_to(&shape, &x[0], &x[1], f)].into()
}

fn pair<E: Real>(x: &[Array<E>]) -> Pair<E> {
    [x[0].clone(), x[1].clone()]
}

/// a + b; da = dy, db = dy
struct AddOp;

impl<E: Real> Op<E> for AddOp {
    const NAME: &'static str = "add";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        (zip("add", x, |a, b| a + b), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        for i in 0..2 {
            if dx.wants(i) {
                dx.add(i, dy.sum_to(dx.shape(i)));
            }
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        Some(vec![Some(dy.sum_to(x[0].shape())), Some(dy.sum_to(x[1].shape()))])
    }
}

/// a − b; da = dy, db = −dy
struct SubOp;

impl<E: Real> Op<E> for SubOp {
    const NAME: &'static str = "sub";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        (zip("sub", x, |a, b| a - b), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        if dx.wants(0) {
            dx.add(0, dy.sum_to(dx.shape(0)));
        }
        if dx.wants(1) {
            dx.add(1, dy.sum_to(dx.shape(1)).map(|dy| -dy));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        Some(vec![Some(dy.sum_to(x[0].shape())), Some(-dy.sum_to(x[1].shape()))])
    }
}

/// a · b; da = dy · b, db = dy · a
struct MulOp;

impl<E: Real> Op<E> for MulOp {
    const NAME: &'static str = "mul";
    type Saved = Pair<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Pair<E>>) {
        (zip("mul", x, |a, b| a * b), keep.then(|| pair(x)))
    }

    fn backward(&self, x: &Pair<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        for i in 0..2 {
            if dx.wants(i) {
                dx.add(i, Array::zip_to(dy.shape(), dy, &x[1 - i], |dy, b| dy * b).sum_to(dx.shape(i)));
            }
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        Some((0..2).map(|i| Some((dy * &x[1 - i]).sum_to(x[i].shape()))).collect())
    }
}

/// a / b; da = dy / b, db = −dy · a / b²
struct DivOp;

impl<E: Real> Op<E> for DivOp {
    const NAME: &'static str = "div";
    type Saved = Pair<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Pair<E>>) {
        (zip("div", x, |a, b| a / b), keep.then(|| pair(x)))
    }

    fn backward(&self, [a, b]: &Pair<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let da = Array::zip_to(dy.shape(), dy, b, |dy, b| dy / b);
        if dx.wants(1) {
            let a_over_b = Array::zip_to(dy.shape(), a, b, |a, b| a / b);
            dx.add(1, da.zip(&a_over_b, |da, y| -da * y).sum_to(b.shape()));
        }
        if dx.wants(0) {
            dx.add(0, da.sum_to(a.shape()));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let da = dy[0].as_ref()? / &x[1];
        Some(vec![Some(da.sum_to(x[0].shape())), Some(-(da * &y[0]).sum_to(x[1].shape()))])
    }
}

/// scale · x + shift; dx = scale · dy
struct Affine {
    scale: f64,
    shift: f64,
}

impl<E: Real> Op<E> for Affine {
    const NAME: &'static str = "affine";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let (scale, shift) = (E::of(self.scale), E::of(self.shift));
        let y = if self.shift == 0.0 {
            x[0].map(move |x| scale * x)
        } else {
            x[0].map(move |x| scale * x + shift)
        };
        ([y].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let scale = E::of(self.scale);
        dx.add(0, if self.scale == 1.0 { dy.clone() } else { dy.map(move |dy| scale * dy) });
    }

    fn backward_tensors(
        &self,
        _x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        Some(vec![Some(dy[0].as_ref()? * self.scale)])
    }
}

#[track_caller]
fn affine<E: Real>(x: &Tensor<E>, scale: f64, shift: f64) -> Tensor<E> {
    apply(Affine { scale, shift }, &[x])
}

#[track_caller]
fn divide<E: Real>(number: f64, x: &Tensor<E>) -> Tensor<E> {
    apply(DivOp, &[&Tensor::scalar(number), x])
}

/// `$trait` for all pairs of tensors and references, and for a number on either side.
macro_rules! operator {
    ($trait:ident, $method:ident, $op:expr, $with_number:expr, $from_number:expr) => {
        operator!(@pair $trait, $method, $op, Tensor<E>, Tensor<E>);
        operator!(@pair $trait, $method, $op, Tensor<E>, &Tensor<E>);
        operator!(@pair $trait, $method, $op, &Tensor<E>, Tensor<E>);
        operator!(@pair $trait, $method, $op, &Tensor<E>, &Tensor<E>);
        operator!(@number $trait, $method, $with_number, $from_number, Tensor<E>);
        operator!(@number $trait, $method, $with_number, $from_number, &Tensor<E>);
    };
    (@pair $trait:ident, $method:ident, $op:expr, $a:ty, $b:ty) => {
        impl<E: Real> $trait<$b> for $a {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, other: $b) -> Tensor<E> {
                apply($op, &[&self, &other])
            }
        }
    };
    (@number $trait:ident, $method:ident, $with_number:expr, $from_number:expr, $x:ty) => {
        impl<E: Real> $trait<f64> for $x {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, number: f64) -> Tensor<E> {
                $with_number(&self, number)
            }
        }
        impl<E: Real> $trait<$x> for f64 {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, x: $x) -> Tensor<E> {
                $from_number(self, &x)
            }
        }
    };
}

operator!(Add, add, AddOp, |x, c| affine(x, 1.0, c), |c, x| affine(x, 1.0, c));
operator!(Sub, sub, SubOp, |x, c: f64| affine(x, 1.0, -c), |c, x| affine(x, -1.0, c));
operator!(Mul, mul, MulOp, |x, c| affine(x, c, 0.0), |c, x| affine(x, c, 0.0));
operator!(Div, div, DivOp, |x: &Tensor<E>, c: f64| apply(DivOp, &[x, &Tensor::scalar(c)]), divide);

impl<E: Real> Neg for &Tensor<E> {
    type Output = Tensor<E>;
    fn neg(self) -> Tensor<E> {
        affine(self, -1.0, 0.0)
    }
}

impl<E: Real> Neg for Tensor<E> {
    type Output = Tensor<E>;
    fn neg(self) -> Tensor<E> {
        -&self
    }
}
