//! Images with a class for every pixel, in memory.

use std::path::Path;
use std::sync::Arc;

use ndarray::{ArcArray, Array3, ArrayD, ArrayView3, ArrayViewD, IxDyn};

use crate::labelled::gather_rows;
use crate::{Dataset, DatasetError};

/// Images in memory, each with a mask of its pixels' classes. A clone shares the arrays.
///
/// ```
/// use ndarray::{Array3, Array4};
/// use striate_datasets::{Dataset, Segmentation};
///
/// let images = Array4::from_shape_fn((5, 1, 4, 6), |(_, _, _, x)| x as f32).into_dyn();
/// let masks = Array3::from_shape_fn((5, 4, 6), |(_, _, x)| usize::from(x > 2));
/// let halves = Segmentation::new(images, masks, ["left", "right"], None)?;
/// let batch = halves.gather(&[4, 1]);
/// assert_eq!((batch.images.shape(), batch.masks.shape()), (&[2, 1, 4, 6][..], &[2, 4, 6][..]));
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    images: ArcArray<f32, IxDyn>,
    masks: ArcArray<usize, IxDyn>,
    classes: Arc<[String]>,
    ignored: Option<usize>,
}

impl Segmentation {
    /// Images (N, C, H, W), masks (N, H, W) of class numbers, and the classes' names; pixels of the label `ignored` do
    /// not count.
    ///
    /// # Errors
    /// The images have another number of axes, the masks are not as many or as large, or a pixel's label is none of the
    /// classes.
    pub fn new<S: Into<String>>(
        images: ArrayD<f32>,
        masks: Array3<usize>,
        classes: impl IntoIterator<Item = S>,
        ignored: Option<usize>,
    ) -> Result<Self, DatasetError> {
        let classes = classes.into_iter().map(Into::into).collect();
        Self::from_file(Path::new("<memory>"), images, masks, classes, ignored)
    }

    pub(crate) fn from_file(
        file: &Path,
        images: ArrayD<f32>,
        masks: Array3<usize>,
        classes: Vec<String>,
        ignored: Option<usize>,
    ) -> Result<Self, DatasetError> {
        let wrong = |expected, found: &[usize]| {
            Err(DatasetError::Shape { file: file.to_path_buf(), expected, found: found.to_vec() })
        };
        let &[samples, _, height, width] = images.shape() else {
            return wrong("images (N, C, H, W)", images.shape());
        };
        if masks.shape() != [samples, height, width] {
            return wrong("masks (N, H, W) as many and as large as the images", masks.shape());
        }
        let known = |label: usize| label < classes.len() || Some(label) == ignored;
        if let Some(((sample, row, column), &label)) = masks.indexed_iter().find(|(_, label)| !known(**label))
        {
            let (file, classes) = (file.to_path_buf(), classes.len());
            return Err(DatasetError::MaskLabel { file, sample, row, column, label, classes });
        }
        let images = images.as_standard_layout().into_owned().into_shared();
        let masks = masks.as_standard_layout().into_owned().into_dyn().into_shared();
        Ok(Self { images, masks, classes: classes.into(), ignored })
    }

    /// The images (N, C, H, W).
    pub fn images(&self) -> ArrayViewD<'_, f32> {
        self.images.view()
    }

    /// The masks (N, H, W): the number of every pixel's class.
    pub fn masks(&self) -> ArrayView3<'_, usize> {
        self.masks.view().into_dimensionality().expect("three axes")
    }

    /// The classes' names, by number.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The label of pixels that do not count.
    pub fn ignored(&self) -> Option<usize> {
        self.ignored
    }

    /// The samples with these numbers, in this order, as a data set.
    ///
    /// # Panics
    /// When a number is not below [`len`](Dataset::len).
    #[track_caller]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            images: gather_rows(&self.images, indices).into_shared(),
            masks: gather_rows(&self.masks, indices).into_shared(),
            ..self.clone()
        }
    }
}

impl Dataset for Segmentation {
    type Batch = SegmentationBatch;

    fn len(&self) -> usize {
        self.images.shape()[0]
    }

    #[track_caller]
    fn gather(&self, indices: &[usize]) -> SegmentationBatch {
        let masks = gather_rows(&self.masks, indices).into_dimensionality().expect("three axes");
        SegmentationBatch { images: gather_rows(&self.images, indices), masks }
    }
}

/// Some samples of a [`Segmentation`] data set.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentationBatch {
    /// The images (N, C, H, W).
    pub images: ArrayD<f32>,
    /// Their masks (N, H, W): the number of every pixel's class.
    pub masks: Array3<usize>,
}
