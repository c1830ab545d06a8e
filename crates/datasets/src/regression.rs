//! Samples with numbers to predict, in memory.

use std::path::Path;

use ndarray::{ArcArray, Array2, ArrayView2, Ix2, IxDyn};

use crate::labelled::gather_rows;
use crate::{Dataset, DatasetError};

/// Inputs (N, D) in memory, each with numbers to predict (N, K). A clone shares the arrays.
///
/// ```
/// use ndarray::arr2;
/// use striate_datasets::{Dataset, Regression};
/// let line = Regression::new(arr2(&[[1.0], [2.0]]), arr2(&[[3.0], [5.0]]))?;
/// assert_eq!(line.gather(&[1]).targets, arr2(&[[5.0]]));
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    inputs: ArcArray<f32, IxDyn>,
    targets: ArcArray<f32, IxDyn>,
}

impl Regression {
    /// N inputs and N targets.
    ///
    /// # Errors
    /// They are not equally many.
    pub fn new(inputs: Array2<f32>, targets: Array2<f32>) -> Result<Self, DatasetError> {
        Self::from_file(Path::new("<memory>"), inputs, targets)
    }

    pub(crate) fn from_file(
        file: &Path,
        inputs: Array2<f32>,
        targets: Array2<f32>,
    ) -> Result<Self, DatasetError> {
        let (samples, labels) = (inputs.nrows(), targets.nrows());
        if samples != labels {
            return Err(DatasetError::Counts { file: file.to_path_buf(), samples, labels });
        }
        let shared = |array: Array2<f32>| match array.is_standard_layout() {
            true => array.into_dyn().into_shared(),
            false => array.as_standard_layout().into_owned().into_dyn().into_shared(),
        };
        Ok(Self { inputs: shared(inputs), targets: shared(targets) })
    }

    /// The inputs (N, D).
    pub fn inputs(&self) -> ArrayView2<'_, f32> {
        self.inputs.view().into_dimensionality().expect("two axes")
    }

    /// The numbers to predict (N, K).
    pub fn targets(&self) -> ArrayView2<'_, f32> {
        self.targets.view().into_dimensionality().expect("two axes")
    }
}

impl Dataset for Regression {
    type Batch = RegressionBatch;

    fn len(&self) -> usize {
        self.inputs.shape()[0]
    }

    #[track_caller]
    fn gather(&self, indices: &[usize]) -> RegressionBatch {
        let rows = |array| gather_rows(array, indices).into_dimensionality::<Ix2>().expect("two axes");
        RegressionBatch { inputs: rows(&self.inputs), targets: rows(&self.targets) }
    }
}

/// Some samples of a [`Regression`] data set.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionBatch {
    /// The inputs (N, D).
    pub inputs: Array2<f32>,
    /// The numbers to predict (N, K).
    pub targets: Array2<f32>,
}
