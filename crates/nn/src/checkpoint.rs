//! Checkpoints: everything that a run needs to go on with the same bits.
//!
//! ```
//! use striate_nn::checkpoint::Checkpoint;
//! use striate_nn::optim::{Adam, AdamOptions};
//! use striate_nn::{Linear, ParamStore};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("last.checkpoint");
//! let store = ParamStore::<f32>::seeded(0);
//! let _layer = Linear::new(&store.root().sub("fc"), 3, 2);
//! let mut opt = Adam::new(&store, AdamOptions::default());
//!
//! let mut checkpoint = Checkpoint::of(&store);
//! checkpoint.epoch = 3;
//! checkpoint.push("optimizer", opt.state());
//! checkpoint.save(&file)?;
//!
//! let checkpoint = Checkpoint::read(&file)?;
//! checkpoint.restore(&store, &mut [("optimizer", &mut opt)])?;
//! assert_eq!(checkpoint.epoch, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::{Path, PathBuf};

pub use striate_formats::{AnyArray, Arrays};
use striate_formats::{FormatError, Limits};
use striate_tensor::Real;

use crate::optim::{Optimizer, StateError};
use crate::store::ParamStore;
use crate::weights::WeightsError;

mod container;

/// Why a checkpoint could not be written, read or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The bytes are not a checkpoint, or not whole, or not those that were written.
    #[error("{}: {field}: expected {expected}, found {found}", file.display())]
    Container {
        /// The file.
        file: PathBuf,
        /// The part of the file.
        field: &'static str,
        /// What the format asks for.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A section's arrays cannot be read or written.
    #[error(transparent)]
    Arrays(#[from] FormatError),
    /// The checkpoint has no section of that name.
    #[error("{}: no section {section}; there are {}", file.display(), present.join(", "))]
    NoSection {
        /// The file.
        file: PathBuf,
        /// What was asked for.
        section: String,
        /// The sections that are there.
        present: Vec<String>,
    },
    /// The store draws other random numbers than the run that is to go on.
    #[error("{}: seed: the run had {found}, the store has {expected}", file.display())]
    Seed {
        /// The file.
        file: PathBuf,
        /// The store's seed.
        expected: u64,
        /// The checkpoint's.
        found: u64,
    },
    /// The parameters are not those of the store.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A section is not the state of the optimiser that is to take it.
    #[error("{}: section {section}: {source}", file.display())]
    State {
        /// The file.
        file: PathBuf,
        /// The section.
        section: String,
        /// All differences.
        source: Box<StateError>,
    },
}

/// A run at one moment: counters, the user's configuration, the random stream, the model, and named sections of
/// arrays for what else there is (optimisers, averages).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Optimiser steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: u64,
    /// Whatever the user wants to find again, such as options as JSON; at most about a mebibyte.
    pub config: String,
    seed: u64,
    stream: u64,
    /// The model first.
    sections: Vec<(String, Arrays)>,
    file: PathBuf,
}

const MODEL: &str = "model";

impl Checkpoint {
    /// A store's parameters, buffers, counters and random stream as they are now.
    pub fn of<E: Real>(store: &ParamStore<E>) -> Self {
        Checkpoint {
            seed: store.seed(),
            stream: store.stream().position(),
            sections: vec![(MODEL.to_string(), store.to_arrays())],
            ..Default::default()
        }
    }

    /// Adds a section, such as an optimiser's state.
    ///
    /// # Panics
    /// When there is one of that name; `model` always is.
    #[track_caller]
    pub fn push(&mut self, section: &str, arrays: Arrays) {
        assert!(
            !self.sections().any(|name| name == section),
            "Checkpoint: section {section} is there already"
        );
        self.sections.push((section.to_string(), arrays));
    }

    /// The names of all sections.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|(name, _)| name.as_str())
    }

    /// The arrays of a section; `model` is the store's.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn section(&self, section: &str) -> Result<&Arrays, CheckpointError> {
        match self.sections.iter().find(|(name, _)| name == section) {
            Some((_, arrays)) => Ok(arrays),
            None => Err(CheckpointError::NoSection {
                file: self.file.clone(),
                section: section.to_string(),
                present: self.sections().map(str::to_string).collect(),
            }),
        }
    }

    /// Writes the checkpoint, replacing a file there in one step: a crash leaves the old file or the new one.
    ///
    /// # Errors
    /// When the file cannot be written, or the configuration is too long to be read again.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), CheckpointError> {
        container::write(self, file.as_ref())
    }

    /// Reads what [`Checkpoint::save`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read, is no checkpoint, or was damaged.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        Self::read_with(file, &Limits::default())
    }

    /// [`Checkpoint::read`] of a file that may not be trusted, with limits of one's own.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn read_with(file: impl AsRef<Path>, limits: &Limits) -> Result<Self, CheckpointError> {
        container::read(file.as_ref(), limits)
    }

    /// Sets the store, its random stream and the optimisers to what was saved; each optimiser comes with the name of
    /// its section. Nothing changes unless all of it fits.
    ///
    /// # Errors
    /// When the store has another seed, or names, shapes or sections are not those that were saved.
    pub fn restore<E: Real>(
        &self,
        store: &ParamStore<E>,
        optimizers: &mut [(&str, &mut dyn Optimizer<E>)],
    ) -> Result<(), CheckpointError> {
        if store.seed() != self.seed {
            let (file, expected, found) = (self.file.clone(), store.seed(), self.seed);
            return Err(CheckpointError::Seed { file, expected, found });
        }
        let source = self.file.display().to_string();
        let model = self.section(MODEL)?;
        store.check_arrays(model, &[], &source)?;
        let state = |section: &str, result: Result<(), StateError>| {
            let (file, section) = (self.file.clone(), section.to_string());
            result.map_err(|source| CheckpointError::State { file, section, source: source.into() })
        };
        for (section, optimizer) in optimizers.iter() {
            state(section, optimizer.check_state(self.section(section)?))?;
        }
        for (section, optimizer) in optimizers {
            state(section, optimizer.set_state(self.section(section)?))?;
        }
        store.set_arrays(model, &[], &source)?;
        store.stream().set_position(self.stream);
        Ok(())
    }
}
