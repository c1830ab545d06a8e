//! The matrix product rows, which every Rust peer runs with its own product.

use std::rc::Rc;

use crate::data::{INPUT, fill, summary};
use crate::{Prepare, Row};

/// Name and (m, k, n) of the rows: C (m, n) = A (m, k) · B (k, n).
const SHAPES: [(&str, [usize; 3]); 5] = [
    ("gemm-256", [256, 256, 256]),
    ("gemm-512", [512, 512, 512]),
    ("gemm-1024", [1024, 1024, 1024]),
    ("gemm-64x576x12544", [64, 576, 12544]),
    ("gemm-128x128x3136", [128, 128, 3136]),
];

/// The matrix product rows, with `product([m, k, n], a, b, c)`: C ← A·B, row-major without gaps.
pub fn gemm_rows(
    product: impl Fn([usize; 3], &[f32], &[f32], &mut [f32]) + 'static,
) -> Vec<(String, Prepare)> {
    let product = Rc::new(product);
    let rows = SHAPES.iter().map(|&(name, shape)| {
        let product = product.clone();
        let prepare: Prepare = Box::new(move || prepare(shape, product.clone()));
        (name.to_owned(), prepare)
    });
    rows.collect()
}

fn prepare(shape: [usize; 3], product: Rc<impl Fn([usize; 3], &[f32], &[f32], &mut [f32]) + 'static>) -> Row {
    let [m, k, n] = shape;
    let a = fill(INPUT, m * k, 1.0);
    let b = fill(INPUT + 1, k * n, 1.0);
    let mut c = vec![0.0; m * n];
    product(shape, &a, &b, &mut c);
    let check = summary(&c).to_vec();
    Row { step: Box::new(move || product(shape, &a, &b, &mut c)), parameters: 0, check }
}
