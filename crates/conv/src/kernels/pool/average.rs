//! Average pooling.

use striate_compute::Real;

use super::geometry::{Divisor, PoolGeometry, Span};
use crate::kernels::{planes, strided};

/// The mean of each window.
///
/// `y[o] = Σ x[o·s + t − p] / divisor` over t, zero outside x. x holds `pool.planes` planes of the input's size, y as
/// many of the output's.
///
/// # Panics
/// When slices have other lengths.
///
/// ```
/// use striate_conv::{Divisor, PoolGeometry, kernels::pool::avg_pool};
///
/// let pool = PoolGeometry::new::<1>(&[1, 1, 4], &2.into())?;
/// let mut y = [0.0; 2];
/// avg_pool(&pool, Divisor::Padded, &[1.0f32, 5.0, 3.0, 2.0], &mut y);
/// assert_eq!(y, [3.0, 2.5]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn avg_pool<E: Real>(pool: &PoolGeometry, divisor: Divisor, x: &[E], y: &mut [E]) {
    let (inputs, outputs) = (pool.input_size(), pool.output_size());
    assert_eq!(x.len(), pool.planes * inputs, "avg_pool: length of x");
    assert_eq!(y.len(), pool.planes * outputs, "avg_pool: length of y");
    let windows = Windows::new(pool, divisor);
    planes::each_with(
        y,
        outputs,
        inputs.max(outputs),
        || vec![E::zero(); pool.input[2]],
        #[inline(always)]
        |sums, plane, y| windows.average(&x[plane * inputs..][..inputs], y, sums),
    );
}

/// Transpose of [`avg_pool`], its gradient: dx ← β·dx, then every dy / divisor is added to all of its window.
/// β is 0 or 1; for 0, what dx holds before is arbitrary.
///
/// # Panics
/// When slices have other lengths.
pub fn avg_pool_gradient<E: Real>(pool: &PoolGeometry, divisor: Divisor, dy: &[E], beta: E, dx: &mut [E]) {
    let (inputs, outputs) = (pool.input_size(), pool.output_size());
    assert_eq!(dy.len(), pool.planes * outputs, "avg_pool_gradient: length of dy");
    assert_eq!(dx.len(), pool.planes * inputs, "avg_pool_gradient: length of dx");
    let windows = Windows::new(pool, divisor);
    planes::each_with(
        dx,
        inputs,
        inputs.max(outputs),
        || [vec![E::zero(); pool.output[2]], vec![E::zero(); pool.input[2]]],
        #[inline(always)]
        |scratch, plane, dx| {
            planes::keep_or_clear(dx, beta);
            windows.spread(&dy[plane * outputs..][..outputs], dx, scratch);
        },
    );
}

/// The windows along each axis, and what each axis adds to the divisor.
struct Windows<E> {
    spans: [Vec<Span>; 3],
    divisors: [Vec<E>; 3],
    input: [usize; 3],
    /// Of sliding windows that all lie inside the input.
    regular: Option<Regular>,
}

struct Regular {
    kernel: usize,
    stride: usize,
    dilation: usize,
}

impl<E: Real> Windows<E> {
    fn new(pool: &PoolGeometry, divisor: Divisor) -> Self {
        let spans = [0, 1, 2].map(|axis| pool.spans(axis));
        let count = |axis: usize, span: &Span| match divisor {
            Divisor::Padded => span.padded,
            Divisor::Inside => span.count,
            Divisor::Fixed(divisor) => {
                if axis == 0 {
                    divisor
                } else {
                    1
                }
            }
        };
        let divisors =
            [0, 1, 2].map(|axis| spans[axis].iter().map(|span| E::of(count(axis, span) as f64)).collect());
        let regular = pool.sliding.map(|sliding| Regular {
            kernel: sliding.kernel[2],
            stride: sliding.stride[2],
            dilation: sliding.dilation[2],
        });
        let regular = regular.filter(|regular| spans[2].iter().all(|span| span.count == regular.kernel));
        Windows { spans, divisors, input: pool.input, regular }
    }

