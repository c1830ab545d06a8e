//! Layers, losses, optimisers and weight files.
//!
//! A [`ParamStore`] hands out paths; a layer asks its path for what it needs, so creating a layer registers its
//! parameters under PyTorch's names:
//!
//! ```
//! use striate_nn::{Linear, Module, ParamStore, Sequential};
//! use striate_tensor::Tensor;
//!
//! let store = ParamStore::<f32>::seeded(0);
//! let root = store.root();
//! let net = Sequential::new()
//!     .then(Linear::new(&root.sub("fc1"), 4, 8))
//!     .then(Tensor::relu)
//!     .then(Linear::new(&root.sub("fc2"), 8, 3));
//!
//! assert_eq!(net.forward(&Tensor::zeros(&[5, 4])).shape(), [5, 3]);
//! assert_eq!(store.parameters().count(), 4 * 8 + 8 + 8 * 3 + 3);
//! ```

pub mod activation;
pub mod checkpoint;
pub mod clip;
pub mod ema;
mod indices;
pub mod init;
mod lanes;
pub mod layers;
pub mod losses;
pub mod models;
mod module;
pub mod observe;
pub mod optim;
pub mod schedule;
mod store;
mod summary;
mod weights;

pub use activation::Activation;
pub use indices::{Indices, LabelError, check_labels};
pub use init::{Fan, Init};
pub use layers::batch_norm::{BatchNorm1d, BatchNorm2d, BatchNormOptions};
pub use layers::dropout::Dropout;
pub use layers::embedding::{Embedding, EmbeddingOptions};
pub use layers::group_norm::{GroupNorm, GroupNormOptions};
pub use layers::layer_norm::{LayerNorm, LayerNormOptions};
pub use layers::linear::{Linear, LinearOptions};
pub use losses::{CrossEntropyOptions, Reduction, cross_entropy, cross_entropy_with};
pub use models::mlp::{Mlp, MlpOptions};
pub use module::{Module, Sequential};
pub use store::{Counter, Mode, ParamStore, Parameters, Path, Stream};
pub use striate_compute::rng::Rng;
pub use summary::{Summary, SummaryRow, summary};
pub use weights::WeightsError;
