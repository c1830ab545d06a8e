//! As much of the ZIP format as npz and PyTorch's files use: stored and deflated entries of less than 4 GiB.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Read, Write};

use flate2::read::DeflateDecoder;

use crate::error::Source;
use crate::{FormatError, Limits, Problem};

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// No deflate stream expands further.
const MAX_EXPANSION: u64 = 1032;

/// An entry whose place in the file has been checked.
pub(crate) struct Entry<'a> {
    pub(crate) name: String,
    method: u16,
    checksum: u32,
    size: usize,
    data: &'a [u8],
}

/// The entries of a ZIP file, in the order of its directory.
pub(crate) fn entries<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    source: Source,
) -> Result<Vec<Entry<'a>>, FormatError> {
    let (count, directory, directory_start) =
        central_directory(bytes).map_err(source.at("central directory"))?;
    limits.check_count(count).map_err(source.at("central directory"))?;
    let mut entries = Vec::new();
    let mut names = HashSet::new();
    let mut spans = Vec::new();
    let mut rest = directory;
    for _ in 0..count {
        let header = rest.get(..46).ok_or_else(|| truncated("directory entry", 46, rest.len()));
        let header = header.map_err(source.at("central directory"))?;
        expect_magic(header, CENTRAL, "a directory entry (PK 01 02)")
            .map_err(source.at("central directory"))?;
        let name_end = 46 + u16_at(header, 28) as usize;
        let entry_end = name_end + u16_at(header, 30) as usize + u16_at(header, 32) as usize;
        let fields = rest.get(..entry_end).ok_or_else(|| truncated("directory entry", entry_end, rest.len()));
        let name_bytes = &fields.map_err(source.at("central directory"))?[46..name_end];
        let name = String::from_utf8_lossy(name_bytes);
        rest = &rest[entry_end..];
        let (entry, span) =
            locate(bytes, header, name_bytes, &name, directory_start).map_err(source.at(&name))?;
        if !names.insert(name) {
            return Err(source.at(&entry.name)(Problem::Duplicate));
        }
        spans.push((span, entries.len()));
        entries.push(entry);
    }
    if !rest.is_empty() {
        let (expected, found) = ((directory.len() - rest.len()) as u64, directory.len() as u64);
        return Err(source.at("central directory")(Problem::Trailing { expected, found }));
    }
    spans.sort();
    for pair in spans.windows(2) {
        let ((earlier, _), (later, number)) = (&pair[0], &pair[1]);
        if later.0 < earlier.1 {
            let overlap = Problem::Offset { expected: earlier.1 as u64, found: later.0 as u64 };
            return Err(source.at(&entries[*number].name)(overlap));
        }
    }
    Ok(entries)
}

/// Number of entries, the directory, and where it starts, from the record at the end of the file.
fn central_directory(bytes: &[u8]) -> Result<(usize, &[u8], usize), Problem> {
    if !bytes.starts_with(&LOCAL) && !bytes.starts_with(&END) {
        let found = bytes[..bytes.len().min(4)].to_vec();
        return Err(Problem::Magic { expected: "a ZIP file (PK 03 04)", found });
    }
    let furthest = bytes.len().saturating_sub(22 + u16::MAX as usize);
    let is_end = |&at: &usize| {
        let record = &bytes[at..];
        record.starts_with(&END) && 22 + u16_at(record, 20) as usize == record.len()
    };
    let at = (furthest..bytes.len().saturating_sub(21)).rev().find(is_end);
    let at = at.ok_or_else(|| truncated("end-of-directory record", 22, 0))?;
    let record = &bytes[at..];
    let (disk, count, total) = (u16_at(record, 4), u16_at(record, 8), u16_at(record, 10));
    let (size, start) = (u32_at(record, 12), u32_at(record, 16));
    if count == u16::MAX || size == u32::MAX || start == u32::MAX {
        return Err(Problem::Unsupported { what: "ZIP variant", found: "zip64".into() });
    }
    if disk != 0 || count != total {
        return Err(Problem::Unsupported { what: "ZIP variant", found: "several disks".into() });
    }
    let end = u64::from(start) + u64::from(size);
    let gap = usize::try_from(end).ok().and_then(|end| bytes.get(end..at));
    if gap.is_none_or(|gap| !gap.is_empty() && !is_zip64_end(gap)) {
        return Err(Problem::Offset { expected: at as u64, found: end });
    }
    Ok((count as usize, &bytes[start as usize..end as usize], start as usize))
}

