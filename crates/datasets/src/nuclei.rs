//! Microscopy images of cells, with their nuclei marked.

use std::path::Path;
use std::sync::LazyLock;

use ndarray::{Axis, Ix3};
use striate_formats::{Arrays, Limits, npz as file};

use crate::{Dataset, DatasetError, Segmentation, Split, npz};

const CLASSES: [&str; 2] = ["background", "nucleus"];

/// 185 grey microscopy images of 128×128 pixels: (N, 1, 128, 128) with values in 0..=1, and which pixels are nuclei.
///
/// 148 are for training; 37, always the same ones, are held out: 30 by fluorescence (bright nuclei on black) and 7 of
/// stained tissue (dark on bright). They are embedded, and decoded at the first call.
///
/// Source: 2018 Data Science Bowl, stage 1 (Caicedo et al. 2019), Broad Bioimage Benchmark Collection
/// [BBBC038](https://bbbc.broadinstitute.org/BBBC038), CC0: turned grey and scaled to one size; a mask is the union of
/// its image's nuclei.
///
/// ```
/// use striate_datasets::{Dataset, nuclei};
/// let nuclei = nuclei();
/// assert_eq!((nuclei.train().len(), nuclei.test().len()), (148, 37));
/// assert_eq!(nuclei.test().images().shape(), [37, 1, 128, 128]);
/// assert_eq!(nuclei.test().classes(), ["background", "nucleus"]);
/// ```
pub fn nuclei() -> &'static Split<Segmentation> {
    static NUCLEI: LazyLock<Split<Segmentation>> = LazyLock::new(|| {
        let bytes = include_bytes!("../data/nuclei.npz");
        let arrays = file::from_bytes(bytes, &Limits::default()).expect("the embedded file is whole");
        Split::new(part(&arrays, "train"), part(&arrays, "test"))
    });
    &NUCLEI
}

fn part(arrays: &Arrays, name: &str) -> Segmentation {
    let images = (arrays[&format!("{name}_images")].to_f32() / 255.0).insert_axis(Axis(1));
    let masks = arrays[&format!("{name}_masks")].to_f32().mapv(|label| label as usize);
    let masks = masks.into_dimensionality::<Ix3>().expect("the embedded file is whole");
    Segmentation::new(images, masks, CLASSES, None).expect("the embedded file is whole")
}

/// All 664 images of the source of [`nuclei`], from a file `nuclei128.npz` with arrays `images` and `masks`: the same
/// 37 are held out.
///
/// # Errors
/// The file cannot be read, or its images are others.
pub fn nuclei_from(path: impl AsRef<Path>) -> Result<Split<Segmentation>, DatasetError> {
    let path = path.as_ref();
    let all = npz::segmentation(path, "images", "masks", CLASSES, None)?;
    let held_out = held_out();
    for (n, &row) in held_out.iter().enumerate() {
        let expected = nuclei().test().images();
        if row >= all.len() || all.images().index_axis(Axis(0), row) != expected.index_axis(Axis(0), n) {
            return Err(DatasetError::Field {
                file: path.to_path_buf(),
                offset: 0,
                field: "images",
                expected: format!("image {row} of nuclei128.npz, which is held out"),
                found: format!("others, {} in all", all.len()),
            });
        }
    }
    let train: Vec<usize> = (0..all.len()).filter(|row| !held_out.contains(row)).collect();
    Ok(Split::new(all.select(&train), all.select(&held_out)))
}

/// The rows of the held-out images in the full file: the first word of every line.
fn held_out() -> Vec<usize> {
    let row = |line: &str| line.split(' ').next()?.parse().ok();
    include_str!("../data/nuclei_held_out.txt").lines().map(|line| row(line).expect("a number")).collect()
}
