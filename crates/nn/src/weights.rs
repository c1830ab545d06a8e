//! Weights in files, under PyTorch's names.

use std::path::Path as FilePath;

use indexmap::IndexMap;
use striate_formats::safetensors::{self, Metadata};
use striate_formats::{AnyArray, Arrays, FormatError, Limits, npz, pth};
use striate_tensor::{Array, Real};

use crate::store::{Entry, ParamStore};

/// Why weights could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FormatError),
    /// The names or shapes are not the model's: all differences together.
    #[error(
        "{file}: the weights are not this model's{}{}{}",
        list("missing", missing),
        list("unexpected", unexpected),
        list("of another shape or kind", mismatched)
    )]
    Mismatch {
        /// The file.
        file: String,
        /// Names that the model has and the file lacks.
        missing: Vec<String>,
        /// Names that the file has and the model lacks.
        unexpected: Vec<String>,
        /// Names in both, with what was expected and what came.
        mismatched: Vec<String>,
    },
}

pub(crate) fn list(what: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; {what}: {}", names.join(", ")) }
}

impl<E: Real> ParamStore<E> {
    /// All values by name, in the order of creation. PyTorch's `state_dict()`.
    pub fn to_arrays(&self) -> Arrays {
        let mut arrays = Arrays::new();
        for (name, entry) in self.entries().iter() {
            match entry {
                Entry::Parameter(tensor) | Entry::Buffer(tensor) => {
                    arrays.push(name, to_any(&tensor.array()))
                }
                Entry::Counter(counter) => arrays.push(name, ndarray::arr0(counter.get()).into_dyn()),
            }
        }
        arrays
    }

    /// Writes all parameters, buffers and counters, replacing a file there in one step: as `numpy.savez` does when the
    /// name ends in `.npz`, else as safetensors.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<FilePath>) -> Result<(), WeightsError> {
        let file = file.as_ref();
        match ending(file).as_str() {
            "npz" => npz::write(file, &self.to_arrays())?,
            _ => safetensors::write(file, &self.to_arrays(), &Metadata::default())?,
        }
        Ok(())
    }

    /// Reads a file that [`ParamStore::save`] wrote, or PyTorch: `.pth` and `.pt` files of
    /// `torch.save(model.state_dict(), …)`, and those of `safetensors.torch.save_file(model.state_dict(), …)` under any
    /// other name. f16 and bf16 are widened. Nothing changes unless all of it fits.
    ///
    /// # Errors
    /// When the file cannot be read, or a name is missing, unexpected or of another shape: all are named together.
    pub fn load(&self, file: impl AsRef<FilePath>) -> Result<(), WeightsError> {
        self.load_except(file, &[])
    }

    /// [`ParamStore::load`], where names that start with one of `prefixes` may be missing, unexpected or of another
    /// shape, and keep their values then: a new head on a trained body.
    ///
    /// # Errors
    /// As [`ParamStore::load`].
    pub fn load_except(&self, file: impl AsRef<FilePath>, prefixes: &[&str]) -> Result<(), WeightsError> {
        let (file, limits) = (file.as_ref(), Limits::default());
        let arrays = match ending(file).as_str() {
            "npz" => npz::read(file, &limits)?,
            "pth" | "pt" => pth::read(file, &limits)?,
            _ => safetensors::read(file, &limits)?.0,
        };
        self.set_arrays(&arrays, prefixes, &file.display().to_string())
    }

    /// Sets all values by name; `source` names where they came from, for messages. PyTorch's `load_state_dict()`.
    ///
    /// # Errors
    /// As [`ParamStore::load_except`].
    ///
    /// # Panics
    /// When this is a snapshot: those never change.
    #[track_caller]
    pub fn set_arrays(&self, arrays: &Arrays, except: &[&str], source: &str) -> Result<(), WeightsError> {
        assert!(!self.is_frozen(), "set_arrays: a snapshot never changes");
        let entries = self.entries();
        writes(&entries, arrays, except, source)?.into_iter().for_each(|write| write());
        Ok(())
    }

    /// Whether [`ParamStore::set_arrays`] would succeed.
    ///
    /// # Errors
    /// As [`ParamStore::load_except`].
    pub fn check_arrays(&self, arrays: &Arrays, except: &[&str], source: &str) -> Result<(), WeightsError> {
        writes(&self.entries(), arrays, except, source).map(drop)
    }
}

/// What stands after the last dot of a file's name, in lower case.
fn ending(file: &FilePath) -> String {
    file.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase())
}

/// An assignment that is known to fit.
type Write<'a> = Box<dyn FnOnce() + 'a>;

/// The assignments of `arrays` to entries of the same names, or all differences.
fn writes<'a, E: Real>(
    entries: &'a IndexMap<String, Entry<E>>,
    arrays: &'a Arrays,
    except: &[&str],
    source: &str,
) -> Result<Vec<Write<'a>>, WeightsError> {
    let strict = |name: &str| !except.iter().any(|prefix| name.starts_with(prefix));
    let (mut missing, mut mismatched) = (Vec::new(), Vec::new());
    let mut writes = Vec::new();
    for (name, entry) in entries.iter() {
        match arrays.get(name) {
            None if strict(name) => missing.push(name.clone()),
            None => (),
            Some(array) => match prepare(entry, array) {
                Ok(write) => writes.push(write),
                Err(difference) if strict(name) => mismatched.push(format!("{name} ({difference})")),
                Err(_) => (),
            },
        }
    }
    let unknown = arrays.names().filter(|name| !entries.contains_key(*name) && strict(name));
    let unexpected: Vec<String> = unknown.map(str::to_string).collect();
    if missing.is_empty() && mismatched.is_empty() && unexpected.is_empty() {
        return Ok(writes);
    }
    Err(WeightsError::Mismatch { file: source.to_string(), missing, unexpected, mismatched })
}

/// The assignment of `array` to `entry`, or how they differ.
fn prepare<'a, E: Real>(entry: &'a Entry<E>, array: &'a AnyArray) -> Result<Write<'a>, String> {
    match entry {
        Entry::Parameter(tensor) | Entry::Buffer(tensor) if tensor.shape() != array.shape() => {
            Err(format!("model {:?}, file {:?}", tensor.shape(), array.shape()))
        }
        Entry::Parameter(_) | Entry::Buffer(_) if !matches!(array, AnyArray::F32(_) | AnyArray::F64(_)) => {
            Err(format!("expected floats, file has {:?}", array.dtype()))
        }
        Entry::Parameter(tensor) | Entry::Buffer(tensor) => {
            Ok(Box::new(|| tensor.update(|value| *value = from_any(array))))
        }
        Entry::Counter(counter) => match array.to_i64().as_deref() {
            Some(&[count]) => Ok(Box::new(move || counter.set(count))),
            _ => Err(format!(
                "expected one integer, file has {:?} of shape {:?}",
                array.dtype(),
                array.shape()
            )),
        },
    }
}

pub(crate) fn to_any<E: Real>(array: &Array<E>) -> AnyArray {
    let array = array.view();
    if E::NAME == "f64" { array.mapv(E::f64).into() } else { array.mapv(|x| x.f64() as f32).into() }
}

pub(crate) fn from_any<E: Real>(array: &AnyArray) -> Array<E> {
    match array {
        AnyArray::F64(values) => values.mapv(E::of).into(),
        other => other.to_f32().mapv(|x| E::of(f64::from(x))).into(),
    }
}
