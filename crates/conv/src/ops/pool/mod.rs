//! Pooling and max unpooling.

mod average;
mod lp;
mod max;
mod unpool;

pub(crate) use average::{adaptive_avg_pool, avg_pool};
pub use average::{
    adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, avg_pool1d, avg_pool2d, avg_pool3d,
    global_avg_pool,
};
pub(crate) use lp::lp_pool;
pub use lp::{lp_pool1d, lp_pool2d, lp_pool3d};
pub(crate) use max::{adaptive_max_pool, max_pool, max_pool_with_indices};
pub use max::{
    adaptive_max_pool1d, adaptive_max_pool1d_with_indices, adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices, adaptive_max_pool3d, adaptive_max_pool3d_with_indices, global_max_pool,
    max_pool1d, max_pool1d_with_indices, max_pool2d, max_pool2d_with_indices, max_pool3d,
    max_pool3d_with_indices,
};
pub(crate) use unpool::max_unpool;
pub use unpool::{max_unpool1d, max_unpool2d, max_unpool3d};

use striate_tensor::shape::Dims;

use crate::kernels::pool::PoolGeometry;

/// The shape of y for x (N, C, *).
fn output_shape<const D: usize>(x: &[usize], pool: &PoolGeometry) -> Dims {
    x[..2].iter().chain(&pool.output[3 - D..]).copied().collect()
}
