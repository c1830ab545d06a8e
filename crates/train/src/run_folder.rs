//! The folder of a run: its configuration, metrics, checkpoint and pictures.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::callback::{Callback, JsonLines};
use crate::error::TrainError;
use crate::record::EpochRecord;

/// A folder that a run writes to: `config.json`, `metrics.jsonl`, `last.ckpt`, `best.ckpt` and those of
/// epochs where they are asked for, and what the caller adds.
#[derive(Clone, Debug)]
pub struct RunFolder {
    folder: PathBuf,
}

impl RunFolder {
    /// Makes the folder, and those above it, if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, TrainError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(TrainError::io(&folder, "make the folder"))?;
        Ok(RunFolder { folder })
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// The latest checkpoint's path.
    pub fn checkpoint(&self) -> PathBuf {
        self.file("last.ckpt")
    }

    /// The path of the checkpoint after an epoch, from 1.
    pub fn epoch_checkpoint(&self, epoch: u64) -> PathBuf {
        self.file(format!("epoch-{epoch:04}.ckpt"))
    }

    /// The best epoch's checkpoint's path.
    pub fn best_checkpoint(&self) -> PathBuf {
        self.file("best.ckpt")
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes `config.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_config(&self, config: &impl Serialize) -> Result<(), TrainError> {
        let file = self.file("config.json");
        let text = serde_json::to_string_pretty(config).expect("a configuration is plain data");
        fs::write(&file, text + "\n").map_err(TrainError::io(&file, "write"))
    }

    fn metrics_file(&self) -> PathBuf {
        self.file("metrics.jsonl")
    }

    /// The records in `metrics.jsonl`, none when there is no such file. A last line that a crash cut off is left out.
    ///
    /// # Errors
    /// When the file cannot be read or a line is not a record.
    pub fn read_metrics(&self) -> Result<Vec<EpochRecord>, TrainError> {
        let file = self.metrics_file();
        if !file.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&file).map_err(TrainError::io(&file, "read"))?;
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let parse = |(index, line)| {
            let record = serde_json::from_str(line);
            record.map_err(|source| TrainError::Record { file: file.clone(), line: index + 1, source })
        };
        whole.enumerate().map(parse).collect()
    }

    /// A callback that writes `metrics.jsonl`, after `records` that stand there already.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn metrics_writer(&self, records: &[EpochRecord]) -> Result<impl Callback + use<>, TrainError> {
        let path = self.metrics_file();
        let kept = self.file("metrics.jsonl.new");
        let mut lines = JsonLines(File::create(&kept).map_err(TrainError::io(&kept, "write"))?);
        for record in records {
            lines.epoch(record, 0).map_err(TrainError::io(&kept, "write"))?;
        }
        fs::rename(&kept, &path).map_err(TrainError::io(&path, "replace"))?;
        Ok(lines)
    }
}
