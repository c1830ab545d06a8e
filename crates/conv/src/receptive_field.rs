//! How much of the input one output of a stack of windows sees.

use std::ops::Range;

use crate::{GeometryError, Window};

/// What an output sees along one axis: output q sees the inputs from start + q·jump on, `size` of them.
///
/// A window with kernel k, stride s, padding p before, and dilation d on top of (size r, jump j, start u) gives
/// r′ = r + d·(k − 1)·j, j′ = j·s, u′ = u − p·j.
///
/// Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill 2019.
///
/// ```
/// use striate_conv::{ReceptiveField, Window};
///
/// let pooled = Window { kernel: 2, stride: 2, ..Default::default() };
/// let conv = Window { kernel: 3, padding: (1, 1), ..Default::default() };
/// let field = ReceptiveField::default().then(pooled)?.then(conv)?;
/// assert_eq!(field, ReceptiveField { size: 6, jump: 2, start: -2 });
/// assert_eq!(field.inputs(5), 8..14);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceptiveField {
    /// Number of inputs from the first to the last that an output sees.
    pub size: usize,
    /// Distance, in inputs, of the fields of neighbouring outputs.
    pub jump: usize,
    /// The first input that output 0 sees; below 0 it is padding.
    pub start: isize,
}

impl Default for ReceptiveField {
    /// An input sees itself.
    fn default() -> Self {
        ReceptiveField { size: 1, jump: 1, start: 0 }
    }
}

impl ReceptiveField {
    /// The field after one more window.
    ///
    /// # Errors
    /// When kernel, stride or dilation is 0, or a size overflows.
    pub fn then(self, window: Window) -> Result<Self, GeometryError> {
        self.then_along(0, window)
    }

    fn then_along(self, axis: usize, window: Window) -> Result<Self, GeometryError> {
        let Window { kernel, stride, padding: (before, _), dilation } = window;
        for (what, size) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
            if size == 0 {
                return Err(GeometryError::Zero { what, axis });
            }
        }
        let next = || {
            let growth = dilation.checked_mul(kernel - 1)?.checked_mul(self.jump)?;
            let padding = isize::try_from(before.checked_mul(self.jump)?).ok()?;
            Some(ReceptiveField {
                size: self.size.checked_add(growth)?,
                jump: self.jump.checked_mul(stride)?,
                start: self.start.checked_sub(padding)?,
            })
        };
        next().ok_or(GeometryError::Overflow { what: "a receptive field" })
    }

    /// The inputs that output `q` sees, without regard to where the input ends.
    pub fn inputs(&self, q: usize) -> Range<isize> {
        let first = self.start + (q * self.jump) as isize;
        first..first + self.size as isize
    }
}

/// The receptive field of every layer of a stack over D axes, the first layer first.
///
/// # Errors
/// When kernel, stride or dilation is 0, or a size overflows.
///
/// Five 3×3 windows see what one 11×11 window sees, with 45 weights for each pair of channels where that has 121:
///
/// ```
/// use striate_conv::{Window, receptive_fields};
///
/// let three = [Window { kernel: 3, padding: (1, 1), ..Default::default() }; 2];
/// let eleven = [Window { kernel: 11, padding: (5, 5), ..Default::default() }; 2];
/// let deep = receptive_fields(&[three; 5])?;
/// assert_eq!(deep[4], receptive_fields(&[eleven])?[0]);
/// assert!(deep.iter().map(|[height, _]| height.size).eq([3, 5, 7, 9, 11]));
/// let weights = |window: &[Window; 2]| window[0].kernel * window[1].kernel;
/// assert_eq!((5 * weights(&three), weights(&eleven)), (45, 121));
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn receptive_fields<const D: usize>(
    layers: &[[Window; D]],
) -> Result<Vec<[ReceptiveField; D]>, GeometryError> {
    let mut field = [ReceptiveField::default(); D];
    layers
        .iter()
        .map(|windows| {
            for (axis, window) in windows.iter().enumerate() {
                field[axis] = field[axis].then_along(axis, *window)?;
            }
            Ok(field)
        })
        .collect()
}

