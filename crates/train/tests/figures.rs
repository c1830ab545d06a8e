//! Figures are readable PNG files of the expected size, whatever the data.
#![cfg(feature = "figures")]

use ndarray::{Array2, s};
use striate_datasets::{Dataset, digits};
use striate_train::classification::Evaluation;
use striate_train::figures::{
    Cell, Curve, Grid, Heatmap, Matrices, Matrix, Plot, learning_curves, predictions, save_plots,
};
use striate_train::{Confusion, EpochRecord, Metrics, TrainError};

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
            let curve = Curve { name: "c".into(), points: points.clone(), ..Default::default() };
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
fn curves_have_the_colour_the_line_and_the_name_that_they_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plot.png");
    let count = |curve: Curve, colour: [u8; 3]| {
        let other = Curve { points: vec![(0.0, 1.0), (9.0, 1.0)], ..Default::default() };
        Plot { curves: vec![other, curve], ..Default::default() }.save(&file).unwrap();
        image::open(&file).unwrap().to_rgb8().pixels().filter(|pixel| pixel.0 == colour).count()
    };
    let (blue, orange) = ([0, 114, 178], [213, 94, 0]);
    let line = Curve { points: vec![(0.0, 0.0), (9.0, 0.0)], ..Default::default() };
    let solid = count(line.clone(), orange);
    let dashed = count(Curve { dashed: true, ..line.clone() }, orange);
    assert!((0.5..0.75).contains(&(dashed as f64 / solid as f64)), "{dashed} of {solid} pixels");
    assert!(count(Curve { name: "c".into(), ..line.clone() }, orange) > solid, "the legend has a line");

    let own = count(line.clone(), blue);
    assert!(count(Curve { colour: Some(0), ..line.clone() }, blue) > own);
    assert_eq!(count(Curve { colour: Some(0), ..line }, orange), 0);
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
fn matrices_stand_beside_each_other_and_under_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matrices.png");
    let size = |sides: &[usize], rows: usize, value: f64| {
        let matrix =
            |&side: &usize| Matrix { values: Array2::from_elem((side, side), value), caption: "m".into() };
        let row = ("row".to_string(), sides.iter().map(matrix).collect());
        Matrices { title: String::new(), rows: vec![row; rows] }.save(&file).unwrap();
        ink(&file)
    };
    let (width, height, _) = size(&[2, 4], 1, 0.5);
    assert_eq!(size(&[2, 4, 4], 1, 0.5).0 - width, 4 * 40 + 28);
    assert!(size(&[2, 4], 3, 0.5).1 > 2 * height);
    assert!(size(&[2], 1, 0.0).2 > size(&[0], 1, 0.0).2, "numbers are written, zeros too");
    size(&[], 1, 0.0);
    size(&[0], 0, 0.0);
}

#[test]
fn cells_are_as_wide_as_their_images_and_captions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("grid.png");
    let width = |side: usize, caption: &str| {
        let cell = Cell { image: Array2::zeros((side, 5)), caption: caption.into(), marked: false };
        Grid { title: String::new(), cells: vec![cell; 3], columns: 3 }.save(&file).unwrap();
        ink(&file).0
    };
    assert_eq!(width(8, "7"), width(64, ""));
    assert_eq!(width(200, "7") - width(64, "7"), 3 * (200 - 64));
    assert_eq!(width(1000, ""), width(256, ""));
    assert!(width(8, "Ankle boot, is Sneaker") > 3 * 22 * 7);
}

#[test]
fn predictions_are_the_first_pictures_and_the_mistakes_beyond() {
    let data = digits().test();
    let mut predicted = data.labels().to_vec();
    let wrong: Vec<usize> = [3].into_iter().chain(60..100).collect();
    wrong.iter().for_each(|&index| predicted[index] = (predicted[index] + 1) % 10);
    let confusion = Confusion::new(data.classes());
    let grid = predictions(data, &Evaluation { loss: 0.0, confusion, predictions: predicted });
    assert!(grid.title.starts_with(&format!("Predictions: 41 of {} wrong", data.len())), "{}", grid.title);
    let marked: Vec<usize> = (0..grid.cells.len()).filter(|&cell| grid.cells[cell].marked).collect();
    assert_eq!(marked, [3].into_iter().chain(60..80).collect::<Vec<_>>());
    let label = data.labels()[3];
    assert_eq!(grid.cells[3].caption, format!("{}, is {label}", (label + 1) % 10));
    assert_eq!(grid.cells[2].caption, data.labels()[2].to_string());
    assert_eq!(grid.cells[79].image, data.images().slice(s![79, 0, .., ..]));
}

#[test]
fn learning_curves_are_those_of_the_records() {
    let metrics = |loss: f64| Metrics::from([("loss".into(), loss)]);
    let record = |epoch: u64| EpochRecord {
        epoch,
        train: metrics(1.0 / epoch as f64),
        test: Metrics::from([("accuracy".into(), 0.9)]),
        learning_rate: 0.1,
        seconds: 1.0,
        samples_per_second: 1.0,
    };
    let [loss, accuracy] = learning_curves(&[record(1), record(2)], ["training", "test"]);
    assert_eq!(loss.curves[0].points, [(1.0, 1.0), (2.0, 0.5)]);
    assert_eq!(accuracy.curves[1].points, [(1.0, 90.0), (2.0, 90.0)]);
    assert!(loss.curves[1].points.is_empty() && accuracy.curves[0].points.is_empty());
    assert_eq!((loss.curves[0].name.as_str(), accuracy.curves[1].name.as_str()), ("training", "test"));
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Plot::default().save(folder.path().join("missing/plot.png")).unwrap_err();
    assert!(matches!(error, TrainError::Figure { .. }) && error.to_string().contains("plot.png"), "{error}");
}
