//! Data sets for training: parsed, verified, split, shuffled and batched, as plain `ndarray` arrays.
//!
//! ```
//! use striate_datasets::{Dataset, digits};
//!
//! let digits = digits();
//! for epoch in 0..2 {
//!     for batch in digits.train().batches(64).shuffled(epoch) {
//!         assert_eq!(batch.images.shape()[1..], [1, 8, 8]);
//!         assert_eq!(batch.labels.len(), batch.images.shape()[0]);
//!     }
//! }
//! ```
//!
//! * Embedded: [`digits`], [`names`], [`nuclei`], [`tiny_shakespeare`].
//! * Files: [`idx`] (MNIST, Fashion-MNIST), [`cifar`], [`csv`], [`npz`], and folders of pictures (feature `images`).
//! * Made from a seed: [`synthetic`]; drawn from known factors: [`Sprites`].
//! * Pictures with a class for every pixel: [`Segmentation`].
//! * [`Augment`] changes pictures at random, and their masks with them.
//! * Own data: implement [`Dataset`].
//! * [`Batches`] in an order that is a pure function of seed and epoch, made ahead in the background by
//!   [`Batches::prefetch`].
//!
//! Files are read as if an enemy had written them: no panic, no memory that the file does not fill, and an error
//! that names the file, the place, what was expected and what came.

mod augment;
mod batches;
pub mod cifar;
pub mod csv;
mod dataset;
mod digits;
mod error;
pub mod idx;
#[cfg(feature = "images")]
pub mod image_folder;
mod input;
mod labelled;
pub mod npz;
mod nuclei;
mod prefetch;
mod regression;
mod segmentation;
mod split;
mod sprites;
mod standardize;
pub mod synthetic;
mod text;

pub use augment::{Augment, Crop, Elastic, Outside, RandomAffine};
pub use batches::Batches;
pub use dataset::Dataset;
pub use digits::digits;
pub use error::DatasetError;
pub use labelled::{Batch, Labelled, one_hot};
pub use nuclei::{nuclei, nuclei_from};
pub use prefetch::{Prefetch, prefetch};
pub use regression::{Regression, RegressionBatch};
pub use segmentation::{Segmentation, SegmentationBatch};
pub use split::Split;
pub use sprites::{SpriteBatch, Sprites};
pub use standardize::{Per, Standardize};
pub use text::{Vocabulary, names, tiny_shakespeare};

/// The README's example is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