/// Whether these are the two records of zip64 that say once more where the directory is: PyTorch writes them always, also
/// where the fields of the ordinary record suffice.
fn is_zip64_end(bytes: &[u8]) -> bool {
    bytes.len() == 56 + 20 && bytes.starts_with(b"PK\x06\x06") && bytes[56..].starts_with(b"PK\x06\x07")
}

/// The entry of one directory header, and the bytes of the file that it covers.
fn locate<'a>(
    bytes: &'a [u8],
    header: &[u8],
    name_bytes: &[u8],
    name: &str,
    directory_start: usize,
) -> Result<(Entry<'a>, (usize, usize)), Problem> {
    let (flags, method, checksum) = (u16_at(header, 8), u16_at(header, 10), u32_at(header, 16));
    let (packed, size, start) = (u32_at(header, 20), u32_at(header, 24), u32_at(header, 42));
    if flags & 1 != 0 {
        return Err(Problem::Unsupported { what: "ZIP variant", found: "encrypted".into() });
    }
    if [packed, size, start].contains(&u32::MAX) {
        return Err(Problem::Unsupported { what: "ZIP variant", found: "zip64".into() });
    }
    let most = match method {
        STORED => packed as u64,
        DEFLATED => packed as u64 * MAX_EXPANSION,
        other => return Err(Problem::Unsupported { what: "compression method", found: other.to_string() }),
    };
    if size as u64 > most || method == STORED && size != packed {
        return Err(Problem::Limit {
            what: "uncompressed bytes of the entry",
            limit: most,
            found: size as u64,
        });
    }
    let start = start as usize;
    let before_directory = &bytes[..directory_start];
    let local = before_directory.get(start..).filter(|l| l.len() >= 30);
    let local = local.ok_or_else(|| truncated("local header", start.saturating_add(30), directory_start))?;
    expect_magic(local, LOCAL, "a local header (PK 03 04)")?;
    let name_end = 30 + u16_at(local, 26) as usize;
    let data_start = name_end + u16_at(local, 28) as usize;
    let data_end = data_start.saturating_add(packed as usize);
    if local.len() < data_end {
        return Err(truncated("entry", start.saturating_add(data_end), directory_start));
    }
    if &local[30..name_end] != name_bytes {
        let found = String::from_utf8_lossy(&local[30..name_end]).into_owned();
        return Err(Problem::Header { field: "local name", expected: "the name in the directory", found });
    }
    let data = &local[data_start..data_end];
    let entry = Entry { name: name.to_string(), method, checksum, size: size as usize, data };
    Ok((entry, (start, start + data_end)))
}

impl<'a> Entry<'a> {
    /// The bytes of an entry that is not compressed, with the right checksum.
    pub(crate) fn stored(&self) -> Result<&'a [u8], Problem> {
        if self.method != STORED {
            return Err(Problem::Unsupported { what: "compression", found: "of PyTorch's files".into() });
        }
        self.check(self.data)?;
        Ok(self.data)
    }

    /// The uncompressed bytes, at most as many as the header says, with the right checksum.
    pub(crate) fn contents(&self, limits: &Limits) -> Result<Cow<'a, [u8]>, Problem> {
        if self.size as u64 > limits.max_bytes {
            let (limit, found) = (limits.max_bytes, self.size as u64);
            return Err(Problem::Limit { what: "uncompressed bytes of the entry", limit, found });
        }
        let contents = if self.method == STORED {
            Cow::Borrowed(self.data)
        } else {
            let mut contents = Vec::new();
            let stream = DeflateDecoder::new(self.data);
            let read = stream.take(self.size as u64 + 1).read_to_end(&mut contents);
            read.map_err(|e| Problem::Inflate(e.to_string()))?;
            Cow::Owned(contents)
        };
        if contents.len() > self.size {
            let (expected, found) = (self.size as u64, contents.len() as u64);
            return Err(Problem::Trailing { expected, found });
        }
        if contents.len() < self.size {
            return Err(truncated("entry", self.size, contents.len()));
        }
        self.check(&contents)?;
        Ok(contents)
    }

    fn check(&self, contents: &[u8]) -> Result<(), Problem> {
        let (expected, found) = (self.checksum, crc32fast::hash(contents));
        if found == expected { Ok(()) } else { Err(Problem::Checksum { expected, found }) }
    }
}

