//! Figures are readable PNG files of the expected size, whatever the data.
#![cfg(feature = "figures")]

use ndarray::Array2;
use striate_train::figures::{Cell, Curve, Grid, Heatmap, Plot, save_plots};
use striate_train::{Confusion, TrainError};

fn ink(file: &std::path::Path) -> (u32, u32, usize) {
    let picture = image::open(file).unwrap().to_rgb8();
    let dark = picture.pixels().filter(|pixel| pixel.0.iter().all(|&c| c < 128)).count();
    (picture.width(), picture.height(), dark)
}

#[test]
fn plots_survive_any_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plot.png");
    let odd = vec![
        vec![],
        vec![(1.0, f64::NAN)],
        vec![(0.0, 0.0)],
        vec![(-1.0, f64::INFINITY), (2.0, -3.0)],
        vec![(1.0, 1e-300), (2.0, 1e300)],
    ];
    for points in odd {
        for log in [false, true] {
            let curve = Curve { name: "c".into(), points: points.clone() };
            let plot = Plot {
                curves: vec![curve.clone(), curve],
                log_x: log,
                log_y: log,
                dots: true,
                ..Default::default()
            };
            save_plots(&file, &[plot.clone(), plot]).unwrap();
            assert_eq!(ink(&file).0, 1280);
        }
    }
}

#[test]
fn text_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plot.png");
    let plot = |title: &str| Plot { title: title.into(), ..Default::default() };
    plot("").save(&file).unwrap();
    let without = ink(&file).2;
    plot("Σ x² of a long title").save(&file).unwrap();
    assert!(ink(&file).2 > without + 100);
}

#[test]
fn grids_and_heatmaps_take_any_shape() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picture.png");
    for (cells, size) in [(0, (8, 8)), (1, (1, 1)), (13, (28, 28)), (3, (200, 3))] {
        let cell =
            Cell { image: Array2::from_elem(size, 0.5), caption: "7, is 9".into(), marked: cells == 1 };
        Grid { title: "t".into(), cells: vec![cell; cells], columns: 5 }.save(&file).unwrap();
        ink(&file);
    }
    let mut confusion = Confusion::new(&["Ankle boot", "Bag"]);
    confusion.add(&[0, 1, 1], &[0, 1, 0]);
    Heatmap::from(&confusion).save(&file).unwrap();
    assert!(ink(&file).2 > 500);
    Heatmap::from(&Confusion::new::<&str>(&[])).save(&file).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Plot::default().save(folder.path().join("missing/plot.png")).unwrap_err();
    assert!(matches!(error, TrainError::Figure { .. }) && error.to_string().contains("plot.png"), "{error}");
}
