//! What to do with a latent space: encode a set, walk through it, and see what it decodes to.
//!
//! The functions make codes; a model's `decode` makes samples of them. For a scatter of classes, plot the columns of
//! [`encode_set`]; where there are more than two, those of [`crate::Pca`].
//!
//! ```
//! use striate_generative::latent::{encode_set, interpolate, prior_grid};
//! use striate_generative::{Vae, VaeOptions};
//! use striate_nn::ParamStore;
//! use striate_tensor::Tensor;
//!
//! let store = ParamStore::<f32>::seeded(0);
//! let vae = Vae::new(&store.root(), &[64], &VaeOptions { latent: 2, ..Default::default() })?;
//! let manifold = vae.decode(&prior_grid(20, 2, [0, 1])).mean();
//! assert_eq!(manifold.shape(), [400, 64]);
//!
//! let codes = encode_set(&Tensor::zeros(&[10, 64]), 4, |x| vae.encode(x).mean);
//! let ends = [0, 9].map(|sample| Tensor::from(codes.row(sample)));
//! assert_eq!(vae.decode(&interpolate(&ends[0], &ends[1], 8)).mean().shape(), [8, 64]);
//! # Ok::<(), striate_generative::GenerativeError>(())
//! ```

mod encode;
mod grid;
mod neighbours;
mod path;

pub use encode::{direction, encode_set};
pub use grid::{normal_quantile, prior_grid};
pub use neighbours::{Neighbours, nearest};
pub use path::{interpolate, interpolate_spherical, traverse};
