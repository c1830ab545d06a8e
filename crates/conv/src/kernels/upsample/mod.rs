//! Upsampling: larger planes from small ones.

mod geometry;
mod linear;
mod nails;
mod nearest;
mod shuffle;

pub use geometry::{Resize, UpsampleGeometry};
pub use linear::{linear, linear_gradient};
pub use nails::{bed_of_nails, bed_of_nails_gradient};
pub use nearest::{nearest, nearest_gradient};
pub use shuffle::{ShuffleGeometry, pixel_shuffle, pixel_unshuffle};
