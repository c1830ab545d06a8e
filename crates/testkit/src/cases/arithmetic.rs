//! Arithmetic, sums, views and matrix products.

use crate::Case;
use crate::gradcheck::{positive, values};

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    vec![
        case("add", "same shape", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| &x[0] + &x[1]),
        case("add", "row", vec![values(&[2, 3], 1), values(&[3], 2)], |x| &x[0] + &x[1]),
        case("sub", "column", vec![values(&[2, 3], 1), values(&[2, 1], 2)], |x| &x[0] - &x[1]),
        case("sub", "both broadcast", vec![values(&[3, 1, 2], 1), values(&[4, 1], 2)], |x| &x[0] - &x[1]),
        case("mul", "same shape", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| &x[0] * &x[1]),
        case("mul", "scalar tensor", vec![values(&[2, 3], 1), values(&[], 2)], |x| &x[0] * &x[1]),
        case("div", "same shape", vec![values(&[2, 3], 1), positive(&[2, 3], 2)], |x| &x[0] / &x[1]),
        case("div", "row by column", vec![values(&[3], 1), positive(&[2, 1], 2)], |x| &x[0] / &x[1]),
        case("affine", "numbers", vec![values(&[2, 3], 1)], |x| 1.0 - &x[0] * 2.5 + 0.5),
        case("sum", "all", vec![values(&[2, 3], 1)], |x| x[0].sum()),
        case("sum", "outer axes", vec![values(&[2, 3, 4], 1)], |x| x[0].sum_dim(&[0, 2], false)),
        case("sum", "middle, kept", vec![values(&[2, 3, 4], 1)], |x| x[0].sum_dim(&[-2], true)),
        case("reshape", "after permute", vec![values(&[2, 3, 4], 1)], |x| {
            x[0].transpose(0, 2).reshape(&[4, -1])
        }),
        case("permute", "three axes", vec![values(&[2, 3, 4], 1)], |x| x[0].permute(&[2, 0, 1])),
        case("expand", "new and old axis", vec![values(&[3, 1], 1)], |x| x[0].expand(&[2, 3, 4])),
        case("matmul", "matrices", vec![values(&[2, 3], 1), values(&[3, 4], 2)], |x| x[0].matmul(&x[1])),
        case("matmul", "transposed", vec![values(&[3, 2], 1), values(&[4, 3], 2)], |x| {
            x[0].t().matmul(&x[1].t())
        }),
        case("matmul", "batch by matrix", vec![values(&[2, 3, 4], 1), values(&[4, 2], 2)], |x| {
            x[0].matmul(&x[1])
        }),
        case("matmul", "both broadcast", vec![values(&[2, 1, 3, 4], 1), values(&[3, 4, 2], 2)], |x| {
            x[0].matmul(&x[1])
        }),
        case("matmul", "vectors", vec![values(&[3], 1), values(&[3], 2)], |x| x[0].matmul(&x[1])),
    ]
}
