//! Images with masks: the embedded nuclei, npz files, and what does not fit.

use std::path::Path;

use ndarray::{Array, Array3, Array4, ArrayD, Axis, concatenate};
use striate_datasets::{Dataset, DatasetError, Segmentation, npz, nuclei, nuclei_from};
use striate_formats::Arrays;

#[test]
fn the_nuclei_are_all_there() {
    let (train, test) = (nuclei().train(), nuclei().test());
    assert_eq!([train.len(), test.len()], [148, 37]);
    for part in [train, test] {
        assert_eq!(part.images().shape(), [part.len(), 1, 128, 128]);
        assert!(part.images().iter().all(|v| (0.0..=1.0).contains(v)));
        assert!(part.masks().outer_iter().all(|mask| mask.iter().any(|&label| label == 1)));
    }
    // The number of pixels of nuclei, as numpy gives it for the source's rows.
    let pixels = |part: &Segmentation| part.masks().sum();
    assert_eq!([pixels(train), pixels(test)], [338_230, 100_712]);
    let bright = test.images().outer_iter().filter(|image| image.mean() > Some(0.4)).count();
    assert_eq!(bright, 7, "stained images among those held out");
}

fn write(path: &Path, images: ArrayD<f32>, masks: Array3<u8>) {
    let mut arrays = Arrays::new();
    arrays.push("images", (images * 255.0).mapv(|v| v.round() as u8));
    arrays.push("masks", masks);
    striate_formats::npz::write(path, &arrays).unwrap();
}

/// A file as large as the full one, the held-out images in their rows, nothing in the others.
#[test]
fn the_full_file_is_split_by_the_held_out_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nuclei128.npz");
    let list = include_str!("../data/nuclei_held_out.txt");
    let rows: Vec<usize> =
        list.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    let mut images = ArrayD::zeros(vec![664, 1, 128, 128]);
    let mut masks = Array3::zeros((664, 128, 128));
    for (n, &row) in rows.iter().enumerate() {
        images.index_axis_mut(Axis(0), row).assign(&nuclei().test().images().index_axis(Axis(0), n));
        masks
            .index_axis_mut(Axis(0), row)
            .assign(&nuclei().test().masks().index_axis(Axis(0), n).mapv(|v| v as u8));
    }
    write(&path, images.clone(), masks.clone());
    let split = nuclei_from(&path).unwrap();
    assert_eq!(split.test(), nuclei().test());
    assert_eq!(split.train().len(), 664 - 37);
    assert_eq!(split.train().masks().sum(), 0);

    let moved = concatenate![
        Axis(0),
        images.slice_axis(Axis(0), (1..).into()),
        images.slice_axis(Axis(0), (..1).into())
    ];
    write(&path, moved, masks);
    let error = nuclei_from(&path).unwrap_err().to_string();
    assert!(error.contains("nuclei128.npz: images") && error.contains("image 0 of nuclei128.npz"), "{error}");
}

#[test]
fn masks_that_do_not_fit_are_named() {
    let images = || Array4::<f32>::zeros((2, 3, 4, 5)).into_dyn();
    let mut masks = Array3::zeros((2, 4, 5));
    masks[(1, 2, 3)] = 7;
    let new = |images, masks, ignored| Segmentation::new(images, masks, ["a", "b"], ignored);
    let error = new(images(), masks.clone(), None).unwrap_err();
    assert_eq!(error.to_string(), "<memory>: label 7 at row 2, column 3 of mask 1, there are 2 classes");
    let kept = new(images(), masks, Some(7)).unwrap();
    assert_eq!((kept.ignored(), kept.gather(&[1]).masks[(0, 2, 3)]), (Some(7), 7));

    for masks in [Array3::zeros((3, 4, 5)), Array3::zeros((2, 5, 4))] {
        let error = new(images(), masks, None).unwrap_err();
        assert!(error.to_string().contains("masks (N, H, W) as many and as large as the images"), "{error}");
    }
    let error = new(ArrayD::zeros(vec![2, 4, 5]), Array3::zeros((2, 4, 5)), None).unwrap_err();
    assert!(matches!(error, DatasetError::Shape { expected: "images (N, C, H, W)", .. }), "{error}");
}

#[test]
fn npz_files_of_images_and_masks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    let mut arrays = Arrays::new();
    arrays.push("x", Array::from_shape_fn((2, 3, 4), |(n, y, x)| (51 * n + y * x) as u8));
    arrays.push("y", Array::from_shape_fn((2, 3, 4), |(_, y, x)| (y * x) as i64));
    arrays.push("flat", Array::from_vec(vec![0u8, 1]));
    arrays.push("negative", Array::from_elem((2, 3, 4), -1i32));
    striate_formats::npz::write(&path, &arrays).unwrap();
    let names = || (0..7).map(|class| class.to_string());

    let data = npz::segmentation(&path, "x", "y", names(), None).unwrap();
    assert_eq!(data.images().shape(), [2, 1, 3, 4]);
    assert_eq!((data.images()[[1, 0, 0, 0]], data.masks()[(1, 2, 3)]), (0.2, 6));
    let message = |masks: &str, classes: usize| {
        npz::segmentation(&path, "x", masks, names().take(classes), None).unwrap_err().to_string()
    };
    assert!(message("y", 6).ends_with("data.npz: label 6 at row 2, column 3 of mask 0, there are 6 classes"));
    assert!(message("z", 7).ends_with("data.npz: z: there is no such array among x, y, flat, negative"));
    assert!(message("flat", 7).ends_with("expected masks (N, H, W), found shape [2]"));
    assert!(message("negative", 7).contains("masks at byte 0: expected whole numbers from 0"));
}
