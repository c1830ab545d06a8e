//! Measures of labelled pixels, from counts that add up over images and batches.

use ndarray::{Array3, Array4, arr2};
use striate_datasets::Segmentation;
use striate_tensor::Tensor;
use striate_train::Confusion;
use striate_train::segmentation::evaluate;

const IGNORED: usize = 255;

#[test]
fn overlaps_are_counted_without_ignored_pixels() {
    let mut counts = Confusion::new(&["road", "car", "tree"]).ignoring(Some(IGNORED));
    counts.add(&[0, 0, 0, 1, 1, IGNORED, IGNORED], &[0, 0, 1, 1, 0, 0, 2]);
    assert_eq!(counts.counts(), &arr2(&[[2, 1, 0], [1, 1, 0], [0, 0, 0]]));
    assert_eq!([counts.iou(0), counts.dice(0)], [Some(2.0 / 4.0), Some(4.0 / 6.0)]);
    assert_eq!([counts.iou(1), counts.dice(1)], [Some(1.0 / 3.0), Some(2.0 / 4.0)]);
    assert_eq!([counts.iou(2), counts.dice(2)], [None, None]);
    assert_eq!(counts.mean_iou(), (1.0 / 2.0 + 1.0 / 3.0) / 2.0);
    assert_eq!(counts.mean_dice(), (2.0 / 3.0 + 1.0 / 2.0) / 2.0);
    assert_eq!(counts.accuracy(), 3.0 / 5.0);

    let mut other = Confusion::new(&["road", "car", "tree"]);
    other.add(&[2, 1], &[2, 2]);
    counts.merge(&other);
    assert_eq!((counts.counts().sum(), counts.iou(2)), (7, Some(1.0 / 2.0)));
    let table = counts.pixel_table();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("class"), "{table}");
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>()[..5], ["road", "50.0", "%", "66.7", "%"]);
    assert_eq!(lines[4].split_whitespace().last(), Some("%"));
}

#[test]
#[should_panic(expected = "confusion: label 2 and prediction 1 at position 1, there are 2 classes")]
fn a_label_beyond_the_classes_is_named() {
    Confusion::new(&["a", "b"]).add(&[0, 2], &[0, 1]);
}

/// Class 1 where the image is positive; images of which 0, 4 and 12 pixels are, and labels that say otherwise of some.
#[test]
fn images_are_pooled_and_averaged() {
    let positive = [0, 4, 12];
    let images =
        Array4::from_shape_fn((3, 1, 3, 4), |(n, _, y, x)| if 4 * y + x < positive[n] { 1.0 } else { -1.0 });
    let labels = [0, 8, 12];
    let mut masks = Array3::from_shape_fn((3, 3, 4), |(n, y, x)| usize::from(4 * y + x < labels[n]));
    masks[(0, 2, 3)] = IGNORED;
    let data = Segmentation::new(images.into_dyn(), masks.clone(), ["off", "on"], Some(IGNORED)).unwrap();
    let net = |x: &Tensor| Tensor::concat(&[&(x * -3.0), &(x * 3.0)], 1);
    for batch_size in [1, 2, 3] {
        let evaluation = evaluate(&net, &data, batch_size);
        assert_eq!(evaluation.confusion.counts(), &arr2(&[[11 + 4, 0], [4, 4 + 12]]));
        assert_eq!(evaluation.confusion.dice(1), Some(32.0 / 36.0));
        let each: Vec<_> = evaluation.images.iter().map(|image| image.dice(1)).collect();
        assert_eq!(each, [None, Some(8.0 / 12.0), Some(1.0)]);
        assert_eq!(evaluation.dice_per_image(1), (2.0 / 3.0 + 1.0) / 2.0);
        assert_eq!(evaluation.predictions.dim(), (3, 3, 4));
        assert_eq!((evaluation.predictions[(1, 0, 3)], evaluation.predictions[(1, 1, 0)]), (1, 0));
        let metrics = evaluation.metrics();
        assert_eq!(metrics["accuracy"], 31.0 / 35.0);
        assert!(metrics["loss"] > 0.4 && metrics["loss"] < 1.0, "{metrics:?}");
    }
}
