//! Pictures of a run as PNG files: [`Plot`]s of curves, [`Scatter`]s of points, [`Grid`]s of images, [`Heatmap`]s of
//! matrices, small [`Matrices`] side by side; and of a classifier its [`learning_curves`] and [`predictions`].
//!
//! The font is embedded, so a picture looks the same on every machine.

mod axis;
mod canvas;
mod classification;
mod grid;
mod heatmap;
mod legend;
mod matrices;
mod plot;
mod scatter;

pub use classification::{learning_curves, predictions};
pub use grid::{Cell, Grid};
pub use heatmap::Heatmap;
pub use matrices::{Matrices, Matrix};
pub use plot::{Curve, Plot, save_plots};
pub use scatter::Scatter;
