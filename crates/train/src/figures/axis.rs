//! An axis: what it spans, where it is marked, and how.

use std::ops::Range;

use plotters::chart::ChartContext;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{BoldPoints, DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{BitMapBackend, RGBColor};
use plotters::style::{IntoFont, WHITE};

use super::canvas::{DrawResult, FONT, INK};

/// How many marks there are, about.
const MARKS: usize = 8;

/// A linear axis, or a logarithmic one, on which the logarithms of numbers stand.
#[derive(Clone)]
pub(super) struct Axis {
    /// The base of the logarithm.
    base: Option<f64>,
    /// What the axis spans, as it stands on it.
    pub(super) range: Range<f64>,
    /// Where it is marked, likewise.
    pub(super) marks: Vec<f64>,
}

impl Axis {
    /// An axis a little longer than the values take, with a logarithmic scale of that base if there is one.
    ///
    /// Values are such that [`Axis::holds`] them.
    pub(super) fn new(values: impl Iterator<Item = f64>, base: Option<f64>) -> Self {
        let scaled = values.map(|value| scale(value, base));
        let (low, high) =
            scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let range = if low > high {
            0.0..1.0
        } else {
            let margin = if high > low { 0.04 * (high - low) } else { 0.5 * low.abs().max(1.0) };
            low - margin..high + margin
        };
        let marks = match base {
            Some(base) => logarithmic_marks(&range, base),
            None => linear_marks(&range),
        };
        Axis { base, range, marks }
    }

    /// Whether a value can stand on the axis: not beyond ±10³⁰, nor below 10⁻³⁰ on a logarithmic one.
    pub(super) fn holds(value: f64, base: Option<f64>) -> bool {
        value.abs() <= 1e30 && (base.is_none() || value >= 1e-30)
    }

    /// Where a value stands.
    pub(super) fn place(&self, value: f64) -> f64 {
        scale(value, self.base)
    }

    /// The number that stands at a mark.
    pub(super) fn label(&self, mark: f64) -> String {
        let Some(base) = self.base else { return short(mark) };
        let wide = base == 10.0 && self.marks.iter().any(|mark| !(-3.01..4.01).contains(mark));
        if wide { power_of_ten(mark.round() as i32) } else { short(base.powf(mark)) }
    }
}

/// Draws both axes of a chart with their marks, and lines across it.
pub(super) fn draw_axes(
    chart: &mut ChartContext<BitMapBackend, Cartesian2d<Axis, Axis>>,
    [x_label, y_label]: [&str; 2],
    [x, y]: [&Axis; 2],
) -> DrawResult {
    let text = |size: i32| (FONT, size).into_font().color(&INK);
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(225, 225, 225))
        .axis_style(INK)
        .label_style(text(14))
        .axis_desc_style(text(16))
        .x_desc(x_label)
        .y_desc(y_label)
        .x_labels(x.marks.len())
        .y_labels(y.marks.len())
        .x_label_formatter(&|&mark| x.label(mark))
        .y_label_formatter(&|&mark| y.label(mark))
        .draw()?;
    Ok(())
}

/// An axis of a chart, whose coordinates are places on it.
impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, pixels: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range.clone()).map(place, pixels)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

fn scale(value: f64, base: Option<f64>) -> f64 {
    base.map_or(value, |base| value.ln() / base.ln())
}

fn linear_marks(range: &Range<f64>) -> Vec<f64> {
    RangedCoordf64::from(range.clone()).key_points(BoldPoints(MARKS))
}

/// Powers of the base; on a short axis also their multiples, or any round numbers when there are still too few.
fn logarithmic_marks(range: &Range<f64>, base: f64) -> Vec<f64> {
    let powers = (range.end - range.start) as usize;
    let every = powers.div_ceil(MARKS).max(1);
    let exponents = (range.start.ceil() as i32..=range.end.floor() as i32)
        .filter(|exponent| exponent.rem_euclid(every as i32) == 0);
    let within = |mark: &f64| range.contains(mark);
    let marks: Vec<f64> = exponents.map(f64::from).collect();
    if marks.len() > 2 {
        return marks;
    }
    let lowest = range.start.floor() as i32;
    let multiples = (lowest..=lowest + 4).flat_map(|exponent| {
        [1.0, 2.0, 5.0].into_iter().filter(|&factor| factor < base).map(move |factor| (exponent, factor))
    });
    let marks: Vec<f64> =
        multiples.map(|(exponent, factor)| f64::from(exponent) + scale(factor, Some(base))).collect();
    let marks: Vec<f64> = marks.into_iter().filter(within).collect();
    if marks.len() > 2 {
        return marks;
    }
    let values = base.powf(range.start)..base.powf(range.end);
    linear_marks(&values).into_iter().map(|value| scale(value, Some(base))).filter(within).collect()
}

/// A number, as short as it can be.
fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if value.abs() < 1e-3 || value.abs() >= 1e5 {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn power_of_ten(exponent: i32) -> String {
    if exponent == 0 {
        return "1".into();
    }
    let raised = |character: char| match character.to_digit(10) {
        Some(digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit as usize).expect("ten digits"),
        None => '⁻',
    };
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: [f64; 2], base: Option<f64>) -> Vec<String> {
        let axis = Axis::new(values.into_iter(), base);
        axis.marks.iter().map(|&mark| axis.label(mark)).collect()
    }

    #[test]
    fn a_logarithmic_axis_is_marked_from_end_to_end() {
        let wide = labels([1e-21, 1e10], Some(10.0));
        assert_eq!(wide, ["10⁻²⁰", "10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1", "10⁵", "10¹⁰"]);
        assert_eq!(labels([0.002, 30.0], Some(10.0)), ["0.01", "0.1", "1", "10"]);
        assert_eq!(labels([0.03, 0.3], Some(10.0)), ["0.05", "0.1", "0.2"]);
        assert_eq!(labels([1.0, 8.0], Some(2.0)), ["1", "2", "4", "8"]);
    }

    #[test]
    fn a_short_axis_is_marked_at_round_numbers() {
        let narrow = labels([0.21, 0.24], Some(10.0));
        assert!(narrow.len() > 2 && narrow.contains(&"0.22".to_string()), "{narrow:?}");
        assert_eq!(labels([0.0, 6.0], None), ["0", "1", "2", "3", "4", "5", "6"]);
    }

    #[test]
    fn values_stand_in_the_range() {
        for (values, base) in [([1e-30, 1e30], Some(10.0)), ([3.0, 3.0], Some(2.0)), ([-1e30, 1e30], None)] {
            let axis = Axis::new(values.into_iter(), base);
            assert!(values.iter().all(|&value| axis.range.contains(&axis.place(value))), "{values:?}");
            assert!(!axis.marks.is_empty() && axis.marks.len() < 20, "{values:?}: {:?}", axis.marks);
        }
        assert_eq!(Axis::new([].into_iter(), Some(10.0)).range, 0.0..1.0);
    }
}
