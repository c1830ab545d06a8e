//! Pictures and masks that change at random, together.

use ndarray::{Array, Array3, Array4, ArrayD, Axis};
use striate_compute::rng::Rng;
use striate_datasets::{Augment, Crop, Elastic, Outside, RandomAffine};

const SIZE: [usize; 2] = [40, 56];
const THRESHOLD: f32 = 0.5;

/// Smooth hills, two channels, and where the first one is higher than the threshold.
fn hills(samples: usize) -> (ArrayD<f32>, Array3<usize>) {
    let [height, width] = SIZE;
    let height_at = |n: usize, c: usize, y: usize, x: usize| {
        let (y, x) = (y as f32 * 0.23 + n as f32, x as f32 * 0.19 + c as f32);
        0.5 + 0.5 * y.sin() * x.cos()
    };
    let pictures = Array4::from_shape_fn((samples, 2, height, width), |(n, c, y, x)| height_at(n, c, y, x));
    let masks = Array3::from_shape_fn((samples, height, width), |(n, y, x)| {
        usize::from(height_at(n, 0, y, x) > THRESHOLD)
    });
    (pictures.into_dyn(), masks)
}

/// Every way to move a picture at once.
fn all_moves() -> Augment {
    Augment {
        flip_horizontal: true,
        flip_vertical: true,
        affine: RandomAffine { degrees: 180.0, shift: 3.0, scale: 0.2 },
        elastic: Elastic { amplitude: 2.0, spacing: 16 },
        crop: Some(Crop { size: [32, 24], padding: 2 }),
        outside: Outside::Reflect,
        ..Default::default()
    }
}

#[test]
fn nothing_asked_changes_nothing_and_draws_nothing() {
    let (pictures, masks) = hills(2);
    let (mut after, mut masks_after, mut rng) = (pictures.clone(), masks.clone(), Rng::new(3));
    Augment::default().apply_with_masks(&mut after, &mut masks_after, &mut rng);
    assert_eq!((after, masks_after), (pictures, masks));
    assert_eq!(rng.state(), Rng::new(3).state());
}

#[test]
fn a_whole_window_is_the_picture_to_the_bit() {
    let (pictures, masks) = hills(1);
    let (mut after, mut masks_after) = (pictures.clone(), masks.clone());
    let whole = Augment { crop: Some(Crop { size: SIZE, padding: 0 }), ..Default::default() };
    whole.apply_with_masks(&mut after, &mut masks_after, &mut Rng::new(0));
    assert_eq!((after, masks_after), (pictures, masks));
}

#[test]
fn flips_mirror_exactly_and_half_of_the_time() {
    let (before, masks) = hills(64);
    for (axis, flip) in [
        (2, Augment { flip_vertical: true, ..Default::default() }),
        (3, Augment { flip_horizontal: true, ..Default::default() }),
    ] {
        let (mut after, mut masks_after) = (before.clone(), masks.clone());
        flip.apply_with_masks(&mut after, &mut masks_after, &mut Rng::new(5));
        let mut mirrored = before.clone();
        mirrored.invert_axis(Axis(axis));
        let mut masks_mirrored = masks.clone();
        masks_mirrored.invert_axis(Axis(axis - 1));
        let mut flipped = 0;
        for n in 0..64 {
            let [old, new, other] = [&before, &after, &mirrored].map(|stack| stack.index_axis(Axis(0), n));
            flipped += usize::from(new == other);
            assert!(new == old || new == other);
            let expected = if new == other { &masks_mirrored } else { &masks };
            assert_eq!(masks_after.index_axis(Axis(0), n), expected.index_axis(Axis(0), n));
        }
        assert!((20..=44).contains(&flipped), "{flipped} of 64 flipped");
    }
}

