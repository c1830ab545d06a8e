//! Images with labels or masks in an npz file, such as `numpy.savez` writes.

use std::path::Path;

use ndarray::{ArrayD, Axis};
use striate_formats::{AnyArray, Limits, npz};

use crate::input::{MAX_BYTES, check_size};
use crate::labelled::numbered_classes;
use crate::{DatasetError, Labelled, Segmentation};

/// Reads the arrays `images` (N, …) and `labels` (N) of an npz file, whatever they are called there.
///
/// u8 values are divided by 255, others stay as they are; the shape is kept. The classes are "0", "1", …, up to the
/// largest label.
///
/// # Errors
/// The file cannot be read, an array is missing, labels are not whole numbers from 0, or are not N.
///
/// ```
/// use ndarray::{arr1, arr2};
/// use striate_formats::{Arrays, npz as file};
/// use striate_datasets::npz;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("train.npz");
/// let mut arrays = Arrays::new();
/// arrays.push("x_train", arr2(&[[0u8, 255], [51, 0]]));
/// arrays.push("y_train", arr1(&[1i64, 0]));
/// file::write(&path, &arrays)?;
///
/// let train = npz::labelled(&path, "x_train", "y_train")?;
/// assert_eq!(train.features(), arr2(&[[0.0, 1.0], [0.2, 0.0]]));
/// assert_eq!(train.labels(), [1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn labelled(path: impl AsRef<Path>, images: &str, labels: &str) -> Result<Labelled, DatasetError> {
    let path = path.as_ref();
    let arrays = npz::read_named(path, &[images, labels], &limits())?;
    let array = &arrays[labels];
    if array.shape().len() != 1 {
        return Err(wrong_shape(path, "labels (N)", array));
    }
    let labels = indices(path, "labels", array)?;
    let images = scaled(path, &arrays[images])?;
    let classes = numbered_classes(path, &labels)?;
    Labelled::from_file(path, images, labels, classes)
}

/// Reads the arrays `images` (N, H, W) or (N, C, H, W) and `masks` (N, H, W) of an npz file, whatever they are called
/// there.
///
/// u8 values of images are divided by 255, others stay as they are. Masks are classes by number, in the order of
/// their names in `classes`; pixels of the label `ignored` do not count.
///
/// # Errors
/// The file cannot be read, an array is missing or has another shape, or a pixel's label is none of the classes.
///
/// ```no_run
/// use striate_datasets::npz;
///
/// let roads = npz::segmentation("roads.npz", "images", "masks", ["no road", "road"], Some(255))?;
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
pub fn segmentation<S: Into<String>>(
    path: impl AsRef<Path>,
    images: &str,
    masks: &str,
    classes: impl IntoIterator<Item = S>,
    ignored: Option<usize>,
) -> Result<Segmentation, DatasetError> {
    let path = path.as_ref();
    let arrays = npz::read_named(path, &[images, masks], &limits())?;
    let (images, array) = (scaled(path, &arrays[images])?, &arrays[masks]);
    let images = if images.ndim() == 3 { images.insert_axis(Axis(1)) } else { images };
    let labels = indices(path, "masks", array)?;
    let masks = ArrayD::from_shape_vec(array.shape(), labels).expect("as many as the array has");
    let masks = masks.into_dimensionality().map_err(|_| wrong_shape(path, "masks (N, H, W)", array))?;
    Segmentation::from_file(path, images, masks, classes.into_iter().map(Into::into).collect(), ignored)
}

fn limits() -> Limits {
    Limits { max_bytes: MAX_BYTES, ..Limits::default() }
}

fn wrong_shape(path: &Path, expected: &'static str, array: &AnyArray) -> DatasetError {
    DatasetError::Shape { file: path.to_path_buf(), expected, found: array.shape().to_vec() }
}

fn indices(path: &Path, field: &'static str, array: &AnyArray) -> Result<Vec<usize>, DatasetError> {
    check_values::<usize>(path, array)?;
    array.to_indices().ok_or_else(|| DatasetError::Field {
        file: path.to_path_buf(),
        offset: 0,
        field,
        expected: "whole numbers from 0".into(),
        found: format!("{} values, some others", array.dtype()),
    })
}

/// Bytes as numbers in 0..=1, others as they are.
fn scaled(path: &Path, images: &AnyArray) -> Result<ArrayD<f32>, DatasetError> {
    check_values::<f32>(path, images)?;
    Ok(match images {
        AnyArray::U8(bytes) => bytes.mapv(|byte| f32::from(byte) / 255.0),
        other => other.to_f32(),
    })
}

/// Checks the memory that values take as such numbers.
fn check_values<T>(path: &Path, array: &AnyArray) -> Result<(), DatasetError> {
    check_size(path, array.shape().iter().product::<usize>() as u128 * size_of::<T>() as u128)
}
