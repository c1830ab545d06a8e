//! Curves over a common axis.

use std::ops::Range;
use std::path::Path;

use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::element::{Circle, DashedPathElement, IntoDynElement, PathElement};
use plotters::prelude::RGBColor;
use plotters::series::{DashedLineSeries, LineSeries, PointSeries};
use plotters::style::{Color, IntoFont, WHITE};

use super::axis::{Axis, draw_axes};
use super::canvas::{Area, COLOURS, DrawResult, FONT, INK, save};
use super::legend;
use crate::error::TrainError;

/// A named line through points. A point is left out where it cannot be drawn: not finite, beyond ±10³⁰, or on a
/// logarithmic axis below 10⁻³⁰.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// The name in the legend; none, and no line there, when empty.
    pub name: String,
    /// Points (x, y).
    pub points: Vec<(f64, f64)>,
    /// Number of the colour; the curve's place among all when `None`. Curves of one kind may share one.
    pub colour: Option<usize>,
    /// Dashes instead of a line, for what is to be compared with.
    pub dashed: bool,
}

/// Pixels between the axes of a plot: width and height.
const INSIDE: [f64; 2] = [536.0, 345.0];

/// Pixels of a dash, and between two.
const DASH: [i32; 2] = [6, 4];

/// Curves with a title and named axes.
///
/// ```
/// use striate_train::figures::{Curve, Plot};
///
/// let folder = tempfile::tempdir().unwrap();
/// let points = (0..20).map(|x| (x as f64, (x * x) as f64)).collect();
/// let square = Curve { name: "x²".into(), points, ..Default::default() };
/// let plot = Plot { title: "A parabola".into(), x_label: "x".into(), curves: vec![square], ..Default::default() };
/// plot.save(folder.path().join("parabola.png"))?;
/// # Ok::<(), striate_train::TrainError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Plot {
    /// What the plot shows.
    pub title: String,
    /// The horizontal axis, with its unit.
    pub x_label: String,
    /// The vertical axis, with its unit.
    pub y_label: String,
    /// The curves.
    pub curves: Vec<Curve>,
    /// A logarithmic horizontal axis, marked at powers of two.
    pub log_x: bool,
    /// A logarithmic vertical axis, marked at powers of ten.
    pub log_y: bool,
    /// A dot at every point.
    pub dots: bool,
}

impl Plot {
    /// Draws the plot as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), TrainError> {
        save_plots(file, std::slice::from_ref(self))
    }

    /// The horizontal and the vertical axis.
    fn axes(&self) -> [Axis; 2] {
        let points =
            || self.curves.iter().flat_map(|curve| &curve.points).filter(|point| self.can_draw(point));
        let [x_base, y_base] = self.bases();
        [Axis::new(points().map(|point| point.0), x_base), Axis::new(points().map(|point| point.1), y_base)]
    }

    fn bases(&self) -> [Option<f64>; 2] {
        [self.log_x.then_some(2.0), self.log_y.then_some(10.0)]
    }

    fn can_draw(&self, &(x, y): &(f64, f64)) -> bool {
        let [x_base, y_base] = self.bases();
        Axis::holds(x, x_base) && Axis::holds(y, y_base)
    }

    /// Where the points of each curve stand on the axes.
    fn lines(&self, [x, y]: &[Axis; 2]) -> Vec<Vec<(f64, f64)>> {
        let line = |curve: &Curve| {
            let drawn = curve.points.iter().filter(|point| self.can_draw(point));
            drawn.map(|point| (x.place(point.0), y.place(point.1))).collect()
        };
        self.curves.iter().map(line).collect()
    }

    fn legend_place(&self, lines: &[Vec<(f64, f64)>], [x, y]: &[Axis; 2]) -> SeriesLabelPosition {
        let part = |v: f64, Range { start, end }: &Range<f64>| (v - start) / (end - start);
        let place = |point: &(f64, f64)| [part(point.0, &x.range), part(point.1, &y.range)];
        let lines: Vec<_> = lines.iter().map(|line| line.iter().map(place).collect()).collect();
        let names =
            || self.curves.iter().map(|curve| curve.name.chars().count()).filter(|&length| length > 0);
        let size = [8.0 * names().max().unwrap_or(0) as f64 + 50.0, 19.0 * names().count() as f64 + 24.0];
        legend::place(&lines, [size[0] / INSIDE[0], size[1] / INSIDE[1]].map(|side| side.min(1.0)))
    }

    fn draw(&self, area: &Area) -> DrawResult {
        let axes = self.axes();
        let lines = self.lines(&axes);
        let [x, y] = &axes;
        let text = |size: i32| (FONT, size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_right(24)
            .caption(&self.title, text(20))
            .x_label_area_size(46)
            .y_label_area_size(68)
            .build_cartesian_2d(x.clone(), y.clone())?;
        draw_axes(&mut chart, [&self.x_label, &self.y_label], [x, y])?;
        let [dash, gap] = DASH;
        for (index, (curve, points)) in self.curves.iter().zip(&lines).enumerate() {
            let colour = COLOURS[curve.colour.unwrap_or(index) % COLOURS.len()];
            let stroke = colour.stroke_width(2);
            if self.dots {
                chart.draw_series(PointSeries::<_, _, Circle<_, i32>, _>::new(
                    points.clone(),
                    3,
                    colour.filled(),
                ))?;
            }
            let line = if curve.dashed {
                chart.draw_series(DashedLineSeries::new(points.clone(), dash, gap, stroke))?
            } else {
                chart.draw_series(LineSeries::new(points.clone(), stroke))?
            };
            if !curve.name.is_empty() {
                let dashed = curve.dashed;
                line.label(&curve.name).legend(move |(x, y)| {
                    let ends = [(x, y), (x + 18, y)];
                    if dashed {
                        DashedPathElement::new(ends, dash, gap, stroke).into_dyn()
                    } else {
                        PathElement::new(ends, stroke).into_dyn()
                    }
                });
            }
        }
        if self.curves.len() > 1 && self.curves.iter().any(|curve| !curve.name.is_empty()) {
            chart
                .configure_series_labels()
                .position(self.legend_place(&lines, &axes))
                .background_style(WHITE.mix(0.85))
                .border_style(RGBColor(200, 200, 200))
                .label_font(text(14))
                .draw()?;
        }
        Ok(())
    }
}

/// Draws plots side by side in one PNG.
///
/// # Errors
/// When the file cannot be written.
pub fn save_plots(file: impl AsRef<Path>, plots: &[Plot]) -> Result<(), TrainError> {
    save(file.as_ref(), (640 * plots.len().max(1) as u32, 440), |area| {
        area.split_evenly((1, plots.len().max(1)))
            .iter()
            .zip(plots)
            .try_for_each(|(area, plot)| plot.draw(area))
    })
}
