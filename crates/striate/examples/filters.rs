//! Filters an image in every way of the notes on linear filtering, and draws convolutions as matrices.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser;
use image::imageops;
use image::{GrayImage, RgbImage};
use ndarray::{Array2, Zip, s};
use striate::compute::par;
use striate::conv::filter::{FilterError, Kernel, Separable, convolve, correlate, correlate_local};
use striate::conv::matrix::{PictureOptions, convolution_matrix};
use striate::conv::{Boundary, ConvOptions, Geometry};
use striate::datasets::{digits, image_folder};
use striate::train::RunFolder;
use striate::train::figures::{Cell, Grid};

/// Blur an image, find its edges, correlate and convolve it, and draw what a convolution is as a matrix.
#[derive(Parser)]
#[command(name = "filters")]
struct Arguments {
    /// The image to filter, colours as grey; a handwritten digit when not given
    #[arg(long, value_name = "FILE.png")]
    image: Option<PathBuf>,
    /// Folder that the pictures go to: filters.png with all of them, and each in its full size
    #[arg(long, value_name = "DIR", default_value = "runs/filters")]
    out: PathBuf,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    par::install(|| {
        let folder = RunFolder::create(&arguments.out)?;
        let image = match &arguments.image {
            Some(file) => image_folder::read_grey(file)?,
            None => digit(),
        };
        let (height, width) = image.dim();
        println!("image of {height} × {width} pixels");
        let views = filtered(image)?;
        for view in &views {
            save_grey(&folder.file(format!("{}.png", view.file)), &view.image)?;
        }
        let cells = views.iter().map(|view| Cell {
            image: fitted(&view.image),
            caption: view.caption.into(),
            marked: false,
        });
        let title = "Linear filters (grey is 0 where signed)".into();
        Grid { title, cells: cells.collect(), columns: 5 }.save(folder.file("filters.png"))?;
        for stride in [1, 2] {
            draw_matrix(&folder.file(format!("matrix-stride-{stride}.png")), stride)?;
        }
        println!("pictures are in {}", arguments.out.display());
        Ok(())
    })
}

/// A filtered image, with grey values from 0 to 1.
struct View {
    file: &'static str,
    caption: &'static str,
    image: Array2<f32>,
}

fn filtered(image: Array2<f32>) -> Result<Vec<View>, FilterError> {
    let edge = Boundary::Reflect;
    let correlated = |kernel: &Kernel<f32>| correlate(image.view(), kernel, edge);
    let sobel = [correlated(&Kernel::sobel_x()), correlated(&Kernel::sobel_y())];
    let magnitude = Zip::from(&sobel[0]).and(&sobel[1]).map_collect(|&x, &y| x.hypot(y));
    let derivative = Kernel::derivative_x();
    let view = |file, caption, image| View { file, caption, image };
    Ok(vec![
        view("image", "image", image.clone()),
        view("gaussian", "Gaussian", correlated(&Kernel::gaussian(3.0, 9)?)),
        view("box", "box 9×9", correlated(&Kernel::box_blur(4))),
        view("local-blur", "local blur", blur_to_the_right(&image)?),
        view("laplacian", "Laplacian", around_grey(&correlated(&Kernel::laplacian()))),
        view("sobel-x", "Sobel x", around_grey(&sobel[0])),
        view("sobel-y", "Sobel y", around_grey(&sobel[1])),
        view("magnitude", "√(x² + y²)", scaled(&magnitude)),
        view("derivative-correlation", "∂x: corr.", around_grey(&correlated(&derivative))),
        view("derivative-convolution", "∂x: conv.", around_grey(&convolve(image.view(), &derivative, edge))),
    ])
}

/// A kernel that depends on the place: a Gaussian that grows from left to right.
fn blur_to_the_right(image: &Array2<f32>) -> Result<Array2<f32>, FilterError> {
    let radius = 12;
    let width = image.ncols();
    let sigma = |column: usize| 0.2 + 5.0 * column as f64 / width as f64;
    let kernels: Vec<Kernel<f32>> =
        (0..width).map(|column| Kernel::gaussian(sigma(column), radius)).collect::<Result<_, _>>()?;
    let kernel = |_, j: usize, m, n| kernels[j].at(m, n);
    Ok(correlate_local(image.view(), (radius, radius), Boundary::Reflect, kernel))
}

