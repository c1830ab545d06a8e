//! Maps of S1 and C1 cells, what they say to a bar that moves, and to one that turns.

use std::f64::consts::PI;

use ndarray::{Array2, arr2};
use striate::conv::upsample_nearest2d;
use striate::datasets::{Dataset, Labelled};
use striate::nn::ParamStore;
use striate::tensor::{Tensor, no_grad};
use striate::train::figures::{Cell, Curve, Grid, Plot, save_plots};
use striate::train::{RunFolder, TrainError};
use striate::vision::{Bar, Hmax, HmaxOptions, gabor_bank};

pub(crate) fn draw(
    hmax: &Hmax,
    options: &HmaxOptions,
    pictures: &Labelled,
    folder: &RunFolder,
) -> Result<(), TrainError> {
    no_grad(|| maps(hmax, options, pictures)).save(folder.file("maps.png"))?;
    let probe = Hmax::with(&ParamStore::seeded(0).root(), options);
    save_plots(folder.file("cells.png"), &no_grad(|| [moving_bar(&probe), turning_bar(&probe)]))
}

fn degrees(orientation: usize, orientations: usize) -> String {
    format!("{:.0}°", 180.0 * orientation as f64 / orientations as f64)
}

/// A picture; for each band the filters of its first size, what they respond with, and the C1 cells above them.
fn maps(hmax: &Hmax, options: &HmaxOptions, pictures: &Labelled) -> Grid {
    let picture = Tensor::from(pictures.gather(&[0]).images);
    let (s1, c1) = (hmax.s1(&picture), hmax.c1(&picture));
    // The largest image decides how large all are drawn.
    let enlarged = upsample_nearest2d(&picture, 128 / picture.shape()[2].clamp(1, 128));
    let mut cells = Vec::new();
    for (number, band) in options.bands.iter().enumerate() {
        let size = band.filters[0];
        let filters = gabor_bank::<f32>(size, options.orientations);
        let largest = filters.abs().max().item();
        let rows = [
            (format!("filter {size}×{size}"), filters.transpose(0, 1) / (2.0 * largest) + 0.5),
            (format!("S1 {size}×{size}"), bright(&s1[number][0])),
            (format!("C1 band {}", number + 1), bright(&c1[number])),
        ];
        for (row, (name, maps)) in rows.into_iter().enumerate() {
            cells.push(match (number, row) {
                (0, 0) => Cell { image: plane(&enlarged, 0), caption: "picture".into(), marked: false },
                _ => Cell { image: arr2(&[[1.0]]), caption: String::new(), marked: false },
            });
            cells.extend((0..options.orientations).map(|o| Cell {
                image: plane(&maps, o),
                caption: format!("{name}, {}", degrees(o, options.orientations)),
                marked: false,
            }));
        }
    }
    let title = "Gabor filters, simple cells S1 and complex cells C1, each row by its own scale".into();
    Grid { title, cells, columns: options.orientations + 1 }
}

/// So much brighter that the largest fiftieth of the values is white.
fn bright(maps: &Tensor) -> Tensor {
    let mut values = maps.to_vec();
    values.sort_unstable_by(f32::total_cmp);
    maps / f64::from(values[values.len() * 49 / 50].max(f32::MIN_POSITIVE))
}

/// Channel `channel` of the first image.
fn plane(x: &Tensor, channel: usize) -> Array2<f32> {
    let plane = x.select(0, 0).select(0, channel as isize).to_ndarray();
    plane.into_dimensionality().expect("a channel has two axes")
}

/// Side of the image with a bar.
const SIDE: usize = 48;
/// The complex cell that is watched, which with default options sees the places from 20 to 27, and a simple cell of those
/// below it: row and column.
const COMPLEX: [usize; 2] = [5, 5];
const SIMPLE: [usize; 2] = [24, 23];

fn bar(angle: f64, column: f64) -> Tensor {
    Bar { angle, centre: [column, SIMPLE[0] as f64], width: 3.0, length: 16.0 }.draw(SIDE)
}

/// The S1 cells of the first band with its largest filters, which fit the bar.
fn simple_cells(hmax: &Hmax, image: &Tensor) -> Tensor {
    hmax.s1(image)[0].last().expect("a band has filters").clone()
}

/// What cell `[row, column]` of a map says, for orientation `o`.
fn response(map: &Tensor, o: usize, [row, column]: [usize; 2]) -> f64 {
    f64::from(plane(map, o)[[row, column]])
}

fn curve(name: &str, points: impl Iterator<Item = (f64, f64)>) -> Curve {
    Curve { name: name.into(), points: points.collect(), ..Default::default() }
}

fn moving_bar(hmax: &Hmax) -> Plot {
    let shifts = || (-12..=12).map(f64::from);
    let at = |shift: f64| bar(0.0, SIMPLE[1] as f64 + shift);
    let simple = shifts().map(|shift| (shift, response(&simple_cells(hmax, &at(shift)), 0, SIMPLE)));
    let complex = shifts().map(|shift| (shift, response(&hmax.c1(&at(shift))[0], 0, COMPLEX)));
    Plot {
        title: "A standing bar that moves".into(),
        x_label: "shift of the bar, pixels".into(),
        y_label: "response of a cell, from 0 to 1".into(),
        curves: vec![curve("S1 cell", simple), curve("C1 cell above it", complex)],
        dots: true,
        ..Default::default()
    }
}

fn turning_bar(hmax: &Hmax) -> Plot {
    let angles = || (0..=36).map(|step| 5.0 * f64::from(step));
    let responses: Vec<(f64, Tensor)> = angles()
        .map(|angle| (angle, simple_cells(hmax, &bar(PI * angle / 180.0, SIMPLE[1] as f64))))
        .collect();
    let orientations = responses[0].1.shape()[1];
    let curves = (0..orientations).map(|o| {
        let points = responses.iter().map(|(angle, map)| (*angle, response(map, o, SIMPLE)));
        curve(&degrees(o, orientations), points)
    });
    // A point that is not seen, so that there is room for the legend.
    let curves = curves.chain([curve("", [(0.0, 0.8)].into_iter())]);
    Plot {
        title: "A bar that turns: tuning of S1 cells for…".into(),
        x_label: "orientation of the bar, degrees from upright".into(),
        y_label: "response of a cell, from 0 to 1".into(),
        curves: curves.collect(),
        ..Default::default()
    }
}
