//! Max unpooling.

use std::sync::Arc;

use ndarray::{ArrayRef, ArrayView2, Dimension};
use striate_tensor::shape::Dims;
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use crate::geometry::GeometryError;
use crate::kernels::pool::{self, PoolOptions, planes};
use crate::ops::expect::expect;

/// y[indices[o]] = x[o], zero elsewhere; dx[o] = dy[indices[o]]
struct MaxUnpool {
    shape: Dims,
    indices: Arc<[usize]>,
    /// Elements of a plane of x and of y.
    sizes: [usize; 2],
}

impl<E: Real> Op<E> for MaxUnpool {
    const NAME: &'static str = "max_unpool";
    type Saved = ();

    fn forward(&self, x: &[Array<E>], _keep: bool) -> (Outputs<E>, Option<()>) {
        let x = x[0].contiguous();
        let x = x.as_slice().expect("made contiguous");
        let [inputs, outputs] = self.sizes;
        let y = Array::build(&self.shape, |y| pool::max_unpool(x, &self.indices, inputs, outputs, y));
        ([y].into(), Some(()))
    }

    fn backward(&self, _: &(), dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let dy = dy.contiguous();
        let dy = dy.as_slice().expect("made contiguous");
        let [inputs, outputs] = self.sizes;
        dx.write(0, |dx, beta| pool::max_unpool_gradient(dy, &self.indices, inputs, outputs, beta, dx));
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let [inputs, outputs] = self.sizes;
        let indices = ArrayView2::from_shape([self.indices.len() / inputs, inputs], &self.indices);
        let dy = dy[0].as_ref()?.reshape(&[-1, outputs as isize]);
        let dx = dy.gather(1, &indices.expect("one index for each element"));
        Some(vec![Some(dx.reshape(&x[0].shape().iter().map(|&n| n as isize).collect::<Vec<_>>()))])
    }
}

/// The spatial sizes of y: as asked for, or the smallest that pools back to x.
///
/// # Errors
/// When x has not D + 2 axes, or what is asked for differs by a stride or more.
fn unpooled_size<const D: usize>(
    x: &[usize],
    options: &PoolOptions<D>,
    size: Option<[usize; D]>,
) -> Result<[usize; D], GeometryError> {
    let (_, input) = planes::<D>(x)?;
    let stride = options.stride.unwrap_or(options.kernel);
    let mut sizes = [0; D];
    for axis in 0..D {
        for (what, size) in
            [("input", input[axis]), ("stride", stride[axis]), ("kernel", options.kernel[axis])]
        {
            if size == 0 {
                return Err(GeometryError::Zero { what, axis });
            }
        }
        let smallest = (input[axis] - 1)
            .checked_mul(stride[axis])
            .and_then(|n| n.checked_add(options.kernel[axis]))
            .ok_or(GeometryError::Overflow { what: "elements of y" })?
            .saturating_sub(options.padding[axis].saturating_mul(2));
        let (least, most) = (smallest.saturating_sub(stride[axis] - 1).max(1), smallest + stride[axis] - 1);
        sizes[axis] = size.map_or(smallest, |size| size[axis]);
        if !(least..=most).contains(&sizes[axis]) {
            return Err(GeometryError::UnpoolSize { axis, size: sizes[axis], least, most });
        }
    }
    Ok(sizes)
}

fn unpool<const D: usize>(
    x: &[usize],
    indices: &[usize],
    options: &PoolOptions<D>,
    size: Option<[usize; D]>,
) -> Result<(Dims, [usize; 2]), GeometryError> {
    if indices != x {
        let (expected, shape) = (x.to_vec(), indices.to_vec());
        return Err(GeometryError::Shape { what: "indices", expected, shape });
    }
    let size = unpooled_size(x, options, size)?;
    let overflow = GeometryError::Overflow { what: "elements of y" };
    let shape: Dims = x[..2].iter().chain(&size).copied().collect();
    crate::geometry::product(&shape).ok_or(overflow)?;
    Ok((shape, [x[2..].iter().product(), size.iter().product()]))
}

#[track_caller]
pub(crate) fn max_unpool<E: Real, I: Dimension, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    indices: &ArrayRef<usize, I>,
    options: PoolOptions<D>,
    size: Option<[usize; D]>,
) -> Tensor<E> {
    let (shape, sizes) = expect(op, unpool(x.shape(), indices.shape(), &options, size));
    let indices: Arc<[usize]> = indices.iter().copied().collect();
    if let Some(&index) = indices.iter().find(|&&index| index >= sizes[1]) {
        expect::<()>(op, Err(GeometryError::Index { index, size: sizes[1] }));
    }
    apply(MaxUnpool { shape, indices, sizes }, &[x])
}

/// Values back to their places along one axis; see [`max_unpool2d`]. x is (N, C, L). PyTorch's `F.max_unpool1d`.
///
/// # Panics
/// As [`max_unpool2d`].
#[track_caller]
pub fn max_unpool1d<E: Real, I: Dimension>(
    x: &Tensor<E>,
    indices: &ArrayRef<usize, I>,
    options: impl Into<PoolOptions<1>>,
    size: Option<[usize; 1]>,
) -> Tensor<E> {
    max_unpool("max_unpool1d", x, indices, options.into(), size)
}

/// Values back to the places that max pooling took them from, zeros elsewhere.
///
/// `y[indices[o]] = x[o]` in each plane; `dx[o] = dy[indices[o]]`. Where windows overlapped and an index comes several
/// times, the last value stays, and all get the gradient.
///
/// x and `indices` (N, C, H, W) → (N, C, H', W'): H' = (H − 1)·s − 2p + k unless `size` says otherwise, which may
/// differ by less than a stride. The options are those of the pooling. PyTorch's `F.max_unpool2d`; notes, section 6.
///
/// # Panics
/// When x has not four axes, `indices` has another shape or points outside a plane, or `size` differs too much.
///
/// ```
/// use striate_conv::{max_pool2d_with_indices, max_unpool2d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::from_vec(&[1, 1, 2, 4], vec![1.0f32, 3.0, 2.0, 0.0, 5.0, 7.0, 2.0, 4.0]);
/// let (y, indices) = max_pool2d_with_indices(&x, 2);
/// assert_eq!(max_unpool2d(&y, &indices, 2, None).to_vec(), [0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0, 4.0]);
/// ```
#[track_caller]
pub fn max_unpool2d<E: Real, I: Dimension>(
    x: &Tensor<E>,
    indices: &ArrayRef<usize, I>,
    options: impl Into<PoolOptions<2>>,
    size: Option<[usize; 2]>,
) -> Tensor<E> {
    max_unpool("max_unpool2d", x, indices, options.into(), size)
}

/// Values back to their places along three axes; see [`max_unpool2d`]. x is (N, C, D, H, W).
/// PyTorch's `F.max_unpool3d`.
///
/// # Panics
/// As [`max_unpool2d`].
#[track_caller]
pub fn max_unpool3d<E: Real, I: Dimension>(
    x: &Tensor<E>,
    indices: &ArrayRef<usize, I>,
    options: impl Into<PoolOptions<3>>,
    size: Option<[usize; 3]>,
) -> Tensor<E> {
    max_unpool("max_unpool3d", x, indices, options.into(), size)
}
