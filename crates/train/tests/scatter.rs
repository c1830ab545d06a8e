//! Scattered points are seen where they are, by their classes' names.
#![cfg(feature = "figures")]

use striate_train::figures::Scatter;

fn coloured(scatter: &Scatter) -> (u32, usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scatter.png");
    scatter.save(&file).unwrap();
    let picture = image::open(&file).unwrap().to_rgb8();
    let spread = |pixel: [u8; 3]| pixel.iter().max().unwrap() - pixel.iter().min().unwrap();
    let colours = picture.pixels().filter(|pixel| spread(pixel.0) > 100).count();
    (picture.width(), colours)
}

fn scatter(points: Vec<(f64, f64)>, class: &str) -> Scatter {
    let labels = vec![0; points.len()];
    Scatter { points, labels, classes: vec![class.into(), "b".into()], ..Default::default() }
}

#[test]
fn more_points_are_more_ink_and_what_cannot_be_drawn_is_left_out() {
    let (width, none) = coloured(&scatter(vec![], "8"));
    assert_eq!((width, none), (640, 0));
    let (_, one) = coloured(&scatter(vec![(0.0, 0.0)], "8"));
    let (_, three) = coloured(&scatter(vec![(0.0, 0.0), (5.0, 1.0), (-3.0, 2.0)], "8"));
    assert!(one > 10 && three > 2 * one, "{one}, {three}");
    let odd = vec![(0.0, 0.0), (f64::NAN, 1.0), (f64::INFINITY, 0.0), (0.0, 1e300)];
    assert_eq!(coloured(&scatter(odd, "8")).1, one);
}

#[test]
fn long_names_stand_beside_the_points() {
    let points = vec![(0.0, 0.0), (1.0, 1.0)];
    let (narrow, few) = coloured(&scatter(points.clone(), "8"));
    let (wide, many) = coloured(&scatter(points, "Ankle boot"));
    assert!(wide > narrow + 90 && many > 2 * few, "{narrow}, {wide}; {few}, {many}");
}
