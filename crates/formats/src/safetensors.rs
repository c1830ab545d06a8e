//! Named arrays and a map of text in a `.safetensors` file.
//!
//! The file is an eight-byte length, a JSON header with type, shape and offsets of every array, and the data.
//! f16 and bf16 are widened to f32 on reading; 8-bit and smaller floats are refused.
//! Files are exchanged with Python's `safetensors.numpy` and `safetensors.torch` (`save_file`, `load_file`).

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

use ::safetensors::tensor::{Dtype as FileDtype, TensorInfo};
use serde::Deserialize;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::Serializer;

use crate::error::Source;
use crate::limits::{self, Budget};
use crate::{Arrays, Dtype, FormatError, Limits, Problem, write_atomically};

/// The file's `__metadata__`: text by name.
pub type Metadata = BTreeMap<String, String>;

const METADATA: &str = "__metadata__";
/// The format's own limit on its header.
const MAX_HEADER: u64 = 100_000_000;

/// The longest header for so many arrays: 100 bytes each, and half a mebibyte for the metadata. Its numbers in memory
/// take several times as much.
fn header_limit(limits: &Limits) -> u64 {
    MAX_HEADER.min((limits.max_arrays as u64).saturating_mul(100).saturating_add(1 << 19))
}

/// Reads all arrays, in the order of their data, and the metadata of a `.safetensors` file (`load_file`).
///
/// # Errors
/// The file cannot be read, is not a safetensors file, or asks for more than the limits. Arrays must cover the
/// file without overlap, hole or rest.
///
/// ```
/// use ndarray::arr1;
/// use striate_formats::{Arrays, Limits, safetensors};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("model.safetensors");
/// let arrays = Arrays::from_iter([("fc.bias", arr1(&[0.5f32, -1.0]))]);
/// let metadata = [("epoch".to_string(), "3".to_string())].into();
/// safetensors::write(&file, &arrays, &metadata)?;
/// assert_eq!(safetensors::read(&file, &Limits::default())?, (arrays, metadata));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<(Arrays, Metadata), FormatError> {
    let source = Source(path.as_ref());
    let io = |error: io::Error| source.at("file")(error);
    let mut file = std::fs::File::open(source.0).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    limits.check_file(length).map_err(source.at("file"))?;
    decode(&mut file, length, limits, source)
}

/// Reads all arrays and the metadata from the bytes of a `.safetensors` file; errors as [`read`].
pub fn from_bytes(mut bytes: &[u8], limits: &Limits) -> Result<(Arrays, Metadata), FormatError> {
    let length = bytes.len() as u64;
    decode(&mut bytes, length, limits, Source::memory())
}

/// Writes arrays and metadata to a `.safetensors` file (`save_file`), atomically.
///
/// The same arrays give the same bytes. Arrays of wider elements come first, so that all are aligned; otherwise
/// the order is kept.
///
/// # Errors
/// The file cannot be written, or an array is named `__metadata__`.
pub fn write(path: impl AsRef<Path>, arrays: &Arrays, metadata: &Metadata) -> Result<(), FormatError> {
    let path = path.as_ref();
    let encoding = Encoding::new(arrays, metadata, Source(path))?;
    write_atomically(path, |out| encoding.write(out)).map_err(Source(path).at("file"))
}

/// The bytes that [`write()`] writes; panics never, errors only for an array named `__metadata__`.
pub fn to_bytes(arrays: &Arrays, metadata: &Metadata) -> Result<Vec<u8>, FormatError> {
    let encoding = Encoding::new(arrays, metadata, Source::memory())?;
    let mut bytes = Vec::with_capacity(8 + encoding.header.len() + encoding.data_len);
    encoding.write(&mut bytes).map_err(Source::memory().at("file"))?;
    Ok(bytes)
}

fn decode(
    reader: &mut dyn Read,
    length: u64,
    limits: &Limits,
    source: Source,
) -> Result<(Arrays, Metadata), FormatError> {
    let (header, data_len) =
        read_header(reader, length, header_limit(limits)).map_err(source.at("header"))?;
    let Header { metadata, mut entries } = header;
    limits.check_count(entries.len()).map_err(source.at("header"))?;
    let mut names = HashSet::new();
    if let Some((name, _)) = entries.iter().find(|(name, _)| !names.insert(name)) {
        return Err(source.at(name)(Problem::Duplicate));
    }
    entries.sort_by_key(|(_, info)| info.data_offsets);

    let mut budget = Budget::new(limits);
    let mut end = 0;
    let mut checked = Vec::new();
    for (name, info) in entries {
        let (dtype, size) = check(&info, end, data_len, &mut budget).map_err(source.at(&name))?;
        end += size as u64;
        checked.push((name, dtype, info.shape, size));
    }
    if end != data_len {
        let before = length - data_len;
        return Err(source.at("data")(Problem::Trailing { expected: before + end, found: length }));
    }

    let mut arrays = Arrays::new();
    for (name, dtype, shape, size) in checked {
        let mut bytes = vec![0; size];
        reader.read_exact(&mut bytes).map_err(source.at(&name))?;
        let array = dtype.decode(&bytes, &shape, false).map_err(source.at(&name))?;
        arrays.push(name, array);
    }
    Ok((arrays, metadata))
}