    /// Calls `f(row of y, its windows along depth and height, what the row is divided by)`.
    #[inline(always)]
    fn each_row(&self, mut f: impl FnMut(usize, [Span; 2], E)) {
        let [depths, heights, _] = &self.spans;
        let [depth_divisors, height_divisors, _] = &self.divisors;
        for (d, (&depths, &depth_divisor)) in depths.iter().zip(depth_divisors).enumerate() {
            for (h, (&heights, &height_divisor)) in heights.iter().zip(height_divisors).enumerate() {
                f(d * self.spans[1].len() + h, [depths, heights], depth_divisor * height_divisor);
            }
        }
    }

    /// The rows of x that a row of windows covers.
    #[inline(always)]
    fn covered(&self, [depths, heights]: [Span; 2]) -> impl Iterator<Item = usize> {
        let height = self.input[1];
        depths.taps().flat_map(move |(_, d)| heights.taps().map(move |(_, h)| d * height + h))
    }

    /// Adds the rows that windows cover to `sums`, then the columns of `sums`.
    #[inline(always)]
    fn average(&self, x: &[E], y: &mut [E], sums: &mut [E]) {
        let (width, columns) = (self.input[2], self.spans[2].len());
        self.each_row(
            #[inline(always)]
            |row, windows, divisor| {
                let y = &mut y[row * columns..][..columns];
                for (i, row) in self.covered(windows).enumerate() {
                    let x = &x[row * width..][..width];
                    match i {
                        0 => sums.copy_from_slice(x),
                        _ => sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x),
                    }
                }
                match self.regular {
                    Some(Regular { kernel, stride, dilation }) => {
                        y.fill(E::zero());
                        for tap in 0..kernel {
                            strided::gather(&sums[tap * dilation..], stride, E::one(), y);
                        }
                    }
                    None => {
                        for (y, span) in y.iter_mut().zip(&self.spans[2]) {
                            *y = match span.step {
                                1 => strided::sum(&sums[span.first..][..span.count]),
                                _ => span.taps().fold(E::zero(), |sum, (_, column)| sum + sums[column]),
                            };
                        }
                    }
                }
                for (y, &column) in y.iter_mut().zip(&self.divisors[2]) {
                    *y /= divisor * column;
                }
            },
        );
    }

    /// Adds shares of dy to the columns of `sums`, then `sums` to the rows that windows cover.
    #[inline(always)]
    fn spread(&self, dy: &[E], dx: &mut [E], [shares, sums]: &mut [Vec<E>; 2]) {
        let (width, columns) = (self.input[2], self.spans[2].len());
        self.each_row(
            #[inline(always)]
            |row, windows, divisor| {
                let dy = &dy[row * columns..][..columns];
                for ((share, &dy), &column) in shares.iter_mut().zip(dy).zip(&self.divisors[2]) {
                    *share = dy / (divisor * column);
                }
                match self.regular {
                    Some(Regular { kernel, stride, dilation: 1 }) if kernel == stride => {
                        strided::repeat(shares, stride, &mut sums[..columns * stride]);
                    }
                    Some(Regular { kernel, stride, dilation }) => {
                        sums.fill(E::zero());
                        for tap in 0..kernel {
                            strided::add_to_every(shares, stride, &mut sums[tap * dilation..]);
                        }
                    }
                    None => {
                        sums.fill(E::zero());
                        for (&share, span) in shares.iter().zip(&self.spans[2]) {
                            span.taps().for_each(|(_, column)| sums[column] += share);
                        }
                    }
                }
                for row in self.covered(windows) {
                    let dx = &mut dx[row * width..][..width];
                    dx.iter_mut().zip(&*sums).for_each(|(dx, &sum)| *dx += sum);
                }
            },
        );
    }
}
