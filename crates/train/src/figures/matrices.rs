//! Small matrices side by side, with their numbers.

use std::path::Path;

use ndarray::Array2;
use plotters::element::{Rectangle, Text};
use plotters::prelude::RGBColor;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{INK, save};
use super::heatmap::{draw_cell, text};
use crate::error::TrainError;

/// One matrix of [`Matrices`].
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Numbers (rows, columns), written in their cells.
    pub values: Array2<f64>,
    /// The text below it.
    pub caption: String,
}

/// Matrices in named rows: what goes into operations and what comes out. The larger a number among its row, the darker
/// its cell; no number is negative.
#[derive(Clone, Debug)]
pub struct Matrices {
    /// What the matrices show.
    pub title: String,
    /// The name of each row, and its matrices.
    pub rows: Vec<(String, Vec<Matrix>)>,
}

/// Between cells.
const LINES: RGBColor = RGBColor(205, 205, 205);
const CELL: i32 = 40;
const GAP: i32 = 28;
const MARGIN: i32 = 16;
const TITLE: i32 = 44;
const NAME: i32 = 28;
const CAPTION: i32 = 24;

impl Matrices {
    /// Draws the matrices as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), TrainError> {
        let letters = |text: &str| text.chars().count() as i32;
        let place = |matrix: &Matrix| (matrix.values.ncols() as i32 * CELL).max(8 * letters(&matrix.caption));
        let row_width = |(name, matrices): &(String, Vec<Matrix>)| {
            let all: i32 = matrices.iter().map(|matrix| place(matrix) + GAP).sum();
            all.max(9 * letters(name))
        };
        let tallest = |matrices: &[Matrix]| {
            matrices.iter().map(|matrix| matrix.values.nrows() as i32 * CELL).max().unwrap_or(0)
        };
        let widest = self.rows.iter().map(row_width).max().unwrap_or(0);
        let width = widest.max(10 * letters(&self.title)) + 2 * MARGIN;
        let below = |matrices: &[Matrix]| NAME + tallest(matrices) + CAPTION + GAP;
        let height = TITLE + self.rows.iter().map(|(_, matrices)| below(matrices)).sum::<i32>();
        save(file.as_ref(), (width as u32, height as u32), |area| {
            let write = |content: &str, at: (i32, i32), size, anchor| {
                area.draw(&Text::new(content.to_string(), at, text(size, INK, anchor, VPos::Top)))
            };
            write(&self.title, (MARGIN, 14), 18, HPos::Left)?;
            let mut top = TITLE;
            for (name, matrices) in &self.rows {
                write(name, (MARGIN, top), 16, HPos::Left)?;
                let largest = matrices.iter().flat_map(|matrix| &matrix.values).copied().fold(0.0, f64::max);
                let (y, mut left) = (top + NAME, MARGIN);
                for matrix in matrices {
                    let x = left + (place(matrix) - matrix.values.ncols() as i32 * CELL) / 2;
                    let (height, width) = matrix.values.dim();
                    let end = (x + width as i32 * CELL - 1, y + height as i32 * CELL - 1);
                    area.draw(&Rectangle::new([(x - 1, y - 1), end], LINES.filled()))?;
                    for ((row, column), &value) in matrix.values.indexed_iter() {
                        let corner = (x + column as i32 * CELL, y + row as i32 * CELL);
                        draw_cell(area, corner, CELL, value / largest, value.to_string())?;
                    }
                    let bottom = (left + place(matrix) / 2, y + tallest(std::slice::from_ref(matrix)) + 6);
                    write(&matrix.caption, bottom, 14, HPos::Center)?;
                    left += place(matrix) + GAP;
                }
                top += below(matrices);
            }
            Ok(())
        })
    }
}
