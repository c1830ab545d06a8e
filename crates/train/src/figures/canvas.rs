//! A white picture to draw on.

use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, DrawingArea, IntoDrawingArea, RGBColor, WHITE};
use plotters::style::{FontStyle, register_font};

use crate::error::TrainError;

pub(super) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
pub(super) type DrawResult = Result<(), Box<dyn std::error::Error>>;

pub(super) const FONT: &str = "sans-serif";
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
pub(super) const RED: RGBColor = RGBColor(200, 30, 30);

/// Colours that people with the common kinds of colour blindness tell apart (Okabe and Ito, 2008).
pub(super) const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(110, 110, 110),
];

/// Draws a picture and writes it as PNG.
pub(super) fn save(
    file: &Path,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area) -> DrawResult,
) -> Result<(), TrainError> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let font = include_bytes!("../../assets/DejaVuSans-subset.ttf");
        assert!(register_font(FONT, FontStyle::Normal, font).is_ok(), "the embedded font is a font");
    });
    let fail = |reason: String| TrainError::Figure { file: file.to_path_buf(), reason };
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
    let drawn =
        area.fill(&WHITE).map_err(Into::into).and_then(|()| draw(&area)).and_then(|()| Ok(area.present()?));
    drop(area);
    drawn.map_err(|error| fail(error.to_string()))?;
    image::save_buffer(file, &pixels, width, height, image::ExtendedColorType::Rgb8)
        .map_err(|error| fail(error.to_string()))
}
