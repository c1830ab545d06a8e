//! Samples and labels in an npz file, such as `numpy.savez` writes.

use std::path::Path;

use striate_formats::{AnyArray, Limits, npz};

use crate::input::{MAX_BYTES, check_size};
use crate::labelled::numbered_classes;
use crate::{DatasetError, Labelled};

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
    let arrays = npz::read(path, &Limits { max_bytes: MAX_BYTES, ..Limits::default() })?;
    let missing = |name: &str| DatasetError::Missing {
        folder: path.to_path_buf(),
        looked_for: vec![format!(
            "an array named {name} among {}",
            arrays.names().collect::<Vec<_>>().join(", ")
        )],
    };
    let images = arrays.get(images).ok_or_else(|| missing(images))?;
    let label_array = arrays.get(labels).ok_or_else(|| missing(labels))?;
    let not_labels = || DatasetError::Field {
        file: path.to_path_buf(),
        offset: 0,
        field: "labels",
        expected: "whole numbers from 0".into(),
        found: format!("{} values, some others", label_array.dtype()),
    };
    if label_array.shape().len() != 1 {
        let found = label_array.shape().to_vec();
        return Err(DatasetError::Shape { file: path.to_path_buf(), expected: "labels (N)", found });
    }
    let labels = label_array.to_indices().ok_or_else(not_labels)?;
    check_size(path, images.shape().iter().product::<usize>() as u128 * size_of::<f32>() as u128)?;
    let images = match images {
        AnyArray::U8(bytes) => bytes.mapv(|byte| f32::from(byte) / 255.0),
        other => other.to_f32(),
    };
    let classes = numbered_classes(path, &labels)?;
    Labelled::from_file(path, images, labels, classes)
}