/// Writes a ZIP file entry by entry.
pub(crate) struct Writer<'a> {
    out: &'a mut dyn Write,
    offset: u64,
    directory: Vec<u8>,
    count: u16,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, offset: 0, directory: Vec::new(), count: 0 }
    }

    /// Adds an entry of at most 4 GiB.
    pub(crate) fn add(&mut self, name: &str, contents: &[u8], compress: bool) -> io::Result<()> {
        let deflated = if compress { Some(deflate(contents)?) } else { None };
        let (method, data) = deflated.as_deref().map_or((STORED, contents), |data| (DEFLATED, data));
        let mut header = Vec::new();
        for field in [20, 0x0800, method, 0, 0x0021] {
            header.extend_from_slice(&u16::to_le_bytes(field)); // version, UTF-8 names, method, 1980-01-01
        }
        header.extend_from_slice(&crc32fast::hash(contents).to_le_bytes());
        header.extend_from_slice(&fit::<u32>("bytes of an entry", data.len() as u64)?.to_le_bytes());
        header.extend_from_slice(&fit::<u32>("bytes of an entry", contents.len() as u64)?.to_le_bytes());
        header.extend_from_slice(&fit::<u16>("bytes of a name", name.len() as u64)?.to_le_bytes());
        header.extend_from_slice(&[0; 2]); // no extra field

        self.directory.extend_from_slice(&CENTRAL);
        self.directory.extend_from_slice(&[20, 0]);
        self.directory.extend_from_slice(&header);
        self.directory.extend_from_slice(&[0; 10]); // comment, disk, attributes
        self.directory.extend_from_slice(&fit::<u32>("bytes of the file", self.offset)?.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        self.count = fit("arrays", self.count as u64 + 1)?;

        for part in [&LOCAL, header.as_slice(), name.as_bytes(), data] {
            self.out.write_all(part)?;
            self.offset += part.len() as u64;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        self.out.write_all(&self.directory)?;
        self.out.write_all(&END)?;
        self.out.write_all(&[0; 4])?;
        self.out.write_all(&self.count.to_le_bytes())?;
        self.out.write_all(&self.count.to_le_bytes())?;
        self.out
            .write_all(&fit::<u32>("bytes of the directory", self.directory.len() as u64)?.to_le_bytes())?;
        self.out.write_all(&fit::<u32>("bytes of the file", self.offset)?.to_le_bytes())?;
        self.out.write_all(&[0; 2])
    }
}

fn deflate(contents: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(contents)?;
    encoder.finish()
}

/// `value` in a field of the format, whose largest value is kept for zip64.
fn fit<T: TryFrom<u64> + Into<u64>>(what: &'static str, value: u64) -> io::Result<T> {
    let limit = if size_of::<T>() == 2 { u16::MAX as u64 - 1 } else { u32::MAX as u64 - 1 };
    let error = || io::Error::other(format!("{what}: npz files hold at most {limit}, found {value}"));
    if value > limit { Err(error()) } else { T::try_from(value).map_err(|_| error()) }
}

fn expect_magic(bytes: &[u8], magic: [u8; 4], expected: &'static str) -> Result<(), Problem> {
    if bytes.starts_with(&magic) {
        Ok(())
    } else {
        Err(Problem::Magic { expected, found: bytes[..4].to_vec() })
    }
}

fn truncated(field: &'static str, needs: usize, has: usize) -> Problem {
    Problem::Truncated { field, needs: needs as u64, has: has as u64 }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
