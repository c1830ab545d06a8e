//! Pictures in folders, one folder a class.

use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader};
use ndarray::{Array2, ArrayD};

use crate::input::{check_size, io_error};
use crate::{DatasetError, Labelled};

/// More than deflate (1,032) and JPEG can expand.
const MAX_EXPANSION: u64 = 2048;

/// What to keep of a picture's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Brightness only: one channel.
    Gray,
    /// Red, green and blue: three channels.
    Rgb,
}

/// Options of [`read_with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderOptions {
    /// What to keep of the colours.
    pub colour: Colour,
    /// Width and height of all pictures: each is scaled until it fills them, and what hangs over is cut off, both sides
    /// alike. Without, all must have one size.
    pub size: Option<(u32, u32)>,
    /// Whether files that cannot be decoded are left out; without, the first one is an error.
    pub skip_broken: bool,
}

impl Default for FolderOptions {
    fn default() -> Self {
        FolderOptions { colour: Colour::Rgb, size: None, skip_broken: false }
    }
}

/// What [`read_with`] found.
#[derive(Debug)]
pub struct Folder {
    /// The pictures (N, C, H, W) with values in 0..=1.
    pub pictures: Labelled,
    /// What was wrong with each file that was left out.
    pub skipped: Vec<DatasetError>,
}

/// Reads PNG and JPEG files, each in the folder of its class: pictures (N, C, H, W) with values in 0..=1.
///
/// Classes and files are taken in the order of their names. Names that begin with a dot and files with other endings
/// are passed over; transparency is dropped. PyTorch: `torchvision.datasets.ImageFolder`.
///
/// # Errors
/// There is no class or no picture, a picture cannot be decoded, or one has another size than the first.
///
/// ```
/// use striate_datasets::image_folder::{self, Colour};
///
/// let folder = tempfile::tempdir()?;
/// for (class, brightness) in [("day", 255), ("night", 0)] {
///     std::fs::create_dir(folder.path().join(class))?;
///     let picture = image::RgbImage::from_pixel(4, 3, image::Rgb([brightness; 3]));
///     picture.save(folder.path().join(class).join("0.png"))?;
/// }
/// let pictures = image_folder::read(folder.path(), Colour::Rgb)?;
/// assert_eq!(pictures.images().shape(), [2, 3, 3, 4]);
/// assert_eq!(pictures.classes(), ["day", "night"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(folder: impl AsRef<Path>, colour: Colour) -> Result<Labelled, DatasetError> {
    Ok(read_with(folder, &FolderOptions { colour, ..Default::default() })?.pictures)
}

