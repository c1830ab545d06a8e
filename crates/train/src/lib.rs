//! The training loop around a model: progress, metrics, logs, checkpoints, resuming, and figures.
//!
//! Nothing here is needed to train: a loop by hand is a few lines over `striate-nn`. [`Trainer`] is that loop with
//! everything around it that a run wants.
//!
//! ```
//! use striate_datasets::{Dataset, digits};
//! use striate_nn::optim::{Adam, AdamOptions};
//! use striate_nn::{Linear, ParamStore, Sequential};
//! use striate_tensor::Tensor;
//! use striate_train::{Trainer, TrainerOptions, classification};
//!
//! let digits = digits();
//! let store = ParamStore::seeded(0);
//! let net = Sequential::new()
//!     .then(|x: &Tensor| x.flatten(1, -1))
//!     .then(Linear::new(&store.root().sub("fc"), 64, 10));
//! let adam = Adam::new(&store, AdamOptions { lr: 1e-2, ..Default::default() });
//!
//! let mut trainer = Trainer::new(&store, Box::new(adam), TrainerOptions { epochs: 2, ..Default::default() });
//! let history = trainer.fit(
//!     |epoch| digits.train().batches(64).shuffled(epoch),
//!     |batch| classification::step(&net, &batch),
//!     || classification::evaluate(&net, digits.test(), 256).metrics(),
//! )?;
//! assert!(history.last().unwrap().test["accuracy"] > 0.5);
//! # Ok::<(), striate_train::TrainError>(())
//! ```

mod callback;
pub mod classification;
mod confusion;
mod error;
#[cfg(feature = "figures")]
pub mod figures;
mod health;
mod options;
mod position;
#[cfg(feature = "progress")]
mod progress;
mod record;
#[cfg(feature = "figures")]
mod report;
mod run_folder;
pub mod segmentation;
mod stop;
#[cfg(feature = "tensorboard")]
mod tensorboard;
mod trainer;

pub use callback::{Callback, JsonLines, PlainLines};
pub use confusion::Confusion;
pub use error::{NonFinite, Origin, TrainError};
pub use health::HealthOptions;
pub use options::{Best, NonFinitePolicy, TrainerOptions};
#[cfg(feature = "progress")]
pub use progress::ProgressBar;
pub use record::{EpochRecord, Metrics, RunningMean, StepRecord};
pub use run_folder::RunFolder;
pub use stop::Stop;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
pub use trainer::{Step, Trainer};

/// The guide's example is tested.
#[cfg(all(doctest, feature = "figures"))]
#[doc = include_str!("../../../docs/training.md")]
struct Guide;

/// The README's example is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
