//! Arrays in files: [`safetensors`], [`npz`] and [`npy`], read with [`Limits`] and written atomically, and PyTorch's own
//! [`pth`], read alone.
//!
//! Every reader gives plain `ndarray` arrays ([`AnyArray`], in a named list [`Arrays`]). Whatever a file claims
//! (shapes, offsets, counts) is checked against overflow, the limits and the file's real length before memory
//! is taken for it; nothing in a file can panic, hang or run code. An error names the file, the entry, what was
//! expected and what came.
//!
//! ```
//! use ndarray::arr2;
//! use striate_formats::{Arrays, Limits, npz};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("weights.npz");
//! npz::write(&file, &Arrays::from_iter([("weight", arr2(&[[1.0f32, 2.0], [3.0, 4.0]]))]))?;
//!
//! let arrays = npz::read(&file, &Limits::default())?;
//! assert_eq!(arrays["weight"].to_f32(), arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod any_array;
mod arrays;
mod atomic;
mod dtype;
mod error;
mod limits;
pub mod npy;
mod npy_header;
pub mod npz;
mod pickle;
pub mod pth;
pub mod safetensors;
mod zip;

pub use any_array::AnyArray;
pub use arrays::Arrays;
pub use atomic::write_atomically;
pub use dtype::Dtype;
pub use error::{FormatError, Problem};
pub use limits::Limits;

/// The README's example is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
