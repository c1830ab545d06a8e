//! Linear filtering of images: every pixel becomes a weighted sum of its neighbours.
//!
//! Images and kernels are `ndarray` views of two axes, rows i and columns j; x runs along a row, y down a column.
//! A kernel K(m, n) has an origin, its anchor, from which m and n count.
//!
//! * [`correlate`]: I′(i, j) = Σₘₙ K(m, n) · I(i + m, j + n)
//! * [`convolve`]: I′(i, j) = Σₘₙ K(m, n) · I(i − m, j − n), which is the correlation with K(−m, −n);
//!   the two are equal for every image if and only if K is [symmetric](Kernel::is_symmetric).
//! * [`Separable`]: kernels that are an outer product, in two cheap passes.
//! * [`correlate_local`]: kernels K(i, j, m, n) that differ from place to place; without their dependence on (i, j)
//!   they are [shift-invariant](shift_invariant).
//! * [`impulse_response`]: any linear, shift-equivariant transform is the convolution with its point-spread function.

mod correlate;
mod kernel;
mod local;
mod separable;

pub use correlate::{convolve, correlate};
pub use kernel::{FilterError, Kernel};
pub use local::{correlate_local, impulse_response, shift_invariant};
pub use separable::Separable;