/// From black over grey at 0 to white.
fn around_grey(image: &Array2<f32>) -> Array2<f32> {
    scaled(image).mapv(|value| 0.5 + 0.5 * value)
}

/// From −1 to 1, with the largest hundredth of the values at these ends.
fn scaled(image: &Array2<f32>) -> Array2<f32> {
    let mut sizes: Vec<f32> = image.iter().map(|value| value.abs()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let strong = sizes.get(sizes.len() * 99 / 100).copied().unwrap_or(0.0).max(f32::MIN_POSITIVE);
    image.mapv(|value| (value / strong).clamp(-1.0, 1.0))
}

/// The matrix of Sobel's 3×3 operator on an 8×8 image with padding 1; lines stand between rows of pixels.
fn draw_matrix(file: &Path, stride: usize) -> Outcome<()> {
    let options = ConvOptions { stride: [stride; 2], padding: 1.into(), ..Default::default() };
    let conv = Geometry::new::<2>(&[1, 1, 8, 8], &[1, 1, 3, 3], &options)?;
    let kernel = Kernel::<f32>::sobel_x();
    let weights: Vec<f32> = kernel.weights().iter().copied().collect();
    let matrix = convolution_matrix(&conv, &weights)?;
    println!(
        "{}: a convolution with stride {stride} as a matrix of {} × {}, {} weights",
        file.display(),
        matrix.rows(),
        matrix.columns(),
        matrix.weights()
    );
    let block = (conv.output[2], conv.input[2]);
    let picture = matrix.picture(PictureOptions { scale: 9, block })?;
    let (height, width, _) = picture.dim();
    let pixels = picture.into_raw_vec_and_offset().0;
    let picture = RgbImage::from_raw(width as u32, height as u32, pixels).expect("three bytes a pixel");
    picture.save(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// A digit of the embedded data with a dark margin, six times as large, its squares smoothed away.
fn digit() -> Array2<f32> {
    let images = digits().test().images();
    let squares = Array2::from_shape_fn((60, 60), |(y, x)| match (y / 6, x / 6) {
        (row @ 1..9, column @ 1..9) => images[[0, 0, row - 1, column - 1]],
        _ => 0.0,
    });
    let smooth = Separable::gaussian(2.5, 8).expect("2.5 pixels are above 0");
    smooth.correlate(squares.view(), Boundary::Zero)
}

fn from_grey(image: &GrayImage) -> Array2<f32> {
    let size = (image.height() as usize, image.width() as usize);
    Array2::from_shape_fn(size, |(y, x)| f32::from(image[(x as u32, y as u32)].0[0]) / 255.0)
}

fn to_grey(image: &Array2<f32>) -> GrayImage {
    GrayImage::from_fn(image.ncols() as u32, image.nrows() as u32, |x, y| {
        image::Luma([(255.0 * image[(y as usize, x as usize)].clamp(0.0, 1.0)).round() as u8])
    })
}

/// Square on white, and at most as large as a cell of a [`Grid`], by means of its pixels.
fn fitted(image: &Array2<f32>) -> Array2<f32> {
    const CELL: u32 = 256;
    let (height, width) = image.dim();
    let side = height.max(width);
    let (top, left) = ((side - height) / 2, (side - width) / 2);
    let mut square = Array2::ones((side, side));
    square.slice_mut(s![top..top + height, left..left + width]).assign(image);
    let fits = side <= CELL as usize;
    if fits { square } else { from_grey(&imageops::thumbnail(&to_grey(&square), CELL, CELL)) }
}

fn save_grey(file: &Path, image: &Array2<f32>) -> Outcome<()> {
    to_grey(image).save(file).map_err(|error| format!("{}: {error}", file.display()).into())
}
