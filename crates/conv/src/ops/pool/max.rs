//! Max pooling.

use std::sync::Arc;

use bytemuck::{cast_slice, cast_slice_mut};
use ndarray::{Array2, ArrayD};
use striate_compute::Buffer;
use striate_tensor::shape::Dims;
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use super::output_shape;
use crate::kernels::pool::{self, PoolGeometry, PoolOptions};
use crate::ops::expect::expect;

/// y = max x over each window; dx = Σ dy over the windows that x wins, the first of equals
struct MaxPool<E: Real> {
    pool: PoolGeometry,
    shape: Dims,
    /// What a call that asked for indices has computed.
    known: Option<(Array<E>, Arc<Winners>)>,
}

/// Which element of each window won, in warm memory.
enum Winners {
    /// One byte each: as many bytes, rounded up to whole `f32`.
    Narrow(Buffer<f32>, usize),
    /// Four bytes each.
    Wide(Buffer<f32>),
}

impl Winners {
    fn new(pool: &PoolGeometry) -> Self {
        let len = pool.planes * pool.output_size();
        match pool.narrow_winners() {
            true => Winners::Narrow(Buffer::scratch(len.div_ceil(size_of::<f32>())), len),
            false => Winners::Wide(Buffer::scratch(len)),
        }
    }

    fn find<E: Real>(pool: &PoolGeometry, x: &[E], y: &mut [E]) -> Self {
        let mut winners = Self::new(pool);
        match &mut winners {
            Winners::Narrow(buffer, len) => {
                pool::max_pool(pool, x, y, &mut cast_slice_mut::<f32, u8>(buffer)[..*len]);
            }
            Winners::Wide(buffer) => pool::max_pool(pool, x, y, cast_slice_mut::<f32, u32>(buffer)),
        }
        winners
    }

    fn gradient<E: Real>(&self, pool: &PoolGeometry, dy: &[E], beta: E, dx: &mut [E]) {
        match self {
            Winners::Narrow(buffer, len) => {
                pool::max_pool_gradient(pool, &cast_slice::<f32, u8>(buffer)[..*len], dy, beta, dx);
            }
            Winners::Wide(buffer) => {
                pool::max_pool_gradient(pool, cast_slice::<f32, u32>(buffer), dy, beta, dx)
            }
        }
    }

    /// (N · C, windows)
    fn indices(&self, pool: &PoolGeometry) -> Array2<usize> {
        let mut indices = vec![0; pool.planes * pool.output_size()];
        match self {
            Winners::Narrow(buffer, len) => {
                pool::max_pool_indices(pool, &cast_slice::<f32, u8>(buffer)[..*len], &mut indices);
            }
            Winners::Wide(buffer) => {
                pool::max_pool_indices(pool, cast_slice::<f32, u32>(buffer), &mut indices)
            }
        }
        Array2::from_shape_vec([pool.planes, pool.output_size()], indices).expect("one index for each window")
    }
}

impl<E: Real> MaxPool<E> {
    fn compute(&self, x: &Array<E>) -> (Array<E>, Arc<Winners>) {
        let x = x.contiguous();
        let x = x.as_slice().expect("made contiguous");
        let mut winners = None;
        let y = Array::build(&self.shape, |y| winners = Some(Winners::find(&self.pool, x, y)));
        (y, Arc::new(winners.expect("the array was built")))
    }
}

impl<E: Real> Op<E> for MaxPool<E> {
    const NAME: &'static str = "max_pool";
    type Saved = Arc<Winners>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Arc<Winners>>) {
        let (y, winners) = match &self.known {
            Some((y, winners)) => (y.clone(), winners.clone()),
            None if keep => self.compute(&x[0]),
            None => {
                let x = x[0].contiguous();
                let x = x.as_slice().expect("made contiguous");
                let mut nothing = vec![(); self.pool.planes * self.pool.output_size()];
                let y = Array::build(&self.shape, |y| pool::max_pool(&self.pool, x, y, &mut nothing));
                return ([y].into(), None);
            }
        };
        ([y].into(), keep.then_some(winners))
    }

    fn backward(&self, winners: &Arc<Winners>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let dy = dy.contiguous();
        let dy = dy.as_slice().expect("made contiguous");
        dx.write(0, |dx, beta| winners.gradient(&self.pool, dy, beta, dx));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (planes, inputs) = (self.pool.planes, self.pool.input_size());
        let indices = self.compute(&x[0].array()).1.indices(&self.pool);
        let dy = dy[0].as_ref()?.reshape(&[planes as isize, self.pool.output_size() as isize]);
        let dx = Tensor::zeros(&[planes, inputs]).scatter_add(1, &indices, &dy);
        Some(vec![Some(dx.reshape(&x[0].shape().iter().map(|&n| n as isize).collect::<Vec<_>>()))])
    }
}

#[track_caller]
fn with_windows<E: Real>(x: &Tensor<E>, pool: PoolGeometry, shape: Dims) -> Tensor<E> {
    apply(MaxPool { pool, shape, known: None }, &[x])
}