/// [`read`] with options.
///
/// # Errors
/// As [`read`], as far as the options do not allow it; or all files are broken.
///
/// ```
/// use striate_datasets::image_folder::{self, FolderOptions};
///
/// let folder = tempfile::tempdir()?;
/// let class = folder.path().join("cat");
/// std::fs::create_dir(&class)?;
/// image::RgbImage::new(40, 30).save(class.join("0.png"))?;
/// std::fs::write(class.join("1.png"), "no picture")?;
/// let options = FolderOptions { size: Some((8, 8)), skip_broken: true, ..Default::default() };
/// let found = image_folder::read_with(folder.path(), &options)?;
/// assert_eq!(found.pictures.images().shape(), [1, 3, 8, 8]);
/// assert!(found.skipped[0].to_string().contains("1.png"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_with(folder: impl AsRef<Path>, options: &FolderOptions) -> Result<Folder, DatasetError> {
    let folder = folder.as_ref();
    let (mut classes, mut files) = (Vec::new(), Vec::new());
    for class in visible(folder)?.into_iter().filter(|path| path.is_dir()) {
        let pictures = visible(&class)?.into_iter().filter(|file| is_picture(file));
        files.extend(pictures.map(|file| (file, classes.len())));
        classes.push(class.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    if files.is_empty() {
        let looked_for = ["class/name.png", "class/name.jpg", "class/name.jpeg"].map(String::from).to_vec();
        return Err(DatasetError::Missing { folder: folder.to_path_buf(), looked_for });
    }

    let channels = if options.colour == Colour::Gray { 1 } else { 3 };
    let (mut values, mut labels, mut skipped, mut first) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (file, label) in &files {
        let picture = match open(file) {
            Err(broken @ DatasetError::Picture { .. }) if options.skip_broken => {
                skipped.push(broken);
                continue;
            }
            picture => sized(picture?, options.size),
        };
        let found = (picture.width(), picture.height());
        let (first, expected) = *first.get_or_insert((file, found));
        if found != expected {
            let (file, first) = (file.clone(), first.clone());
            return Err(DatasetError::PictureSize { file, found, first, expected });
        }
        let pixels = found.0 as u128 * found.1 as u128;
        check_size(folder, files.len() as u128 * channels as u128 * pixels * size_of::<f32>() as u128)?;
        let bytes = match options.colour {
            Colour::Gray => picture.into_luma8().into_raw(),
            Colour::Rgb => picture.into_rgb8().into_raw(),
        };
        for channel in 0..channels {
            values.extend(bytes[channel..].iter().step_by(channels).map(|&byte| f32::from(byte) / 255.0));
        }
        labels.push(*label);
    }
    let Some((_, (width, height))) = first else { return Err(skipped.remove(0)) };
    let shape = vec![labels.len(), channels, height as usize, width as usize];
    let images = ArrayD::from_shape_vec(shape, values).expect("all pictures have one size");
    Ok(Folder { pictures: Labelled::from_file(folder, images, labels, classes)?, skipped })
}

fn sized(picture: DynamicImage, size: Option<(u32, u32)>) -> DynamicImage {
    match size {
        Some((width, height)) => {
            // Cut first: scaled as a whole, a thin picture would take memory by its length.
            let (w, h) = (picture.width(), picture.height());
            let ratio = f64::from(width) / f64::from(height);
            let part = |length: u32, fits: f64| (fits.round() as u32).clamp(1, length.max(1));
            let (cut_w, cut_h) = (part(w, f64::from(h) * ratio), part(h, f64::from(w) / ratio));
            let cut = picture.crop_imm((w - cut_w) / 2, (h - cut_h) / 2, cut_w, cut_h);
            cut.resize_exact(width, height, FilterType::Triangle)
        }
        None => picture,
    }
}

fn visible(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let io = |source| io_error(folder, source);
    let entries = std::fs::read_dir(folder).map_err(io)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(io)?;
    paths.retain(|path| !path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b"."));
    paths.sort();
    Ok(paths)
}

fn is_picture(file: &Path) -> bool {
    let ending = file.extension().unwrap_or_default().to_ascii_lowercase();
    file.is_file() && ["png", "jpg", "jpeg"].iter().any(|known| ending == *known)
}

/// One PNG or JPEG file as grey values (H, W) in 0..=1, whatever its ending.
///
/// # Errors
/// The file cannot be read or decoded, or claims to be larger than a file of its length can be.
///
/// ```no_run
/// let picture = striate_datasets::image_folder::read_grey("digit.png")?;
/// println!("{:?}", picture.dim());
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
pub fn read_grey(file: impl AsRef<Path>) -> Result<Array2<f32>, DatasetError> {
    let grey = open(file.as_ref())?.to_luma8();
    let size = (grey.height() as usize, grey.width() as usize);
    let values = grey.into_raw().into_iter().map(|value| f32::from(value) / 255.0).collect();
    Ok(Array2::from_shape_vec(size, values).expect("a value for each pixel"))
}

/// Decodes a picture, unless it claims to be larger than a file of its length can be.
fn open(file: &Path) -> Result<DynamicImage, DatasetError> {
    let io = |source| io_error(file, source);
    let wrong = |problem: String| DatasetError::Picture { file: file.to_path_buf(), problem };
    let length = std::fs::metadata(file).map_err(io)?.len();
    let reader = ImageReader::open(file).and_then(ImageReader::with_guessed_format).map_err(io)?;
    let decoder = reader.into_decoder().map_err(|e| wrong(e.to_string()))?;
    let (limit, found) = (length.saturating_mul(MAX_EXPANSION), decoder.total_bytes());
    if found > limit {
        return Err(wrong(format!("{found} bytes of pixels cannot come from a file of {length} bytes")));
    }
    DynamicImage::from_decoder(decoder).map_err(|e| wrong(e.to_string()))
}
