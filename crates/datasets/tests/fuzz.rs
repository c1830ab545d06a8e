//! The fuzz targets' checks on mutations of valid files, so that they run with every test.

use std::io::Read;

use flate2::Compression;
use flate2::bufread::GzEncoder;
use striate_formats::Arrays;

#[path = "../fuzz/check.rs"]
mod check;
#[path = "../../formats/fuzz/memory.rs"]
mod memory;
#[path = "../../formats/fuzz/mutate.rs"]
mod mutate;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzEncoder::new(bytes, Compression::default()).read_to_end(&mut out).unwrap();
    out
}

/// IDX files of pictures, of a number, and of doubles.
fn idx_files() -> [Vec<u8>; 3] {
    [
        [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3], &[7; 18][..]].concat(),
        vec![0, 0, 0x0c, 0, 0, 0, 0, 5],
        [&[0, 0, 0x0e, 2, 0, 0, 0, 2, 0, 0, 0, 1], &[0; 16][..]].concat(),
    ]
}

#[test]
fn idx() {
    mutate::attack(50_000, &idx_files(), check::idx);
}

#[test]
fn gzip_files() {
    let twice = [gzip(&idx_files()[0][..9]), gzip(&idx_files()[0][9..])].concat();
    let mut seeds = idx_files().map(|file| gzip(&file)).to_vec();
    seeds.extend([twice, gzip(&[&[0, 0, 8, 1, 0, 1, 0, 0], &[0; 1 << 16][..]].concat())]);
    mutate::attack(20_000, &seeds, check::idx);
}

#[test]
fn mnist() {
    let folder = check::folder();
    mutate::attack(10_000, &idx_files()[..1], |bytes| check::mnist(folder.path(), bytes));
}

#[test]
fn labels() {
    let folder = check::folder();
    let seed = vec![0, 0, 8, 1, 0, 0, 0, 2, 1, 0];
    mutate::attack(10_000, &[seed], |bytes| check::labels(folder.path(), bytes));
}

#[test]
fn cifar() {
    let folder = check::folder();
    let seeds = [vec![1; 2 * 3073], vec![1; 3074]];
    mutate::attack(5_000, &seeds, |bytes| check::cifar(folder.path(), bytes));
}

#[test]
fn npz() {
    let folder = check::folder();
    let mut arrays = Arrays::new();
    arrays.push("images", ndarray::Array3::<u8>::from_elem((2, 3, 3), 7));
    arrays.push("labels", ndarray::arr1(&[1i64, 0]));
    let file = folder.path().join("seed.npz");
    let written = |compressed: bool| {
        let write =
            if compressed { striate_formats::npz::write_compressed } else { striate_formats::npz::write };
        write(&file, &arrays).unwrap();
        std::fs::read(&file).unwrap()
    };
    let seeds = [written(false), written(true)];
    mutate::attack(10_000, &seeds, |bytes| check::npz(folder.path(), bytes));
}

#[cfg(feature = "images")]
#[test]
fn picture() {
    use image::{DynamicImage, ImageFormat, Luma, Rgb, Rgba};
    let folder = check::folder();
    let colour = image::RgbImage::from_fn(16, 12, |x, y| Rgb([x as u8 * 16, y as u8 * 16, 7]));
    let gray = image::GrayImage::from_fn(5, 9, |x, y| Luma([(x * y) as u8]));
    let deep = image::ImageBuffer::from_fn(4, 4, |x, y| Rgba([x as u16 * 9000, y as u16 * 9000, 7, 1]));
    let encode = |picture: &DynamicImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let (colour, gray) = (DynamicImage::from(colour), DynamicImage::from(gray));
    let seeds = [
        encode(&colour, ImageFormat::Png),
        encode(&gray, ImageFormat::Png),
        encode(&DynamicImage::ImageRgba16(deep), ImageFormat::Png),
        encode(&colour, ImageFormat::Jpeg),
        encode(&gray, ImageFormat::Jpeg),
    ];
    mutate::attack(10_000, &seeds, |bytes| check::picture(folder.path(), bytes));
}

#[test]
fn csv() {
    let folder = check::folder();
    let seeds = [
        b"a,b,\"label, quoted\"\n1,2.5,x\n-3e2,4,\"y\"\n5,6,x\n".to_vec(),
        b"a,b\r\n1,2\r\n\"3\",\"4\"\r\n".to_vec(),
        b"x;1;2\n3;4;5\n".to_vec(),
    ];
    mutate::attack(10_000, &seeds, |bytes| check::csv(folder.path(), bytes));
}

#[test]
fn text() {
    let seeds = [b"to be or not to be\n".to_vec(), b"that is the question".to_vec()];
    mutate::attack(50_000, &seeds, check::text);
}
