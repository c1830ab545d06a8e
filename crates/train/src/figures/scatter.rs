//! Points of several classes on a plane.

use std::path::Path;

use plotters::chart::ChartBuilder;
use plotters::element::Text;
use plotters::style::IntoFont;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Axis, draw_axes};
use super::canvas::{COLOURS, FONT, INK, save};
use crate::error::TrainError;

/// Points, each written as its class's name where names are short, else as its number, with the names on the right. A
/// class without a name is written as its number.
///
/// ```
/// use striate_train::figures::Scatter;
///
/// let folder = tempfile::tempdir().unwrap();
/// let scatter = Scatter {
///     title: "Codes".into(),
///     points: vec![(0.0, 1.0), (2.0, -1.0)],
///     labels: vec![7, 1],
///     classes: (0..10).map(|digit| digit.to_string()).collect(),
///     ..Default::default()
/// };
/// scatter.save(folder.path().join("codes.png"))?;
/// # Ok::<(), striate_train::TrainError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scatter {
    /// What the points are.
    pub title: String,
    /// The horizontal axis, with its unit.
    pub x_label: String,
    /// The vertical axis, with its unit.
    pub y_label: String,
    /// Points (x, y); one that is not finite, or is beyond ±10³⁰, is left out.
    pub points: Vec<(f64, f64)>,
    /// The class of each point.
    pub labels: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
}

/// Letters of a name that is written where a point stands.
const SHORT: usize = 2;

impl Scatter {
    /// Draws the points as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), TrainError> {
        let longest = self.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let numbered = longest > SHORT;
        let legend = if numbered { 9 * (longest as u32 + 4) } else { 0 };
        let holds = |point: &&(f64, f64)| Axis::holds(point.0, None) && Axis::holds(point.1, None);
        let drawn = || self.points.iter().filter(holds);
        let [x, y] = [Axis::new(drawn().map(|p| p.0), None), Axis::new(drawn().map(|p| p.1), None)];
        let text = |size: i32| (FONT, size).into_font().color(&INK);
        let style = |class: usize, h| {
            let colour = &COLOURS[class % COLOURS.len()];
            (FONT, 13).into_font().color(colour).pos(Pos::new(h, VPos::Center))
        };
        save(file.as_ref(), (640 + legend, 600), |area| {
            let (plane, names) = area.split_horizontally(640);
            let mut chart = ChartBuilder::on(&plane)
                .margin(12)
                .margin_right(24)
                .caption(&self.title, text(18))
                .x_label_area_size(46)
                .y_label_area_size(60)
                .build_cartesian_2d(x.clone(), y.clone())?;
            draw_axes(&mut chart, [&self.x_label, &self.y_label], [&x, &y])?;
            let labelled = self.points.iter().zip(&self.labels).filter(|(point, _)| holds(point));
            chart.draw_series(labelled.map(|(&point, &class)| {
                let name = self.classes.get(class).filter(|_| !numbered).cloned();
                Text::new(name.unwrap_or_else(|| class.to_string()), point, style(class, HPos::Center))
            }))?;
            for (class, name) in self.classes.iter().enumerate().filter(|_| numbered) {
                let place = (0, 60 + 22 * class as i32);
                names.draw(&Text::new(format!("{class}  {name}"), place, style(class, HPos::Left)))?;
            }
            Ok(())
        })
    }
}