/// The header, and how many bytes of data follow it.
fn read_header(reader: &mut dyn Read, length: u64, limit: u64) -> Result<(Header, u64), Problem> {
    let after_length = length.checked_sub(8);
    let rest = after_length.ok_or(Problem::Truncated { field: "header length", needs: 8, has: length })?;
    let mut size = [0; 8];
    reader.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    limits::check("bytes of the header", limit, size)?;
    if size > rest {
        return Err(Problem::Truncated { field: "header", needs: 8 + size, has: length });
    }
    let mut text = vec![0; size as usize];
    reader.read_exact(&mut text)?;
    let header = serde_json::from_slice(&text);
    let expected = "a JSON object of arrays";
    let header = header.map_err(|e| Problem::Header { field: "header", expected, found: e.to_string() })?;
    Ok((header, rest - size))
}

/// Checks one array's type, shape, and that its data begin at `start`; gives its type and its bytes.
fn check(
    info: &TensorInfo,
    start: u64,
    data_len: u64,
    budget: &mut Budget,
) -> Result<(Dtype, usize), Problem> {
    let dtype = dtype(info.dtype)?;
    let size = budget.claim(dtype, &info.shape)?;
    let (begin, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
    if begin != start {
        return Err(Problem::Offset { expected: start, found: begin });
    }
    if begin.checked_add(size as u64) != Some(end) {
        let (expected, found) = (size as u64, end.saturating_sub(begin));
        return Err(Problem::Size { shape: info.shape.clone(), dtype, expected, found });
    }
    if end > data_len {
        return Err(Problem::Truncated { field: "data", needs: end, has: data_len });
    }
    Ok((dtype, size))
}

fn dtype(dtype: FileDtype) -> Result<Dtype, Problem> {
    Ok(match dtype {
        FileDtype::F64 => Dtype::F64,
        FileDtype::F32 => Dtype::F32,
        FileDtype::F16 => Dtype::F16,
        FileDtype::BF16 => Dtype::BF16,
        FileDtype::I64 => Dtype::I64,
        FileDtype::I32 => Dtype::I32,
        FileDtype::I16 => Dtype::I16,
        FileDtype::I8 => Dtype::I8,
        FileDtype::U64 => Dtype::U64,
        FileDtype::U32 => Dtype::U32,
        FileDtype::U16 => Dtype::U16,
        FileDtype::U8 => Dtype::U8,
        FileDtype::BOOL => Dtype::Bool,
        other => return Err(Problem::Unsupported { what: "dtype", found: other.to_string() }),
    })
}

fn file_dtype(dtype: Dtype) -> FileDtype {
    match dtype {
        Dtype::F64 => FileDtype::F64,
        Dtype::F32 => FileDtype::F32,
        Dtype::F16 => FileDtype::F16,
        Dtype::BF16 => FileDtype::BF16,
        Dtype::I64 => FileDtype::I64,
        Dtype::I32 => FileDtype::I32,
        Dtype::I16 => FileDtype::I16,
        Dtype::I8 => FileDtype::I8,
        Dtype::U64 => FileDtype::U64,
        Dtype::U32 => FileDtype::U32,
        Dtype::U16 => FileDtype::U16,
        Dtype::U8 => FileDtype::U8,
        Dtype::Bool => FileDtype::BOOL,
    }
}

/// The JSON header, names as often as they stand there.
struct Header {
    metadata: Metadata,
    entries: Vec<(String, TensorInfo)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of arrays")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut metadata = None;
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let named = |error| A::Error::custom(format!("{name:?}: {error}"));
                    if name != METADATA {
                        let info = map.next_value().map_err(named)?;
                        entries.push((name, info));
                    } else if metadata.replace(map.next_value::<Option<Metadata>>().map_err(named)?).is_some()
                    {
                        return Err(A::Error::duplicate_field(METADATA));
                    }
                }
                Ok(Header { metadata: metadata.flatten().unwrap_or_default(), entries })
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// Header and order of a file that is about to be written.
struct Encoding<'a> {
    arrays: Vec<(&'a str, &'a crate::AnyArray)>,
    header: Vec<u8>,
    data_len: usize,
}

impl<'a> Encoding<'a> {
    fn new(arrays: &'a Arrays, metadata: &Metadata, source: Source) -> Result<Self, FormatError> {
        if arrays.get(METADATA).is_some() {
            return Err(source.at(METADATA)(Problem::Duplicate));
        }
        let mut arrays: Vec<_> = arrays.iter().collect();
        arrays.sort_by_key(|(_, array)| std::cmp::Reverse(array.dtype().size()));

        let mut fields = Vec::new();
        if !metadata.is_empty() {
            fields.push((METADATA, serde_json::json!(metadata)));
        }
        let mut end = 0;
        for (name, array) in &arrays {
            let start = end;
            end += array.byte_len();
            let info = TensorInfo {
                dtype: file_dtype(array.dtype()),
                shape: array.shape().to_vec(),
                data_offsets: (start, end),
            };
            fields.push((name, serde_json::json!(info)));
        }
        let mut header = Vec::new();
        serde_json::Serializer::new(&mut header)
            .collect_map(fields)
            .map_err(io::Error::from)
            .map_err(source.at("header"))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        Ok(Self { arrays, header, data_len: end })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&(self.header.len() as u64).to_le_bytes())?;
        out.write_all(&self.header)?;
        self.arrays.iter().try_for_each(|(_, array)| array.write_elements(out))
    }
}
