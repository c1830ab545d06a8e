//! Tensors with reverse-mode automatic differentiation on the CPU.
//!
//! [`Tensor`] is a value with a history; [`Tensor::backward`] walks the history back and returns [`Gradients`].
//! [`Op`] is what one operation is: to add one, write one `impl` and call [`apply`].
//!
//! Axes are counted from the front, or from the back when negative. Operands whose shapes do not fit are the
//! caller's mistake and panic at the caller's line with the operation, the shapes and the rule; the rules themselves
//! are functions in [`shape`] that return a `Result`.

mod array;
mod blocks;
mod display;
mod gradients;
mod layout;
mod nest;
mod op;
pub mod ops;
mod reduce;
pub mod shape;
mod tape;
mod tensor;
pub mod watch;

pub use array::Array;
pub use gradients::Gradients;
pub use op::{Grads, Op, Outputs};
pub use shape::ShapeError;
pub use striate_compute::Real;
pub use tape::{GradOptions, apply, apply_many, higher_order, no_grad};
pub use tensor::{ElementsLock, Tensor, grad};
