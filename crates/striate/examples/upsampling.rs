//! Draws the ways to make a map larger, with numbers: the figures 13 to 16 of the notes as one picture.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use ndarray::Array2;
use striate::compute::par;
use striate::conv::{
    ConvOptions, bed_of_nails2d, conv_transpose2d, max_pool2d_with_indices, max_unpool2d, upsample_nearest2d,
};
use striate::tensor::Tensor;
use striate::train::RunFolder;
use striate::train::figures::{Matrices, Matrix};

/// Make a map of 2×2 one of 4×4 by nearest neighbour, bed of nails, max-unpooling and transposed convolution, and draw
/// the numbers.
#[derive(Parser)]
#[command(name = "upsampling")]
struct Arguments {
    /// Folder that the picture goes to
    #[arg(long, value_name = "DIR", default_value = "runs/upsampling")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    par::install(|| {
        let picture = RunFolder::create(&arguments.out)?.file("upsampling.png");
        let rows = vec![nearest(), bed_of_nails(), max_unpooling(), transposed_convolution()];
        for (name, matrices) in &rows {
            println!("{name}");
            matrices.iter().for_each(|Matrix { values, caption }| println!("{caption}\n{values}"));
            println!();
        }
        Matrices { title: "Four ways from 2×2 to 4×4".into(), rows }.save(&picture)?;
        println!("the picture is {}", picture.display());
        Ok(())
    })
}

type Row = (String, Vec<Matrix>);

fn input() -> Tensor {
    Tensor::from_vec(&[1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0])
}

fn nearest() -> Row {
    let y = upsample_nearest2d(&input(), 2);
    let matrices = vec![matrix(&input(), "input"), matrix(&y, "output")];
    ("Nearest neighbour: each element in all places of its block".into(), matrices)
}

fn bed_of_nails() -> Row {
    let y = bed_of_nails2d(&input(), [2, 2]);
    let matrices = vec![matrix(&input(), "input"), matrix(&y, "output")];
    ("Bed of nails: each element in the first place of its block".into(), matrices)
}

fn max_unpooling() -> Row {
    let earlier = vec![1.0, 2.0, 6.0, 3.0, 3.0, 5.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 7.0, 3.0, 4.0, 8.0];
    let earlier = Tensor::from_vec(&[1, 1, 4, 4], earlier);
    let (pooled, winners) = max_pool2d_with_indices(&earlier, 2);
    let y = max_unpool2d(&input(), &winners, 2, None);
    let matrices = vec![
        matrix(&earlier, "earlier in the network"),
        matrix(&pooled, "max-pooled"),
        matrix(&input(), "input, later"),
        matrix(&y, "output"),
    ];
    ("Max-unpooling: each element where the maximum was".into(), matrices)
}

/// With a kernel that interpolates; a network learns its own.
fn transposed_convolution() -> Row {
    let kernel = vec![0.25, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25];
    let kernel = Tensor::from_vec(&[1, 1, 3, 3], kernel);
    let options = ConvOptions { stride: [2, 2], padding: 1.into(), ..Default::default() };
    let enlarged = |x: &Tensor| conv_transpose2d(x, &kernel, None, &options, [1, 1]);
    let last = Tensor::from_vec(&[1, 1, 2, 2], vec![0.0, 0.0, 0.0, 4.0]);
    let matrices = vec![
        matrix(&kernel, "kernel"),
        matrix(&input(), "input"),
        matrix(&enlarged(&last), "what the 4 adds"),
        matrix(&enlarged(&input()), "output"),
    ];
    ("Transposed convolution, 3×3, stride 2, padding 1: each element weights the kernel".into(), matrices)
}

fn matrix(x: &Tensor, caption: &str) -> Matrix {
    let plane = x.to_ndarray().into_shape_with_order((x.shape()[2], x.shape()[3]));
    let values: Array2<f32> = plane.expect("one image of one channel");
    Matrix { values: values.mapv(f64::from), caption: caption.into() }
}
