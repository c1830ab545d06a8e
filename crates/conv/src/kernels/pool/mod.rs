//! Pooling: one number from each window of every plane.

mod average;
mod geometry;
mod halving;
mod lp;
mod max;
mod unpool;
mod winner;

pub use average::{avg_pool, avg_pool_gradient};
pub(crate) use geometry::planes;
pub use geometry::{
    AvgPoolOptions, Divisor, LpPoolOptions, PoolGeometry, PoolOptions, Sliding, Span, pool_output_size,
};
pub use lp::lp_pool;
pub use max::{max_pool, max_pool_gradient, max_pool_indices};
pub use unpool::{max_unpool, max_unpool_gradient};
pub use winner::Winner;
