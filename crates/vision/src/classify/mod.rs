//! What stands in a picture: networks that map images to one row of logits each.

mod alexnet;
mod by_name;
mod googlenet;
mod head;
mod inception;
mod residual;
mod resnet;
mod size;
pub(crate) mod vgg;

pub use alexnet::*;
pub use by_name::*;
pub use googlenet::*;
pub use head::linear_as_conv;
pub use residual::{ResidualBlock, Shortcut};
pub(crate) use resnet::ResNetBody;
pub use resnet::*;
pub use size::*;
pub use vgg::*;
