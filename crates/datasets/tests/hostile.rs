//! Files that are made to take many times their length: each is refused, or read within bounds.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use memory::bounded;
use striate_datasets::csv::CsvOptions;
use striate_datasets::{DatasetError, Labelled, csv, idx};

#[path = "../../formats/fuzz/memory.rs"]
mod memory;

fn idx_error(file: &[u8]) -> DatasetError {
    bounded(file, || idx::from_bytes(file)).unwrap_err()
}

#[test]
fn idx_sizes() {
    let axes = |rank: u8, length: [u8; 4]| [&[0, 0, 0x0e, rank], &length.repeat(rank.into())[..]].concat();
    for rank in [2, 3, 32] {
        let huge = idx_error(&axes(rank, [0xff; 4]));
        assert!(matches!(huge, DatasetError::TooLarge { .. }), "{rank}: {huge}");
        let negative = idx_error(&axes(rank, [0x80, 0, 0, 0]));
        assert!(matches!(negative, DatasetError::TooLarge { .. }), "{rank}: {negative}");
    }
    let claimed = idx_error(&[&[0, 0, 8, 1, 0xf0, 0, 0, 0][..], &[7; 100]].concat());
    assert!(matches!(claimed, DatasetError::Truncated { field: "elements", has: 100, .. }), "{claimed}");
    let deep = idx_error(&axes(255, [0, 0, 0, 1]));
    assert!(matches!(deep, DatasetError::Field { field: "number of axes", .. }), "{deep}");
}

/// A gzip file of a header and 256 MiB of zeros.
fn bomb(header: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(header).unwrap();
    (0..256).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

#[test]
fn gzip_bombs() {
    let short = idx_error(&bomb(&[0, 0, 8, 1, 0, 0, 0, 3]));
    assert!(matches!(short, DatasetError::Trailing { end: 11, .. }), "{short}");
    let negative =
        idx_error(&bomb(&[0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]));
    assert!(matches!(negative, DatasetError::TooLarge { .. }), "{negative}");
    let magic = idx_error(&bomb(&[]));
    assert!(matches!(magic, DatasetError::Field { field: "element type", .. }), "{magic}");
}

fn table(folder: &Path, table: &[u8]) -> Result<Labelled, DatasetError> {
    let file = folder.join("table.csv");
    fs::write(&file, table).unwrap();
    bounded(table, || csv::labelled(&file, &CsvOptions::default()))
}

#[test]
fn csv_lines_and_cells_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let open = table(folder.path(), &[b"a,b\n1,\"".as_slice(), &vec![b'x'; 16 << 20], b"\n1,2,3\n"].concat());
    assert_eq!(open.unwrap().labels(), [0], "a quote without end");
    let long = table(folder.path(), &[b"a,b\n".as_slice(), &vec![b'9'; 4 << 20], b",1\n"].concat());
    assert!(matches!(long.unwrap_err(), DatasetError::Cell { expected: "a finite number", .. }));
    let wide = table(folder.path(), &[b"a,b\n".as_slice(), &vec![b','; 1 << 20], b"\n"].concat());
    assert!(matches!(wide.unwrap_err(), DatasetError::Cell { .. }));
}

#[cfg(feature = "images")]
#[test]
fn pictures_that_claim_to_be_large() {
    use striate_datasets::image_folder::{self, Colour};
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("class")).unwrap();
    let file = folder.path().join("class/0.png");
    image::GrayImage::new(8, 8).save(&file).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    for side in [0x7fff_u32, 0xffff, 0x7fff_ffff, u32::MAX] {
        bytes[16..20].copy_from_slice(&side.to_be_bytes());
        bytes[20..24].copy_from_slice(&side.to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
        fs::write(&file, &bytes).unwrap();
        let error = bounded(&bytes, || image_folder::read(folder.path(), Colour::Gray)).unwrap_err();
        assert!(matches!(error, DatasetError::Picture { .. }), "{side}: {error}");
    }
}
