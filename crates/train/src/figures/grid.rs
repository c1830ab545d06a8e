//! Small grey images in rows and columns, with captions.

use std::path::Path;

use ndarray::Array2;
use plotters::element::{Rectangle, Text};
use plotters::prelude::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TextStyle};

use super::canvas::{DrawResult, FONT, INK, RED, save};
use crate::error::TrainError;

/// One image of a [`Grid`].
#[derive(Clone, Debug)]
pub struct Cell {
    /// Grey values (H, W), 0 black to 1 white.
    pub image: Array2<f32>,
    /// The text below it.
    pub caption: String,
    /// Framed in red.
    pub marked: bool,
}

/// Images in rows and columns, in cells of 64 pixels, or as large as the largest image up to 256.
#[derive(Clone, Debug)]
pub struct Grid {
    /// What the grid shows.
    pub title: String,
    /// The images, row by row.
    pub cells: Vec<Cell>,
    /// Images in a row.
    pub columns: usize,
}

/// Pixels of a cell's side: those of the largest image, between these.
const SMALLEST: usize = 64;
const LARGEST: usize = 256;
const GAP: i32 = 12;
const CAPTION: i32 = 18;
const TITLE: i32 = 40;

impl Grid {
    /// Draws the grid as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), TrainError> {
        let columns = self.columns.max(1);
        let sides = self.cells.iter().map(|cell| cell.image.nrows().max(cell.image.ncols()));
        let side = sides.max().unwrap_or(0).clamp(SMALLEST, LARGEST) as i32;
        let letters = self.cells.iter().map(|cell| cell.caption.chars().count()).max().unwrap_or(0) as i32;
        let pitch = side.max(8 * letters) + GAP;
        let row = side + GAP + if letters > 0 { CAPTION } else { 0 };
        let rows = self.cells.len().div_ceil(columns) as i32;
        let (width, height) = (columns as i32 * pitch + GAP, TITLE + rows * row + GAP);
        let title_width = 10 * self.title.chars().count() as i32 + 2 * GAP;
        save(file.as_ref(), (width.max(title_width) as u32, height as u32), |area| {
            area.draw(&Text::new(self.title.as_str(), (GAP, 12), text(18, INK, HPos::Left)))?;
            for (index, cell) in self.cells.iter().enumerate() {
                let x = GAP + (index % columns) as i32 * pitch + (pitch - GAP - side) / 2;
                let y = TITLE + (index / columns) as i32 * row;
                cell.draw((x, y), side, |rectangle| Ok(area.draw(rectangle)?))?;
                let colour = if cell.marked { RED } else { INK };
                area.draw(&Text::new(
                    cell.caption.as_str(),
                    (x + side / 2, y + side + 4),
                    text(13, colour, HPos::Center),
                ))?;
            }
            Ok(())
        })
    }
}

fn text(size: i32, colour: RGBColor, anchor: HPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&colour).pos(Pos::new(anchor, VPos::Top))
}

impl Cell {
    fn draw(
        &self,
        (x, y): (i32, i32),
        side: i32,
        mut draw: impl FnMut(&Rectangle<(i32, i32)>) -> DrawResult,
    ) -> DrawResult {
        if self.marked {
            draw(&Rectangle::new([(x - 3, y - 3), (x + side + 2, y + side + 2)], RED.filled()))?;
        }
        let (height, width) = self.image.dim();
        let edge = |index: usize, count: usize| (index as i32 * side) / count as i32;
        for ((row, column), &value) in self.image.indexed_iter() {
            let grey = (255.0 * value.clamp(0.0, 1.0)).round() as u8;
            let corner = (x + edge(column, width), y + edge(row, height));
            let opposite = (x + edge(column + 1, width), y + edge(row + 1, height));
            draw(&Rectangle::new([corner, opposite], RGBColor(grey, grey, grey).filled()))?;
        }
        Ok(())
    }
}
