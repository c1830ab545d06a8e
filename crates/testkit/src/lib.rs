//! What the workspace's tests share: gradient checks and golden files. Never published.

pub mod cases;
pub mod fill;
pub mod golden;
pub mod gradcheck;

pub use gradcheck::Case;
