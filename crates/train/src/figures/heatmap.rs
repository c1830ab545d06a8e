//! A matrix of numbers as shades.

use std::path::Path;

use ndarray::Array2;
use plotters::element::{Rectangle, Text};
use plotters::prelude::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, TextStyle, WHITE};

use super::canvas::{Area, DrawResult, FONT, INK, save};
use crate::confusion::Confusion;
use crate::error::TrainError;

/// A matrix with named rows and columns: the larger a number, the darker its cell.
#[derive(Clone, Debug)]
pub struct Heatmap {
    /// What the matrix shows.
    pub title: String,
    /// What the columns are.
    pub x_label: String,
    /// What the rows are.
    pub y_label: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Non-negative numbers, written in their cells when not 0.
    pub values: Array2<f64>,
}

const CELL: i32 = 46;

impl From<&Confusion> for Heatmap {
    fn from(confusion: &Confusion) -> Self {
        Heatmap {
            title: format!("Confusion matrix, accuracy {:.2} %", 100.0 * confusion.accuracy()),
            x_label: "predicted class".into(),
            y_label: "true class".into(),
            columns: confusion.classes().to_vec(),
            rows: confusion.classes().to_vec(),
            values: confusion.counts().mapv(|count| count as f64),
        }
    }
}

impl Heatmap {
    /// Draws the matrix as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), TrainError> {
        let longest =
            |names: &[String]| names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as i32;
        let left = 56 + 8 * longest(&self.rows);
        let (row_count, column_count) = (self.values.nrows() as i32, self.values.ncols() as i32);
        // Long names of columns stand upright.
        let upright = 8 * longest(&self.columns) > CELL - 6;
        let below = if upright { 8 * longest(&self.columns) + 12 } else { 24 };
        let (top, right, bottom) = (48, 24, below + 34);
        let (width, height) = (left + column_count * CELL + right, top + row_count * CELL + bottom);
        let title_width = 10 * self.title.chars().count() as i32 + 32;
        let largest = self.values.iter().copied().fold(0.0, f64::max);
        save(file.as_ref(), (width.max(title_width) as u32, height as u32), |area| {
            let write = |content: String, place: (i32, i32), style: TextStyle| {
                area.draw(&Text::new(content, place, style))
            };
            write(self.title.clone(), (16, 14), text(18, INK, HPos::Left, VPos::Top))?;
            let middle = (left + column_count * CELL / 2, top + row_count * CELL / 2);
            write(self.x_label.clone(), (middle.0, height - 26), text(15, INK, HPos::Center, VPos::Top))?;
            let turned = (FONT, 15).into_font().transform(FontTransform::Rotate270).color(&INK);
            write(self.y_label.clone(), (14, middle.1), turned.pos(Pos::new(HPos::Center, VPos::Top)))?;
            for (row, name) in self.rows.iter().enumerate() {
                let y = top + row as i32 * CELL + CELL / 2;
                write(name.clone(), (left - 8, y), text(14, INK, HPos::Right, VPos::Center))?;
            }
            for (column, name) in self.columns.iter().enumerate() {
                let place = (left + column as i32 * CELL + CELL / 2, top + row_count * CELL + 8);
                let style = if upright {
                    let font = (FONT, 14).into_font().transform(FontTransform::Rotate270);
                    font.color(&INK).pos(Pos::new(HPos::Right, VPos::Center))
                } else {
                    text(14, INK, HPos::Center, VPos::Top)
                };
                write(name.clone(), place, style)?;
            }
            for ((row, column), &value) in self.values.indexed_iter() {
                let corner = (left + column as i32 * CELL, top + row as i32 * CELL);
                let written = if value == 0.0 { String::new() } else { value.to_string() };
                draw_cell(area, corner, CELL, value / largest, written)?;
            }
            Ok(())
        })
    }
}

/// A number on a square with its upper left corner there, the darker the nearer it is to the largest.
pub(super) fn draw_cell(
    area: &Area,
    (x, y): (i32, i32),
    side: i32,
    share: f64,
    number: String,
) -> DrawResult {
    // A square root lets small numbers show beside large ones; 0 / 0 gives no shade.
    let shade = share.max(0.0).sqrt();
    let fade = |full: u8| (255.0 - shade * (255.0 - f64::from(full))) as u8;
    let colour = RGBColor(fade(0), fade(90), fade(160));
    area.draw(&Rectangle::new([(x, y), (x + side - 2, y + side - 2)], colour.filled()))?;
    let ink = if shade > 0.5 { WHITE } else { INK };
    let middle = (x + side / 2, y + side / 2);
    area.draw(&Text::new(number, middle, text(14, ink, HPos::Center, VPos::Center)))?;
    Ok(())
}

pub(super) fn text(size: i32, colour: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&colour).pos(Pos::new(horizontal, vertical))
}
