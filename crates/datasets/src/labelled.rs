//! Samples with class labels, in memory.

use std::path::Path;
use std::sync::Arc;

use ndarray::{ArcArray, Array2, ArrayD, ArrayView2, ArrayViewD, IxDyn};

use crate::{Dataset, DatasetError};

/// Samples in memory, each with a class label. A clone shares the arrays.
///
/// ```
/// use ndarray::arr2;
/// use striate_datasets::{Dataset, Labelled};
///
/// let points = arr2(&[[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).into_dyn();
/// let xor = Labelled::new(points, vec![0, 1, 1, 0], ["even", "odd"])?;
/// let batch = xor.gather(&[2, 3]);
/// assert_eq!(batch.images, arr2(&[[1.0, 0.0], [1.0, 1.0]]).into_dyn());
/// assert_eq!(batch.labels, [1, 0]);
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    images: ArcArray<f32, IxDyn>,
    labels: Arc<[usize]>,
    classes: Arc<[String]>,
}

impl Labelled {
    /// Samples (N, …), N labels and the classes' names, by label.
    ///
    /// # Errors
    /// The labels are not N, or one of them is not below the number of classes.
    pub fn new<S: Into<String>>(
        images: ArrayD<f32>,
        labels: Vec<usize>,
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self, DatasetError> {
        Self::from_file(Path::new("<memory>"), images, labels, classes.into_iter().map(Into::into).collect())
    }

    pub(crate) fn from_file(
        file: &Path,
        images: ArrayD<f32>,
        labels: Vec<usize>,
        classes: Vec<String>,
    ) -> Result<Self, DatasetError> {
        let images =
            if images.is_standard_layout() { images } else { images.as_standard_layout().into_owned() };
        Self::checked(file, images.into_shared(), labels.into(), classes.into())
    }

    fn checked(
        file: &Path,
        images: ArcArray<f32, IxDyn>,
        labels: Arc<[usize]>,
        classes: Arc<[String]>,
    ) -> Result<Self, DatasetError> {
        let file = || file.to_path_buf();
        let Some(&samples) = images.shape().first() else {
            return Err(DatasetError::Shape { file: file(), expected: "samples (N, …)", found: vec![] });
        };
        if samples != labels.len() {
            return Err(DatasetError::Counts { file: file(), samples, labels: labels.len() });
        }
        if let Some(sample) = labels.iter().position(|&label| label >= classes.len()) {
            let label = labels[sample];
            return Err(DatasetError::Label { file: file(), sample, label, classes: classes.len() });
        }
        Ok(Self { images, labels, classes })
    }

    /// The samples: pictures (N, C, H, W) or features (N, D).
    pub fn images(&self) -> ArrayViewD<'_, f32> {
        self.images.view()
    }

    /// The samples as rows (N, D), whatever their shape.
    pub fn features(&self) -> ArrayView2<'_, f32> {
        let (n, d) = (self.len(), self.row_len());
        self.images.view().into_shape_with_order((n, d)).expect("samples are kept in standard layout")
    }

    /// The label of every sample.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The classes' names, by label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The same samples with other names for the classes.
    ///
    /// # Errors
    /// A label is not below the number of classes.
    pub fn with_classes<S: Into<String>>(
        self,
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self, DatasetError> {
        let classes = classes.into_iter().map(Into::into).collect();
        Self::checked(Path::new("<memory>"), self.images, self.labels, classes)
    }

    /// The samples with these numbers, in this order, as a data set.
    ///
    /// # Panics
    /// When a number is not below [`len`](Dataset::len).
    #[track_caller]
    pub fn select(&self, indices: &[usize]) -> Self {
        let Batch { images, labels } = self.gather(indices);
        Self { images: images.into_shared(), labels: labels.into(), classes: self.classes.clone() }
    }

    pub(crate) fn map_images(&self, f: impl FnOnce(ArrayD<f32>) -> ArrayD<f32>) -> Self {
        Self { images: f(self.images.to_owned()).into_shared(), ..self.clone() }
    }

    fn row_len(&self) -> usize {
        self.images.shape()[1..].iter().product()
    }
}

impl Dataset for Labelled {
    type Batch = Batch;

    fn len(&self) -> usize {
        self.labels.len()
    }

    #[track_caller]
    fn gather(&self, indices: &[usize]) -> Batch {
        let images = gather_rows(&self.images, indices);
        Batch { images, labels: indices.iter().map(|&i| self.labels[i]).collect() }
    }
}

/// Rows of an array (N, …) in standard layout.
#[track_caller]
pub(crate) fn gather_rows<T: Copy>(array: &ArcArray<T, IxDyn>, indices: &[usize]) -> ArrayD<T> {
    let values = array.as_slice().expect("samples are kept in standard layout");
    let mut shape = array.shape().to_vec();
    let row = shape[1..].iter().product::<usize>();
    let mut rows = Vec::with_capacity(indices.len() * row);
    for &i in indices {
        assert!(i < array.shape()[0], "gather: sample {i}, there are {}", array.shape()[0]);
        rows.extend_from_slice(&values[i * row..][..row]);
    }
    shape[0] = indices.len();
    ArrayD::from_shape_vec(shape, rows).expect("as many values as the shape needs")
}

/// More classes than this are taken for a damaged file.
const MAX_CLASSES: usize = 1 << 16;

/// Classes "0", "1", …, as many as the labels need.
pub(crate) fn numbered_classes(file: &Path, labels: &[usize]) -> Result<Vec<String>, DatasetError> {
    let count = labels.iter().max().map_or(0, |&label| label.saturating_add(1));
    if let Some(sample) = labels.iter().position(|&label| label >= MAX_CLASSES) {
        let (label, classes) = (labels[sample], MAX_CLASSES);
        return Err(DatasetError::Label { file: file.to_path_buf(), sample, label, classes });
    }
    Ok((0..count).map(|class| class.to_string()).collect())
}

/// Some samples of a [`Labelled`] data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The samples: pictures (N, C, H, W) or features (N, D).
    pub images: ArrayD<f32>,
    /// Their N labels.
    pub labels: Vec<usize>,
}

/// The labels as rows of 0 with one 1: `y[n, c] = 1` where `labels[n] = c`, shape (N, classes).
///
/// PyTorch: `torch.nn.functional.one_hot`.
///
/// # Panics
/// When a label is not below `classes`.
///
/// ```
/// use ndarray::arr2;
/// assert_eq!(striate_datasets::one_hot(&[2, 0], 3), arr2(&[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
/// ```
#[track_caller]
pub fn one_hot(labels: &[usize], classes: usize) -> Array2<f32> {
    let mut rows = Array2::zeros((labels.len(), classes));
    for (mut row, &label) in rows.outer_iter_mut().zip(labels) {
        assert!(label < classes, "one_hot: label {label}, there are {classes} classes");
        row[label] = 1.0;
    }
    rows
}
