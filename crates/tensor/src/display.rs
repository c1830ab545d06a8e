//! Tensors as people read them.

use std::fmt::{Debug, Display, Formatter, Result};

use striate_compute::Real;

use crate::tensor::Tensor;

/// How all elements of one tensor are written.
struct Style {
    width: usize,
    precision: usize,
    scientific: bool,
}

impl Style {
    fn new(values: &[f64]) -> Self {
        let finite = || values.iter().copied().filter(|x| x.is_finite());
        let magnitudes = || finite().map(f64::abs).filter(|&x| x > 0.0);
        let (smallest, largest) =
            (magnitudes().fold(f64::INFINITY, f64::min), magnitudes().fold(0.0, f64::max));
        let whole = largest < 1e8 && finite().all(|x| x == x.floor());
        let scientific = !whole && (largest >= 1e8 || smallest < 1e-4 || largest > 1000.0 * smallest);
        let mut style = Style { width: 0, precision: if whole { 0 } else { 4 }, scientific };
        let extremes = [
            finite().fold(0.0, f64::min),
            finite().fold(0.0, f64::max),
            smallest.min(1.0),
            -smallest.min(1.0),
        ];
        let written = if scientific { &extremes[..] } else { &extremes[..2] };
        let others = values.iter().copied().find(|x| x.is_nan()).into_iter();
        let others = others.chain(values.iter().copied().filter(|x| x.is_infinite()).reduce(f64::min));
        style.width = written.iter().copied().chain(others).map(|x| style.write(x).len()).max().unwrap_or(0);
        style
    }

    fn write(&self, x: f64) -> String {
        if self.scientific { format!("{x:.*e}", self.precision) } else { format!("{x:.*}", self.precision) }
    }
}

impl<E: Real> Display for Tensor<E> {
    /// The elements in `ndarray`'s brackets, aligned; long axes are shortened.
    ///
    /// Whole numbers have no decimals, others four; numbers that are far apart, large or small get an exponent, as in
    /// PyTorch. A precision of the formatter, as in `{:.2}`, is obeyed instead.
    fn fmt(&self, f: &mut Formatter) -> Result {
        let array = self.array();
        let view = array.view();
        if f.precision().is_some() || f.alternate() {
            return Display::fmt(&view, f);
        }
        let values: Vec<f64> = view.iter().map(|x| x.f64()).collect();
        let Style { width, precision, scientific } = Style::new(&values);
        if scientific {
            write!(f, "{view:>width$.precision$e}")
        } else {
            write!(f, "{view:>width$.precision$}")
        }
    }
}

impl<E: Real> Debug for Tensor<E> {
    /// Shape, element type, whether it is tracked, and the elements.
    fn fmt(&self, f: &mut Formatter) -> Result {
        let tracked = if self.is_tracked() { ", tracked" } else { "" };
        write!(f, "Tensor {:?} {}{tracked}\n{self}", self.shape(), E::NAME)
    }
}
