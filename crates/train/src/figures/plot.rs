//! Curves over a common axis.

use std::ops::Range;
use std::path::Path;

use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::ranged1d::ValueFormatter;
use plotters::element::{Circle, DashedPathElement, IntoDynElement, PathElement};
use plotters::prelude::{IntoLogRange, RGBColor, Ranged};
use plotters::series::{DashedLineSeries, LineSeries, PointSeries};
use plotters::style::{Color, IntoFont, WHITE};

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

    fn draw(&self, area: &Area) -> DrawResult {
        let [x, y] = self.ranges();
        match (self.log_x, self.log_y) {
            (false, false) => self.draw_axes(area, x, y),
            (true, false) => self.draw_axes(area, x.log_scale().base(2.0), y),
            (false, true) => self.draw_axes(area, x, y.log_scale()),
            (true, true) => self.draw_axes(area, x.log_scale().base(2.0), y.log_scale()),
        }
    }

    /// What the axes span.
    fn ranges(&self) -> [Range<f64>; 2] {
        let points =
            || self.curves.iter().flat_map(|curve| &curve.points).filter(|point| self.can_draw(point));
        [range(points().map(|point| point.0), self.log_x), range(points().map(|point| point.1), self.log_y)]
    }

    fn can_draw(&self, &(x, y): &(f64, f64)) -> bool {
        let fits = |v: f64, log: bool| v.abs() <= 1e30 && (!log || v >= 1e-30);
        fits(x, self.log_x) && fits(y, self.log_y)
    }

    fn legend_place(&self) -> SeriesLabelPosition {
        let scaled = |v: f64, log: bool| if log { v.ln() } else { v };
        let part = |v: f64, Range { start, end }: Range<f64>, log: bool| {
            (scaled(v, log) - scaled(start, log)) / (scaled(end, log) - scaled(start, log))
        };
        let [x, y] = self.ranges();
        let drawn = |point: &&(f64, f64)| self.can_draw(point);
        let place =
            |point: &(f64, f64)| [part(point.0, x.clone(), self.log_x), part(point.1, y.clone(), self.log_y)];
        let line = |curve: &Curve| curve.points.iter().filter(drawn).map(place).collect();
        let lines: Vec<_> = self.curves.iter().map(line).collect();
        let names =
            || self.curves.iter().map(|curve| curve.name.chars().count()).filter(|&length| length > 0);
        let size = [8.0 * names().max().unwrap_or(0) as f64 + 50.0, 19.0 * names().count() as f64 + 24.0];
        legend::place(&lines, [size[0] / INSIDE[0], size[1] / INSIDE[1]].map(|side| side.min(1.0)))
    }

    fn draw_axes<X, Y>(&self, area: &Area, x: X, y: Y) -> DrawResult
    where
        X: plotters::coord::ranged1d::AsRangedCoord<Value = f64>,
        Y: plotters::coord::ranged1d::AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let text = |size: i32| (FONT, size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_right(24)
            .caption(&self.title, text(20))
            .x_label_area_size(46)
            .y_label_area_size(68)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(225, 225, 225))
            .axis_style(INK)
            .label_style(text(14))
            .axis_desc_style(text(16))
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .x_labels(8)
            .y_labels(8)
            .x_label_formatter(&tick)
            .y_label_formatter(&tick)
            .draw()?;
        let [dash, gap] = DASH;
        for (index, curve) in self.curves.iter().enumerate() {
            let colour = COLOURS[curve.colour.unwrap_or(index) % COLOURS.len()];
            let stroke = colour.stroke_width(2);
            let points: Vec<(f64, f64)> =
                curve.points.iter().filter(|point| self.can_draw(point)).copied().collect();
            if self.dots {
                chart.draw_series(PointSeries::<_, _, Circle<_, i32>, _>::new(
                    points.clone(),
                    3,
                    colour.filled(),
                ))?;
            }
            let line = if curve.dashed {
                chart.draw_series(DashedLineSeries::new(points, dash, gap, stroke))?
            } else {
                chart.draw_series(LineSeries::new(points, stroke))?
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
                .position(self.legend_place())
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

/// A little more than the values take.
fn range(values: impl Iterator<Item = f64>, log: bool) -> Range<f64> {
    let usable = values.filter(|&v| !log || v > 0.0);
    let (low, high) =
        usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    match (low <= high, log) {
        (false, false) => 0.0..1.0,
        (false, true) => 0.1..1.0,
        (true, true) => low / 1.2..high * 1.2,
        (true, false) => {
            let margin = if high > low { 0.04 * (high - low) } else { 0.5 * low.abs().max(1.0) };
            low - margin..high + margin
        }
    }
}

/// A number on an axis, as short as it can be.
fn tick(value: &f64) -> String {
    if *value == 0.0 {
        return "0".into();
    }
    if value.abs() < 1e-3 || value.abs() >= 1e5 {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
