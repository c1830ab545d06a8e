//! Convolution as the product with its sparse matrix, image by image: for understanding, not for speed.

use striate_compute::Real;

use super::reference::scale;
use crate::Geometry;
use crate::matrix::{SparseMatrix, convolution_matrix};

fn matrix<E: Real>(g: &Geometry, w: &[E]) -> SparseMatrix<E> {
    convolution_matrix(g, w).expect("the algorithm supports the geometry")
}

fn add<E: Real>(values: &[E], beta: E, to: &mut [E]) {
    scale(to, beta);
    to.iter_mut().zip(values).for_each(|(to, &value)| *to += value);
}

/// vec(y) ← β·vec(y) + W · vec(x), without the bias
pub(super) fn forward<E: Real>(g: &Geometry, x: &[E], w: &[E], beta: E, y: &mut [E]) {
    let matrix = matrix(g, w);
    for n in 0..g.batch {
        let image = matrix.matvec(&x[n * matrix.columns()..][..matrix.columns()]);
        add(&image, beta, &mut y[n * matrix.rows()..][..matrix.rows()]);
    }
}

/// vec(dx) ← β·vec(dx) + Wᵀ · vec(dy), without a bias
pub(super) fn input_gradient<E: Real>(g: &Geometry, w: &[E], dy: &[E], beta: E, dx: &mut [E]) {
    let matrix = matrix(g, w);
    for n in 0..g.batch {
        let image = matrix.transpose_matvec(&dy[n * matrix.rows()..][..matrix.rows()]);
        add(&image, beta, &mut dx[n * matrix.columns()..][..matrix.columns()]);
    }
}

/// dw ← β·dw + the sum, for each weight, of vec(dy) vec(x)ᵀ over its places in the matrix
pub(super) fn weight_gradient<E: Real>(g: &Geometry, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    scale(dw, beta);
    // Numbers from 1 on in place of weights, f64 so that they are exact: the matrix then shows whose place is whose.
    let numbers: Vec<f64> = (1..=dw.len()).map(|i| i as f64).collect();
    let matrix = matrix(g, &numbers);
    for n in 0..g.batch {
        let x = &x[n * matrix.columns()..][..matrix.columns()];
        let dy = &dy[n * matrix.rows()..][..matrix.rows()];
        for (r, &dy) in dy.iter().enumerate() {
            for (column, number) in matrix.row(r) {
                dw[number as usize - 1] += dy * x[column];
            }
        }
    }
}