#[track_caller]
fn with_indices<E: Real>(x: &Tensor<E>, pool: PoolGeometry, shape: Dims) -> (Tensor<E>, ArrayD<usize>) {
    let op = MaxPool { pool, shape, known: None };
    let (y, winners) = op.compute(&x.array());
    let indices = winners.indices(&pool).into_shape_with_order(op.shape.to_vec());
    let y = apply(MaxPool { known: Some((y, winners)), ..op }, &[x]);
    (y, indices.expect("one index for each window"))
}

#[track_caller]
pub(crate) fn max_pool<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    options: PoolOptions<D>,
) -> Tensor<E> {
    let pool = expect(op, PoolGeometry::new(x.shape(), &options));
    with_windows(x, pool, output_shape::<D>(x.shape(), &pool))
}

#[track_caller]
pub(crate) fn max_pool_with_indices<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    options: PoolOptions<D>,
) -> (Tensor<E>, ArrayD<usize>) {
    let pool = expect(op, PoolGeometry::new(x.shape(), &options));
    with_indices(x, pool, output_shape::<D>(x.shape(), &pool))
}

#[track_caller]
pub(crate) fn adaptive_max_pool<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    output: [usize; D],
) -> Tensor<E> {
    let pool = expect(op, PoolGeometry::adaptive(x.shape(), output));
    with_windows(x, pool, output_shape::<D>(x.shape(), &pool))
}

#[track_caller]
fn adaptive_max_pool_with_indices<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    output: [usize; D],
) -> (Tensor<E>, ArrayD<usize>) {
    let pool = expect(op, PoolGeometry::adaptive(x.shape(), output));
    with_indices(x, pool, output_shape::<D>(x.shape(), &pool))
}

/// Largest element of each window along one axis; see [`max_pool2d`]. x is (N, C, L). PyTorch's `F.max_pool1d`.
///
/// # Panics
/// As [`max_pool2d`].
#[track_caller]
pub fn max_pool1d<E: Real>(x: &Tensor<E>, options: impl Into<PoolOptions<1>>) -> Tensor<E> {
    max_pool("max_pool1d", x, options.into())
}

/// Largest element of each window.
///
/// `y[o] = max x[o·s + t·d − p]` over t, inside x; `dx[i] = Σ dy[o]` over the windows that i wins. The first of equals
/// wins, in row-major order, and NaN wins over numbers.
///
/// x (N, C, H, W) → (N, C, H', W') with sizes by [`pool_output_size`](crate::pool_output_size).
/// PyTorch's `F.max_pool2d`.
///
/// # Panics
/// When x has not four axes, or the windows do not fit.
///
/// ```
/// use striate_conv::{PoolOptions, max_pool2d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2, 4], vec![1.0f32, 3.0, 2.0, 0.0, 5.0, 7.0, 2.0, 4.0]).requires_grad();
/// let y = max_pool2d(&x, 2);
/// assert_eq!(y.to_vec(), [7.0, 4.0]);
/// assert_eq!(y.sum().backward().get(&x).unwrap().to_vec(), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
///
/// let overlapping = PoolOptions { kernel: [2, 2], stride: Some([1, 1]), ..Default::default() };
/// assert_eq!(max_pool2d(&x, overlapping).to_vec(), [7.0, 7.0, 4.0]);
/// ```
#[track_caller]
pub fn max_pool2d<E: Real>(x: &Tensor<E>, options: impl Into<PoolOptions<2>>) -> Tensor<E> {
    max_pool("max_pool2d", x, options.into())
}

/// Largest element of each window along three axes; see [`max_pool2d`]. x is (N, C, D, H, W). PyTorch's `F.max_pool3d`.
///
/// # Panics
/// As [`max_pool2d`].
#[track_caller]
pub fn max_pool3d<E: Real>(x: &Tensor<E>, options: impl Into<PoolOptions<3>>) -> Tensor<E> {
    max_pool("max_pool3d", x, options.into())
}

/// [`max_pool1d`] and the index of each winner along the axis. PyTorch's `return_indices`.
///
/// # Panics
/// As [`max_pool2d`].
#[track_caller]
pub fn max_pool1d_with_indices<E: Real>(
    x: &Tensor<E>,
    options: impl Into<PoolOptions<1>>,
) -> (Tensor<E>, ArrayD<usize>) {
    max_pool_with_indices("max_pool1d", x, options.into())
}

/// [`max_pool2d`] and the index h·W + w of each winner in its plane, for [`max_unpool2d`](crate::max_unpool2d).
/// PyTorch's `return_indices`.
///
/// # Panics
/// As [`max_pool2d`].
///
/// ```
/// use striate_conv::max_pool2d_with_indices;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2, 4], vec![1.0f32, 3.0, 2.0, 0.0, 5.0, 7.0, 2.0, 4.0]);
/// let (y, indices) = max_pool2d_with_indices(&x, 2);
/// assert_eq!(y.to_vec(), [7.0, 4.0]);
/// assert_eq!(indices.into_raw_vec_and_offset().0, [5, 7]);
/// ```
#[track_caller]
pub fn max_pool2d_with_indices<E: Real>(
    x: &Tensor<E>,
    options: impl Into<PoolOptions<2>>,
) -> (Tensor<E>, ArrayD<usize>) {
    max_pool_with_indices("max_pool2d", x, options.into())
}

