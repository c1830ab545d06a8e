//! What every pixel belongs to: networks that map images to one map of logits for each class.

mod fcn;
mod fcn_resnet;
mod segnet;
mod unet;
mod upsampling;

pub use fcn::*;
pub use fcn_resnet::*;
pub use segnet::*;
pub use unet::*;
pub use upsampling::Upsampling;
