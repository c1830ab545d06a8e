//! Folders of pictures, good and bad.
#![cfg(feature = "images")]

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use striate_datasets::DatasetError;
use striate_datasets::image_folder::{self, Colour, Folder, FolderOptions};

#[path = "../../formats/fuzz/memory.rs"]
mod memory;

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([x as u8 * 10, (y % 25) as u8 * 10, 255]))
}

fn save(folder: &Path, class: &str, name: &str, size: (u32, u32)) {
    fs::create_dir_all(folder.join(class)).unwrap();
    picture(size.0, size.1).save(folder.join(class).join(name)).unwrap();
}

#[test]
fn classes_and_files_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "dog", "b.png", (4, 3));
    save(folder.path(), "dog", "a.PNG", (4, 3));
    save(folder.path(), "cat", "1.jpeg", (4, 3));
    GrayImage::from_pixel(4, 3, Luma([51])).save(folder.path().join("cat/0.png")).unwrap();
    fs::write(folder.path().join("cat/notes.txt"), "passed over").unwrap();
    fs::create_dir(folder.path().join(".hidden")).unwrap();

    let data = image_folder::read(folder.path(), Colour::Rgb).unwrap();
    assert_eq!(data.images().shape(), [4, 3, 3, 4]);
    assert_eq!(
        (data.classes(), data.labels()),
        (&["cat".to_string(), "dog".to_string()][..], &[0, 0, 1, 1][..])
    );
    assert_eq!(data.images()[[0, 2, 0, 0]], 0.2, "gray in all channels");
    assert_eq!(data.images()[[2, 0, 0, 3]], 30.0 / 255.0, "red is the column");
    assert_eq!(data.images()[[2, 1, 2, 0]], 20.0 / 255.0, "green is the row");
    assert_eq!(data.images()[[2, 2, 2, 3]], 1.0);
    let gray = image_folder::read(folder.path(), Colour::Gray).unwrap();
    assert_eq!(gray.images().shape(), [4, 1, 3, 4]);
    assert_eq!(gray.images()[[0, 0, 1, 1]], 0.2);
}

#[test]
fn one_file_as_grey_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picture.png");
    GrayImage::from_fn(4, 3, |x, y| Luma([(10 * x + 100 * y) as u8])).save(&file).unwrap();
    let grey = image_folder::read_grey(&file).unwrap();
    assert_eq!((grey.dim(), grey[[2, 3]]), ((3, 4), 230.0 / 255.0));

    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let error = image_folder::read_grey(&file).unwrap_err();
    assert!(
        matches!(error, DatasetError::Picture { .. }) && error.to_string().contains("picture.png"),
        "{error}"
    );
    let missing = image_folder::read_grey(folder.path().join("none.png")).unwrap_err();
    assert!(missing.to_string().contains("none.png"), "{missing}");
}

#[test]
fn folders_that_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let read = || image_folder::read(folder.path(), Colour::Rgb).unwrap_err();
    assert!(matches!(read(), DatasetError::Missing { .. }));
    fs::create_dir(folder.path().join("cat")).unwrap();
    assert!(matches!(read(), DatasetError::Missing { .. }), "a class without pictures");
    save(folder.path(), "cat", "0.png", (4, 3));
    save(folder.path(), "dog", "0.png", (3, 4));
    match read() {
        DatasetError::PictureSize { file, found, first, expected } => {
            assert!(file.ends_with("dog/0.png") && first.ends_with("cat/0.png"));
            assert_eq!((found, expected), ((3, 4), (4, 3)));
        }
        other => panic!("{other}"),
    }
    fs::write(folder.path().join("dog/0.png"), b"no picture").unwrap();
    assert!(matches!(read(), DatasetError::Picture { file, .. } if file.ends_with("dog/0.png")));
    assert!(matches!(image_folder::read("/nowhere", Colour::Gray), Err(DatasetError::Io { .. })));
}

#[test]
fn a_picture_that_claims_to_be_enormous() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "cat", "0.png", (4, 3));
    let file = folder.path().join("cat/0.png");
    let mut bytes = fs::read(&file).unwrap();
    bytes[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]); // 10,000 × 10,000
    let sum = {
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        crc.sum()
    };
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    fs::write(&file, bytes).unwrap();
    let error = image_folder::read(folder.path(), Colour::Rgb).unwrap_err();
    assert!(error.to_string().contains("300000000 bytes of pixels cannot come from"), "{error}");
}

#[test]
fn broken_files_are_an_error_or_left_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "cat", "1.png", (4, 3));
    save(folder.path(), "dog", "0.jpg", (4, 3));
    let whole = fs::read(folder.path().join("cat/1.png")).unwrap();
    fs::write(folder.path().join("cat/0.png"), &whole[..whole.len() - 20]).unwrap();
    fs::write(folder.path().join("dog/1.jpeg"), b"no picture").unwrap();
    let read = |skip_broken| {
        image_folder::read_with(folder.path(), &FolderOptions { skip_broken, ..Default::default() })
    };
    assert!(matches!(read(false), Err(DatasetError::Picture { file, .. }) if file.ends_with("cat/0.png")));
    let Folder { pictures, skipped } = read(true).unwrap();
    assert_eq!((pictures.labels(), pictures.images().shape()), (&[0, 1][..], &[2, 3, 3, 4][..]));
    let names: Vec<_> = skipped
        .iter()
        .map(|error| match error {
            DatasetError::Picture { file, .. } => file.strip_prefix(folder.path()).unwrap().to_str().unwrap(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(names, ["cat/0.png", "dog/1.jpeg"]);

    fs::remove_file(folder.path().join("cat/1.png")).unwrap();
    fs::remove_file(folder.path().join("dog/0.jpg")).unwrap();
    assert!(matches!(read(true), Err(DatasetError::Picture { .. })), "nothing is left");
}

#[test]
fn pictures_of_any_size_are_scaled_until_they_fill_one() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "cat", "0.png", (12, 6));
    save(folder.path(), "cat", "1.png", (4, 10));
    let options = FolderOptions { size: Some((6, 3)), ..Default::default() };
    let images = image_folder::read_with(folder.path(), &options).unwrap().pictures.images().to_owned();
    assert_eq!(images.shape(), [2, 3, 3, 6]);
    let close = |a: f32, b: f32| (a - b).abs() < 0.01;
    assert!(close(images[[0, 0, 0, 2]], 45.0 / 255.0), "red, the column, is halved: {images}");
    // 3 of 15 rows stay, those in the middle.
    assert!(close(images[[1, 1, 1, 3]], 45.0 / 255.0), "green, the row, in the middle: {images}");
}

#[test]
fn a_thin_picture_is_scaled_in_the_memory_of_the_result() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "cat", "0.png", (1, 60_000));
    let options = FolderOptions { size: Some((500, 500)), ..Default::default() };
    let images = memory::bounded(&[], || image_folder::read_with(folder.path(), &options)).unwrap().pictures;
    assert_eq!(images.images().shape(), [1, 3, 500, 500]);
}