/// [`max_pool3d`] and the index (d·H + h)·W + w of each winner in its volume. PyTorch's `return_indices`.
///
/// # Panics
/// As [`max_pool2d`].
#[track_caller]
pub fn max_pool3d_with_indices<E: Real>(
    x: &Tensor<E>,
    options: impl Into<PoolOptions<3>>,
) -> (Tensor<E>, ArrayD<usize>) {
    max_pool_with_indices("max_pool3d", x, options.into())
}

/// Largest elements of `output` windows along one axis; see [`adaptive_max_pool2d`]. x is (N, C, L).
/// PyTorch's `F.adaptive_max_pool1d`.
///
/// # Panics
/// As [`adaptive_max_pool2d`].
#[track_caller]
pub fn adaptive_max_pool1d<E: Real>(x: &Tensor<E>, output: usize) -> Tensor<E> {
    adaptive_max_pool("adaptive_max_pool1d", x, [output])
}

/// Largest elements of as many windows as the result is to have elements.
///
/// `y[o] = max x[⌊o·I/O⌋ .. ⌈(o + 1)·I/O⌉]` along each axis; `dx[i] = Σ dy[o]` over the windows that i wins.
/// x (N, C, H, W) → (N, C, output). PyTorch's `F.adaptive_max_pool2d`.
///
/// # Panics
/// When x has not four axes, or an axis is empty.
///
/// ```
/// use striate_conv::adaptive_max_pool2d;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 15).reshape(&[1, 1, 3, 5]);
/// assert_eq!(adaptive_max_pool2d(&x, [1, 2]).to_vec(), [12.0, 14.0]);
/// ```
#[track_caller]
pub fn adaptive_max_pool2d<E: Real>(x: &Tensor<E>, output: [usize; 2]) -> Tensor<E> {
    adaptive_max_pool("adaptive_max_pool2d", x, output)
}

/// Largest elements of `output` windows along three axes; see [`adaptive_max_pool2d`]. x is (N, C, D, H, W).
/// PyTorch's `F.adaptive_max_pool3d`.
///
/// # Panics
/// As [`adaptive_max_pool2d`].
#[track_caller]
pub fn adaptive_max_pool3d<E: Real>(x: &Tensor<E>, output: [usize; 3]) -> Tensor<E> {
    adaptive_max_pool("adaptive_max_pool3d", x, output)
}

/// [`adaptive_max_pool1d`] and the index of each winner along the axis. PyTorch's `return_indices`.
///
/// # Panics
/// As [`adaptive_max_pool2d`].
#[track_caller]
pub fn adaptive_max_pool1d_with_indices<E: Real>(x: &Tensor<E>, output: usize) -> (Tensor<E>, ArrayD<usize>) {
    adaptive_max_pool_with_indices("adaptive_max_pool1d", x, [output])
}

/// [`adaptive_max_pool2d`] and the index h·W + w of each winner in its plane. PyTorch's `return_indices`.
///
/// # Panics
/// As [`adaptive_max_pool2d`].
#[track_caller]
pub fn adaptive_max_pool2d_with_indices<E: Real>(
    x: &Tensor<E>,
    output: [usize; 2],
) -> (Tensor<E>, ArrayD<usize>) {
    adaptive_max_pool_with_indices("adaptive_max_pool2d", x, output)
}

/// [`adaptive_max_pool3d`] and the index (d·H + h)·W + w of each winner in its volume. PyTorch's `return_indices`.
///
/// # Panics
/// As [`adaptive_max_pool2d`].
#[track_caller]
pub fn adaptive_max_pool3d_with_indices<E: Real>(
    x: &Tensor<E>,
    output: [usize; 3],
) -> (Tensor<E>, ArrayD<usize>) {
    adaptive_max_pool_with_indices("adaptive_max_pool3d", x, output)
}

/// Largest element of each plane: y[n, c] = max x[n, c]; the first that is largest takes all of dy.
///
/// x (N, C, *) with any number of spatial axes → (N, C). PyTorch's `F.adaptive_max_pool2d(x, 1).flatten(1)`.
///
/// # Panics
/// When x has fewer than three axes, or a plane is empty.
///
/// ```
/// use striate_conv::global_max_pool;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 8).reshape(&[1, 2, 2, 2]);
/// assert_eq!(global_max_pool(&x).to_vec(), [3.0, 7.0]);
/// ```
#[track_caller]
pub fn global_max_pool<E: Real>(x: &Tensor<E>) -> Tensor<E> {
    let (pool, shape) = expect("global_max_pool", PoolGeometry::global(x.shape()));
    with_windows(x, pool, shape.as_slice().into())
}
