//! Smooth random displacements.

use ndarray::Array3;
use striate_compute::rng::Rng;

/// A random displacement of every pixel that changes smoothly from place to place.
///
/// Displacements at the points of a coarse grid are Gaussian; between them they are bicubic (Keys 1981). Simard,
/// Steinkraus and Platt 2003; Ronneberger, Fischer and Brox 2015. torchvision's `ElasticTransform` smooths noise instead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elastic {
    /// Standard deviation of the displacements at the grid's points along each axis, in pixels.
    pub amplitude: f64,
    /// Pixels between the grid's points.
    pub spacing: usize,
}

impl Default for Elastic {
    /// None; the grid is one of 32 pixels.
    fn default() -> Self {
        Elastic { amplitude: 0.0, spacing: 32 }
    }
}

/// The displacements at the grid's points: (2, rows, columns), one point beyond the picture at each start.
pub(super) struct Displacement {
    grid: Array3<f64>,
    spacing: f64,
    /// The picture's last pixel; beyond the edge the displacement is that at the edge.
    last: [f64; 2],
}

impl Displacement {
    #[track_caller]
    pub(super) fn draw(elastic: Elastic, size: [usize; 2], rng: &mut Rng) -> Self {
        let Elastic { amplitude, spacing } = elastic;
        assert!(spacing > 0, "augment: the grid of an elastic change needs a spacing of at least 1 pixel");
        // A point before the picture, the one at its first pixel, and two after its last.
        let [rows, columns] = size.map(|n| n / spacing + 4);
        let mut grid = Array3::zeros((2, rows, columns));
        rng.fill_normal(grid.as_slice_mut().expect("new arrays are contiguous"), 0.0, amplitude);
        Displacement { grid, spacing: spacing as f64, last: size.map(|n| n as f64 - 1.0) }
    }

    /// How far the pixel at (y, x) is displaced along each axis.
    pub(super) fn at(&self, place: [f64; 2]) -> [f64; 2] {
        let [(top, down), (left, across)] = [0, 1].map(|axis| {
            let x = place[axis].min(self.last[axis]).max(0.0) / self.spacing;
            (x as usize, cubic(x.fract()))
        });
        [0, 1].map(|axis| {
            let row =
                |i: usize| (0..4).map(|j| across[j] * self.grid[(axis, top + i, left + j)]).sum::<f64>();
            (0..4).map(|i| down[i] * row(i)).sum()
        })
    }
}

/// Weights of four neighbours, at −1, 0, 1 and 2, of a place t in [0, 1).
fn cubic(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_keep_straight_lines() {
        for t in [0.0, 0.25, 0.7] {
            let weights = cubic(t);
            let line: f64 = weights.iter().zip([-1.0, 0.0, 1.0, 2.0]).map(|(w, x)| w * x).sum();
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-15 && (line - t).abs() < 1e-15);
        }
    }

    #[test]
    fn points_of_the_grid_are_met_and_neighbours_move_alike() {
        let elastic = Elastic { amplitude: 3.0, spacing: 8 };
        let field = Displacement::draw(elastic, [33, 20], &mut Rng::new(2));
        assert_eq!(field.at([40.0, -3.0]), field.at([32.0, 0.0]));
        assert_eq!(field.at([32.0, 16.0]), [field.grid[(0, 5, 3)], field.grid[(1, 5, 3)]]);
        for x in 0..19 {
            let [a, b] = [field.at([5.0, f64::from(x)]), field.at([5.0, f64::from(x + 1)])];
            assert!((a[0] - b[0]).abs() < 3.0, "a displacement jumps at column {x}");
        }
    }
}