/// How strongly the middle output of a network depends on each place of its input: |∂ Σₒ y[n, o, middle] / ∂x|,
/// summed over samples and channels.
///
/// `input` is (N, C, *); x is drawn from the standard normal distribution with a fixed seed, so several samples give an
/// average. The network maps (N, C, *) to (N, O, *); the middle of an even number of outputs is the one after it.
/// The array returned has the shape of *. Its support is the [receptive field](receptive_fields); the weight falls off
/// towards its rim.
///
/// Source: Luo, Li, Urtasun and Zemel, "Understanding the effective receptive field in deep convolutional neural
/// networks", NIPS 2016.
///
/// # Panics
/// When `input` or the output has no spatial axis, the output has none of its elements, or does not depend on the
/// input.
///
/// ```
/// use striate_conv::effective_receptive_field;
/// use striate_tensor::Tensor;
///
/// // Two layers that each average three neighbours weigh nine paths: 1, 2, 3, 2, 1 of them to each input.
/// let average = |x: &Tensor<f64>| {
///     let width = x.shape()[2] - 2;
///     (x.narrow(2, 0, width) + x.narrow(2, 1, width) + x.narrow(2, 2, width)) / 3.0
/// };
/// let field = effective_receptive_field(&[1, 1, 9], |x: &Tensor<f64>| average(&average(x)));
/// let paths: Vec<f64> = field.iter().map(|weight| (9.0 * weight).round()).collect();
/// assert_eq!(paths, [0.0, 0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0, 0.0]);
/// ```
#[cfg(feature = "autograd")]
#[track_caller]
pub fn effective_receptive_field<E: striate_tensor::Real>(
    input: &[usize],
    network: impl FnOnce(&striate_tensor::Tensor<E>) -> striate_tensor::Tensor<E>,
) -> ndarray::ArrayD<E> {
    use ndarray::Axis;
    use striate_tensor::{Array, GradOptions, Tensor, grad};

    assert!(input.len() > 2, "effective_receptive_field: input must be (N, C, *), not {input:?}");
    let mut rng = striate_compute::rng::Rng::new(0);
    let x = Tensor::from(Array::build(input, |x| rng.fill_normal(x, 0.0, 1.0))).requires_grad();
    let y = network(&x);
    assert!(
        y.rank() > 2 && !y.is_empty() && y.is_tracked(),
        "effective_receptive_field: the network must map {input:?} to (N, O, *), not {:?}, and depend on it",
        y.shape()
    );
    let middle = (2..y.rank()).fold(y, |y, axis| {
        let place = y.shape()[axis] / 2;
        y.narrow(axis as isize, place, 1)
    });
    let [dx] =
        grad(&middle.sum(), &[&x], GradOptions::default()).try_into().expect("one gradient for one input");
    dx.to_ndarray().mapv(E::abs).sum_axis(Axis(0)).sum_axis(Axis(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks, layer by layer and element by element, what an output reads.
    fn marked(layers: &[Window], q: usize) -> (isize, isize) {
        let mut read = vec![q as isize];
        for window in layers.iter().rev() {
            let taps = |&place: &isize| {
                let first = place * window.stride as isize - window.padding.0 as isize;
                (0..window.kernel).map(move |tap| first + (tap * window.dilation) as isize)
            };
            read = read.iter().flat_map(taps).collect();
        }
        (*read.iter().min().unwrap(), *read.iter().max().unwrap())
    }

    #[test]
    fn fields_are_what_the_windows_read() {
        let window =
            |kernel, stride, before, dilation| Window { kernel, stride, padding: (before, 9), dilation };
        let stacks = [
            vec![window(1, 1, 0, 1)],
            vec![window(7, 2, 3, 1), window(3, 2, 1, 1), window(3, 1, 1, 1)],
            vec![window(3, 1, 1, 1), window(3, 1, 2, 2), window(3, 1, 4, 4)],
            vec![window(2, 3, 0, 2), window(4, 1, 2, 3), window(5, 2, 1, 1)],
        ];
        for stack in stacks {
            let by_axis: Vec<[Window; 1]> = stack.iter().map(|&window| [window]).collect();
            let [field] = receptive_fields(&by_axis).unwrap()[stack.len() - 1];
            for q in [0, 1, 6] {
                let (first, last) = marked(&stack, q);
                assert_eq!(field.inputs(q), first..last + 1, "{stack:?}");
            }
        }
    }

    #[test]
    fn axes_are_independent_and_errors_name_theirs() {
        let (tall, wide) = (
            Window { kernel: 5, ..Default::default() },
            Window { kernel: 3, stride: 2, ..Default::default() },
        );
        let fields = receptive_fields(&[[tall, wide], [tall, wide]]).unwrap();
        assert_eq!(fields[1][0], ReceptiveField { size: 9, jump: 1, start: 0 });
        assert_eq!(fields[1][1], ReceptiveField { size: 7, jump: 4, start: 0 });
        let still = Window { stride: 0, ..Default::default() };
        assert_eq!(receptive_fields(&[[tall, still]]), Err(GeometryError::Zero { what: "stride", axis: 1 }));
        let endless = Window { kernel: 3, stride: usize::MAX, ..Default::default() };
        assert!(matches!(receptive_fields(&[[endless], [endless]]), Err(GeometryError::Overflow { .. })));
    }
}
