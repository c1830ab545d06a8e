//! Deep learning on the CPU, in pure Rust: one ordinary binary trains and runs small and middle-sized networks.
//!
//! This crate holds no code of its own; it gathers the others, each of which stands alone:
//!
//! | module | crate | what for |
//! |---|---|---|
//! | [`compute`] | `striate-compute` | GEMM, vectorised mathematics, parallel loops, warm buffers, random numbers |
//! | [`tensor`] | `striate-tensor` | tensors with reverse-mode differentiation |
//! | [`nn`] | `striate-nn` | layers, losses, optimisers, weight files |
//! | [`conv`] | `striate-conv` | convolution, pooling and upsampling; filtering, convolution as a matrix |
//! | [`recurrent`] | `striate-recurrent` | RNN, LSTM and GRU: cells, sequences, back-propagation through time |
//! | [`vision`] | `striate-vision` | networks for images: classification and segmentation |
//! | [`generative`] | `striate-generative` | PCA, auto-encoders, variational auto-encoders, their latent spaces |
//! | [`formats`] | `striate-formats` | npz and safetensors |
//! | [`datasets`] | `striate-datasets` | data as `ndarray`, in batches |
//! | [`train`] | `striate-train` | the training loop, metrics, checkpoints, figures |
//!
//! A network that learns handwritten digits, by hand:
//!
//! ```
//! use striate::datasets::{Dataset, digits};
//! use striate::nn::losses::cross_entropy;
//! use striate::nn::optim::{Adam, AdamOptions, Optimizer};
//! use striate::nn::{Linear, Module, ParamStore, Sequential};
//! use striate::tensor::Tensor;
//!
//! let store = ParamStore::<f32>::seeded(0);
//! let root = store.root();
//! let net = Sequential::new()
//!     .then(|x: &Tensor| x.flatten(1, -1))
//!     .then(Linear::new(&root.sub("fc1"), 64, 32))
//!     .then(Tensor::relu)
//!     .then(Linear::new(&root.sub("fc2"), 32, 10));
//! let mut opt = Adam::new(&store, AdamOptions { lr: 1e-2, ..Default::default() });
//!
//! let digits = digits();
//! for epoch in 0..3 {
//!     for batch in digits.train().batches(64).shuffled(epoch) {
//!         let loss = cross_entropy(&net.forward(&batch.images.into()), &batch.labels);
//!         opt.step(&loss.backward());
//!     }
//! }
//! let test = digits.test();
//! let predicted = net.forward(&test.images().into()).argmax_dim(-1, false);
//! let right = predicted.iter().zip(test.labels()).filter(|(p, label)| p == label).count();
//! assert!(right > 300); // of 360
//! ```

pub use striate_compute as compute;
#[cfg(feature = "conv")]
pub use striate_conv as conv;
#[cfg(feature = "datasets")]
pub use striate_datasets as datasets;
#[cfg(feature = "formats")]
pub use striate_formats as formats;
#[cfg(feature = "generative")]
pub use striate_generative as generative;
#[cfg(feature = "nn")]
pub use striate_nn as nn;
#[cfg(feature = "recurrent")]
pub use striate_recurrent as recurrent;
pub use striate_tensor as tensor;
#[cfg(feature = "train")]
pub use striate_train as train;
#[cfg(feature = "vision")]
pub use striate_vision as vision;

/// The program in the README is tested.
#[cfg(all(doctest, feature = "datasets", feature = "nn"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
