//! Reading no more of a file than it is allowed to hold.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::DatasetError;

/// Bytes that the values of one data set may take in memory.
pub(crate) const MAX_BYTES: u64 = 4 << 30;

/// A file, decompressed if it is a gzip file.
pub(crate) struct Input<'a> {
    file: &'a Path,
    reader: Box<dyn Read + 'a>,
    offset: u64,
}

impl<'a> Input<'a> {
    pub(crate) fn open(file: &'a Path) -> Result<Self, DatasetError> {
        let reader = File::open(file).map_err(|source| io_error(file, source))?;
        Self::new(file, BufReader::with_capacity(1 << 16, reader))
    }

    pub(crate) fn new(file: &'a Path, mut reader: impl BufRead + 'a) -> Result<Self, DatasetError> {
        let start = reader.fill_buf().map_err(|source| io_error(file, source))?;
        let gzip = start.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn Read> =
            if gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) };
        Ok(Self { file, reader, offset: 0 })
    }

    /// The next `count` bytes; memory grows with what is there, not with `count`.
    pub(crate) fn take(&mut self, field: &'static str, count: u64) -> Result<Vec<u8>, DatasetError> {
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(count).read_to_end(&mut bytes);
        read.map_err(|source| io_error(self.file, source))?;
        let (file, offset, has) = (self.file.to_path_buf(), self.offset, bytes.len() as u64);
        if has < count {
            return Err(DatasetError::Truncated { file, field, offset, needs: count, has });
        }
        self.offset += count;
        Ok(bytes)
    }

    /// Checks that nothing follows.
    pub(crate) fn end(mut self) -> Result<(), DatasetError> {
        match self.reader.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(DatasetError::Trailing { file: self.file.to_path_buf(), end: self.offset }),
            Err(source) => Err(io_error(self.file, source)),
        }
    }

    pub(crate) fn wrong(
        &self,
        offset: u64,
        field: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> DatasetError {
        let (expected, found) = (expected.into(), found.into());
        DatasetError::Field { file: self.file.to_path_buf(), offset, field, expected, found }
    }
}

pub(crate) fn io_error(file: &Path, source: io::Error) -> DatasetError {
    DatasetError::Io { file: file.to_path_buf(), source }
}

/// Opens a file and has it read up to its end, which must come within `limit` bytes.
pub(crate) fn read_file<T>(
    file: &Path,
    limit: u64,
    read: impl FnOnce(&mut Take<File>) -> Result<T, DatasetError>,
) -> Result<T, DatasetError> {
    let io = |source| io_error(file, source);
    let reader = File::open(file).map_err(io)?;
    let found = reader.metadata().map_err(io)?.len();
    if found > limit {
        return Err(DatasetError::TooLarge { file: file.to_path_buf(), limit, found: found.into() });
    }
    read_limited(file, reader, limit, read)
}

/// Has at most `limit` bytes read; more are an error, whatever the metadata say: a pipe or a device has no length.
fn read_limited<R: Read, T>(
    file: &Path,
    reader: R,
    limit: u64,
    read: impl FnOnce(&mut Take<R>) -> Result<T, DatasetError>,
) -> Result<T, DatasetError> {
    let mut reader = reader.take(limit + 1);
    let value = read(&mut reader);
    if reader.limit() == 0 {
        let found = u128::from(limit) + 1;
        return Err(DatasetError::TooLarge { file: file.to_path_buf(), limit, found });
    }
    value
}

/// All bytes that a reader gives.
pub(crate) fn read_bytes(file: &Path, reader: &mut impl Read) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|source| io_error(file, source))?;
    Ok(bytes)
}

/// Checks how many bytes the values will take in memory.
pub(crate) fn check_size(file: &Path, bytes: u128) -> Result<(), DatasetError> {
    if bytes > MAX_BYTES as u128 {
        return Err(DatasetError::TooLarge { file: file.to_path_buf(), limit: MAX_BYTES, found: bytes });
    }
    Ok(())
}

/// The first of the files that is in the folder.
pub(crate) fn find(folder: &Path, names: Vec<String>) -> Result<PathBuf, DatasetError> {
    let found = names.iter().map(|name| folder.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| DatasetError::Missing { folder: folder.to_path_buf(), looked_for: names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_length_is_read_up_to_the_limit() {
        let file = Path::new("pipe");
        let read =
            |length| read_limited(file, io::repeat(7).take(length), 100, |reader| read_bytes(file, reader));
        assert_eq!(read(100).unwrap(), [7; 100]);
        let endless = read(u64::MAX).unwrap_err();
        assert!(matches!(endless, DatasetError::TooLarge { limit: 100, found: 101, .. }), "{endless}");
    }
}
