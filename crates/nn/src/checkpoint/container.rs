//! The bytes of a checkpoint file. This is the only module that knows bincode.
//!
//! | bytes | content (integers are little-endian) |
//! |---|---|
//! | 8 | `STRIATEC` |
//! | 4 | format version |
//! | 4 | CRC-32 of all that follows |
//! | 8 | length of all that follows |
//! | 8 | length of the header |
//! | … | the header: [`Header`] in bincode's standard configuration |
//! | … | one safetensors image per section, in the header's order |

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use striate_formats::safetensors::{self, Metadata};
use striate_formats::{FormatError, Limits, write_atomically};

use super::{Checkpoint, CheckpointError};

const MAGIC: [u8; 8] = *b"STRIATEC";
const VERSION: u32 = 1;
/// Magic, version, checksum and length.
const PREFIX: usize = 24;
/// The longest header that is written or read.
const HEADER_LIMIT: usize = 1 << 20;

const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<HEADER_LIMIT>,
> = bincode::config::standard().with_limit::<HEADER_LIMIT>();

#[derive(Serialize, Deserialize)]
struct Header {
    step: u64,
    epoch: u64,
    seed: u64,
    stream: u64,
    config: String,
    /// Names and lengths in bytes.
    sections: Vec<(String, u64)>,
}

/// An error in `field` of `file`.
fn wrong(file: &Path, field: &'static str, expected: impl Display, found: impl Display) -> CheckpointError {
    let (expected, found) = (expected.to_string(), found.to_string());
    CheckpointError::Container { file: file.to_path_buf(), field, expected, found }
}

fn in_section(file: &Path, section: &str) -> impl FnOnce(FormatError) -> FormatError {
    move |error| FormatError {
        file: file.to_path_buf(),
        entry: format!("section {section}: {}", error.entry),
        ..error
    }
}

pub(super) fn write(checkpoint: &Checkpoint, file: &Path) -> Result<(), CheckpointError> {
    let mut images = Vec::new();
    let mut sections = Vec::new();
    for (name, arrays) in &checkpoint.sections {
        let image = safetensors::to_bytes(arrays, &Metadata::default()).map_err(in_section(file, name))?;
        sections.push((name.clone(), image.len() as u64));
        images.push(image);
    }
    let header = Header {
        step: checkpoint.step,
        epoch: checkpoint.epoch,
        seed: checkpoint.seed,
        stream: checkpoint.stream,
        config: checkpoint.config.clone(),
        sections,
    };
    let header = bincode::serde::encode_to_vec(&header, CONFIG)
        .map_err(|error| wrong(file, "header", "what bincode can write", error))?;
    if header.len() > HEADER_LIMIT {
        return Err(wrong(file, "header", format!("at most {HEADER_LIMIT} bytes"), header.len()));
    }
    let header_length = (header.len() as u64).to_le_bytes();
    let body = || [&header_length[..], &header].into_iter().chain(images.iter().map(|image| &image[..]));
    let length: u64 = body().map(|part| part.len() as u64).sum();
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&length.to_le_bytes());
    body().for_each(|part| checksum.update(part));
    write_atomically(file, |out| {
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&checksum.finalize().to_le_bytes())?;
        out.write_all(&length.to_le_bytes())?;
        body().try_for_each(|part| out.write_all(part))
    })
    .map_err(|source| CheckpointError::Io { file: file.to_path_buf(), source })
}

pub(super) fn read(file: &Path, limits: &Limits) -> Result<Checkpoint, CheckpointError> {
    let io = |source| CheckpointError::Io { file: file.to_path_buf(), source };
    let mut reader = File::open(file).map_err(io)?;
    let size = reader.metadata().map_err(io)?.len();
    if size > limits.max_bytes {
        return Err(wrong(file, "file", format!("at most {} bytes", limits.max_bytes), size));
    }
    let mut bytes = Vec::new();
    reader.by_ref().take(limits.max_bytes).read_to_end(&mut bytes).map_err(io)?;
    decode(&bytes, file, limits)
}

/// The first `N` bytes, which the caller moves past.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

fn decode(bytes: &[u8], file: &Path, limits: &Limits) -> Result<Checkpoint, CheckpointError> {
    let short = || wrong(file, "file", format!("at least {} bytes", PREFIX + 8), bytes.len());
    let mut rest = bytes;
    let magic: [u8; 8] = take(&mut rest).ok_or_else(short)?;
    if magic != MAGIC {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        return Err(wrong(file, "magic", text(&MAGIC), text(&magic)));
    }
    let version = u32::from_le_bytes(take(&mut rest).ok_or_else(short)?);
    if version != VERSION {
        return Err(wrong(file, "format version", VERSION, version));
    }
    let expected = u32::from_le_bytes(take(&mut rest).ok_or_else(short)?);
    let checked = rest;
    let length = u64::from_le_bytes(take(&mut rest).ok_or_else(short)?);
    if length != rest.len() as u64 {
        return Err(wrong(file, "length", format!("{length} bytes after byte {PREFIX}"), rest.len()));
    }
    let found = crc32fast::hash(checked);
    if found != expected {
        return Err(wrong(file, "checksum", format!("{expected:08x}"), format!("{found:08x}")));
    }
    let header_length = u64::from_le_bytes(take(&mut rest).ok_or_else(short)?);
    let limit = HEADER_LIMIT.min(rest.len());
    let Some((header, mut rest)) = usize::try_from(header_length).ok().and_then(|n| rest.split_at_checked(n))
    else {
        return Err(wrong(file, "header", format!("at most {limit} bytes"), header_length));
    };
    let (header, used): (Header, usize) = bincode::serde::decode_from_slice(header, CONFIG)
        .map_err(|error| wrong(file, "header", "counters, configuration and sections", error))?;
    if used as u64 != header_length {
        return Err(wrong(file, "header", format!("{used} bytes"), header_length));
    }
    let mut sections = Vec::new();
    let mut names = HashSet::new();
    for (name, length) in header.sections {
        let Some(image) = usize::try_from(length).ok().and_then(|n| rest.split_off(..n)) else {
            return Err(wrong(file, "section", format!("{name} of {length} bytes"), rest.len()));
        };
        let (arrays, _) = safetensors::from_bytes(image, limits).map_err(in_section(file, &name))?;
        if !names.insert(name.clone()) {
            return Err(wrong(file, "sections", "different names", format!("{name} twice")));
        }
        sections.push((name, arrays));
    }
    if !rest.is_empty() {
        return Err(wrong(file, "sections", "the end of the file", format!("{} more bytes", rest.len())));
    }
    Ok(Checkpoint {
        step: header.step,
        epoch: header.epoch,
        config: header.config,
        seed: header.seed,
        stream: header.stream,
        sections,
        file: file.to_path_buf(),
    })
}
