//! Sprites by the laws of their factors.

use std::collections::HashSet;

use ndarray::{Array2, ArrayView2, Axis, Ix2, array, s};
use striate_datasets::{Dataset, Sprites};

const SQUARE: usize = 0;
const ELLIPSE: usize = 1;
const HEART: usize = 2;

fn picture(factors: [usize; 5]) -> Array2<f32> {
    let images = Sprites::default().images(ArrayView2::from(&[factors]));
    images.index_axis_move(Axis(0), 0).index_axis_move(Axis(0), 0).into_dimensionality::<Ix2>().unwrap()
}

#[test]
fn numbers_count_the_factors_with_y_fastest() {
    let sprites = Sprites::with_sizes([3, 2, 4, 3, 5]);
    assert_eq!(sprites.len(), 360);
    assert_eq!(sprites.factors(0), [0; 5]);
    assert_eq!(sprites.factors(1), [0, 0, 0, 0, 1]);
    assert_eq!(sprites.factors(7), [0, 0, 0, 1, 2]);
    assert_eq!(sprites.factors(359), [2, 1, 3, 2, 4]);
    let all: HashSet<_> = (0..360).map(|sample| sprites.factors(sample)).collect();
    assert_eq!(all.len(), 360);
}

#[test]
fn places_move_the_picture_by_pixels() {
    for shape in [SQUARE, ELLIPSE, HEART] {
        let first = picture([shape, 3, 7, 10, 20]);
        let right = picture([shape, 3, 7, 13, 20]);
        let down = picture([shape, 3, 7, 10, 24]);
        assert_eq!(right.slice(s![.., 3..]), first.slice(s![.., ..61]));
        assert_eq!(down.slice(s![4.., ..]), first.slice(s![..60, ..]));
    }
}

/// The picture turned left by a quarter around a pixel: what is above it comes to its left.
fn quarter(picture: &Array2<f32>, row: usize, column: usize) -> Array2<f32> {
    let mut turned = Array2::zeros((64, 64));
    for ((i, j), &value) in picture.indexed_iter().filter(|(_, value)| **value > 0.0) {
        turned[[row + column - j, column + i - row]] = value;
    }
    turned
}

#[test]
fn rotations_turn_the_picture_to_the_left() {
    // The centre of place 16 is pixel 32.
    let at = |shape, rotation| picture([shape, 5, rotation, 16, 16]);
    for shape in [SQUARE, ELLIPSE, HEART] {
        for rotation in [0, 3, 17] {
            assert_eq!(at(shape, rotation + 10), quarter(&at(shape, rotation), 32, 32), "shape {shape}");
        }
    }
    assert_eq!(at(SQUARE, 13), at(SQUARE, 3));
    assert_eq!(at(ELLIPSE, 23), at(ELLIPSE, 3));
    assert_ne!(at(ELLIPSE, 13), at(ELLIPSE, 3));
    assert_ne!(at(HEART, 23), at(HEART, 3));
    // The heart's tip is below.
    let heart = at(HEART, 0);
    let width = |row: usize| heart.row(row).sum();
    assert!(width(27) > width(38) && width(39) > 0.0 && heart[[32, 32]] == 1.0);
}

#[test]
fn scales_set_the_area_and_shapes_do_not() {
    for scale in 0..6 {
        let factor = 0.5 + 0.1 * scale as f32;
        for shape in [SQUARE, ELLIPSE, HEART] {
            let areas: Vec<f32> =
                (0..40).map(|rotation| picture([shape, scale, rotation, 0, 31]).sum()).collect();
            let mean = areas.iter().sum::<f32>() / 40.0;
            let expected = 213.0 * factor * factor;
            assert!((mean - expected).abs() < 0.04 * expected, "{shape}, {scale}: {mean}, {expected}");
        }
    }
}

#[test]
fn no_picture_touches_the_border_and_all_are_binary() {
    for (x, y) in [(0, 0), (31, 31), (0, 31)] {
        for shape in [SQUARE, ELLIPSE, HEART] {
            for rotation in 0..40 {
                let picture = picture([shape, 5, rotation, x, y]);
                assert!(picture.iter().all(|&value| value == 0.0 || value == 1.0));
                let inner = picture.slice(s![5..59, 5..59]).sum();
                assert_eq!(inner, picture.sum());
            }
        }
    }
}

#[test]
fn batches_have_pictures_and_their_factors() {
    let sprites = Sprites::with_sizes([2, 1, 1, 2, 2]);
    let batches: Vec<_> = sprites.batches(3).collect();
    assert_eq!(batches.iter().map(|batch| batch.images.shape()[0]).collect::<Vec<_>>(), [3, 3, 2]);
    assert_eq!(batches[0].factors, array![[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0]]);
    assert_eq!(batches[0].images, sprites.images(batches[0].factors.view()));
}

#[test]
#[should_panic(
    expected = "every factor needs a value, and there are three shapes, the sizes are [4, 1, 1, 1, 1]"
)]
fn there_are_three_shapes() {
    Sprites::with_sizes([4, 1, 1, 1, 1]);
}

#[test]
#[should_panic(expected = "the factors [0, 6, 0, 0, 0] are not below [3, 6, 40, 32, 32]")]
fn factors_have_so_many_values() {
    picture([0, 6, 0, 0, 0]);
}
