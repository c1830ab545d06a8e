//! Grids of decoded pictures.

use ndarray::{Array2, ArrayViewD, Axis};
use striate::train::figures::{Cell, Grid};

/// The first plane of each picture (N, C, H, W), with the same caption.
pub(crate) fn cells(pictures: ArrayViewD<f32>, caption: &str) -> Vec<Cell> {
    let cell = |picture: ArrayViewD<f32>| {
        let plane = picture.index_axis(Axis(0), 0).to_owned();
        let image: Array2<f32> = plane.into_dimensionality().expect("pictures are (C, H, W)");
        Cell { image, caption: caption.into(), marked: false }
    };
    pictures.outer_iter().map(cell).collect()
}

/// Row by row, so many in each.
pub(crate) fn grid(title: impl Into<String>, cells: Vec<Cell>, columns: usize) -> Grid {
    Grid { title: title.into(), cells, columns }
}
