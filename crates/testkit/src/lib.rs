//! What the workspace's tests share: gradient checks, golden files and naive references. Never published.

pub mod cases;
pub mod golden;
pub mod gradcheck;

pub use gradcheck::Case;
