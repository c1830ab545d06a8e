//! Where a legend hides least.

use plotters::chart::SeriesLabelPosition::{self, *};

/// Places of a legend, and how much of the width is left of them and of the height below; the first wins among equals.
const PLACES: [(SeriesLabelPosition, [f64; 2]); 8] = [
    (UpperRight, [1.0, 1.0]),
    (LowerRight, [1.0, 0.0]),
    (UpperLeft, [0.0, 1.0]),
    (LowerLeft, [0.0, 0.0]),
    (MiddleRight, [1.0, 0.5]),
    (MiddleLeft, [0.0, 0.5]),
    (UpperMiddle, [0.5, 1.0]),
    (LowerMiddle, [0.5, 0.0]),
];

/// The place where a legend of this size covers the shortest part of the lines; all in units of the plot's sides.
pub(super) fn place(lines: &[Vec<[f64; 2]>], size: [f64; 2]) -> SeriesLabelPosition {
    let covered = |place: [f64; 2]| {
        let segments = lines.iter().flat_map(|line| line.array_windows());
        segments.map(|&[a, b]| covered_length(a, b, place, size)).sum::<f64>()
    };
    let covered = PLACES.map(|(name, place)| (name, covered(place)));
    covered.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are places").0
}

/// How much of the line from a to b lies under the legend.
fn covered_length(a: [f64; 2], b: [f64; 2], place: [f64; 2], size: [f64; 2]) -> f64 {
    // The part of the line, from 0 at a to 1 at b, that is within the legend along both axes.
    let (mut start, mut end) = (0.0_f64, 1.0_f64);
    for axis in 0..2 {
        let (low, step) = (place[axis] * (1.0 - size[axis]), b[axis] - a[axis]);
        let at = |edge: f64| (edge - a[axis]) / step;
        let (enter, leave) = (at(low), at(low + size[axis]));
        if step != 0.0 {
            (start, end) = (start.max(enter.min(leave)), end.min(enter.max(leave)));
        } else if !(low..=low + size[axis]).contains(&a[axis]) {
            return 0.0;
        }
    }
    (end - start).max(0.0) * (b[0] - a[0]).hypot(b[1] - a[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f64; 2] = [0.4, 0.3];

    #[test]
    fn a_legend_stays_away_from_the_lines() {
        let place = |lines: &[&[[f64; 2]]]| {
            let lines: Vec<_> = lines.iter().map(|line| line.to_vec()).collect();
            format!("{:?}", place(&lines, SIZE))
        };
        let top: &[[f64; 2]] = &[[0.0, 1.0], [1.0, 1.0]];
        let falling: &[[f64; 2]] = &[[0.0, 1.0], [1.0, 0.0]];
        let rising: &[[f64; 2]] = &[[0.0, 0.0], [1.0, 1.0]];
        assert_eq!(place(&[]), "UpperRight");
        assert_eq!(place(&[falling]), "UpperRight");
        assert_eq!(place(&[rising]), "LowerRight");
        assert_eq!(place(&[top, falling]), "LowerLeft");
        assert_eq!(place(&[falling, rising]), "LowerMiddle");
    }

    #[test]
    fn what_is_covered_is_measured() {
        let length = |a, b| covered_length(a, b, [1.0, 1.0], SIZE);
        assert!((length([0.0, 0.8], [1.0, 0.8]) - 0.4).abs() < 1e-12);
        assert!((length([0.9, 0.0], [0.9, 1.0]) - 0.3).abs() < 1e-12);
        assert_eq!(length([0.0, 0.6], [1.0, 0.6]), 0.0);
        assert_eq!(length([0.0, 0.0], [0.5, 1.0]), 0.0);
        // From the corner (0.6, 0.9) of the legend's left edge to (0.8, 1.0).
        assert!((length([0.4, 0.8], [0.8, 1.0]) - 0.05_f64.sqrt()).abs() < 1e-12);
    }
}