#[test]
fn picture_and_mask_stay_aligned_through_every_move() {
    let all = all_moves();
    let single = [
        Augment { flip_horizontal: true, ..Default::default() },
        Augment { flip_vertical: true, ..Default::default() },
        Augment { affine: all.affine, ..Default::default() },
        Augment { elastic: all.elastic, ..Default::default() },
        Augment { crop: all.crop, ..Default::default() },
        all,
    ];
    // The hills rise by at most 0.115 and 0.095 a pixel, scaled by 0.8 at least and bent; the nearest pixel is half a pixel away.
    const CLOSE: f32 = 0.12;
    for augment in single.map(|augment| Augment { outside: Outside::Reflect, ..augment }) {
        let (mut pictures, mut masks) = hills(8);
        let before = masks.clone();
        augment.apply_with_masks(&mut pictures, &mut masks, &mut Rng::new(1));
        assert_ne!(masks, before, "{augment:?} moved nothing");
        let heights = pictures.index_axis(Axis(1), 0);
        assert_eq!(heights.shape(), masks.shape());
        let mut inside = 0;
        for (height, &label) in heights.iter().zip(&masks) {
            assert!(
                (height - THRESHOLD).abs() < CLOSE || usize::from(*height > THRESHOLD) == label,
                "{augment:?}: height {height} has label {label}"
            );
            inside += label;
        }
        assert!(inside > masks.len() / 4 && inside < masks.len() * 3 / 4);
    }
}

#[test]
fn the_seed_decides_and_the_mask_draws_nothing() {
    let augment = Augment { brightness: 0.3, noise: 0.1, ..all_moves() };
    let run = |seed| {
        let (mut pictures, mut masks) = hills(3);
        augment.apply_with_masks(&mut pictures, &mut masks, &mut Rng::new(seed));
        (pictures, masks)
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3).0, run(4).0);
    assert_ne!(run(3).1, run(4).1);
    let mut alone = hills(3).0;
    augment.apply(&mut alone, &mut Rng::new(3));
    assert_eq!(alone, run(3).0);
}

#[test]
fn channels_move_alike_and_pictures_do_not() {
    let plane = hills(1).0.index_axis(Axis(1), 0).to_owned();
    let mut stack = ndarray::stack(Axis(1), &[plane.view(), plane.view()]).unwrap();
    stack = ndarray::concatenate(Axis(0), &[stack.view(), stack.view()]).unwrap();
    all_moves().apply(&mut stack, &mut Rng::new(0));
    assert_eq!(stack.index_axis(Axis(1), 0), stack.index_axis(Axis(1), 1));
    assert_ne!(stack.index_axis(Axis(0), 0), stack.index_axis(Axis(0), 1));
}

#[test]
fn values_change_within_their_bounds() {
    let flat = Array::from_elem((50, 1, 8, 8), 2.0f32).into_dyn();
    let mut bright = flat.clone();
    Augment { brightness: 0.25, ..Default::default() }.apply(&mut bright, &mut Rng::new(0));
    let levels: Vec<f32> = bright.outer_iter().map(|picture| picture[[0, 0, 0]]).collect();
    assert!(
        bright.outer_iter().zip(&levels).all(|(picture, level)| picture.iter().all(|value| value == level))
    );
    assert!(levels.iter().all(|level| (1.5..=2.5).contains(level)));
    assert!(levels.iter().any(|level| *level < 1.7) && levels.iter().any(|level| *level > 2.3));

    let mut noisy = flat;
    Augment { noise: 0.5, ..Default::default() }.apply(&mut noisy, &mut Rng::new(0));
    assert!((noisy.mean().unwrap() - 2.0).abs() < 0.03 && (noisy.std(0.0) - 0.5).abs() < 0.03);
}

#[test]
fn windows_reach_as_far_as_the_padding() {
    let mut pictures = Array::ones((200, 1, 6, 6)).into_dyn();
    let crop = Some(Crop { size: [6, 6], padding: 2 });
    Augment { crop, ..Default::default() }.apply(&mut pictures, &mut Rng::new(0));
    let rows_of_zeros = |picture: ndarray::ArrayViewD<f32>| {
        picture
            .index_axis(Axis(0), 0)
            .outer_iter()
            .filter(|row| row.iter().all(|&value| value == 0.0))
            .count()
    };
    let most = pictures.outer_iter().map(rows_of_zeros).max();
    assert_eq!(most, Some(2));
}

#[test]
#[should_panic(expected = "augment: a window of [9, 4] does not fit in [6, 6] with a padding of 1")]
fn a_window_must_fit() {
    let crop = Some(Crop { size: [9, 4], padding: 1 });
    Augment { crop, ..Default::default() }.apply(&mut ArrayD::zeros(vec![1, 6, 6]), &mut Rng::new(0));
}

#[test]
#[should_panic(expected = "augment: masks (left) must be as many and as large as pictures (right)")]
fn masks_must_fit() {
    let mut masks = Array3::zeros((1, 6, 5));
    Augment::default().apply_with_masks(&mut ArrayD::zeros(vec![1, 1, 6, 6]), &mut masks, &mut Rng::new(0));
}
