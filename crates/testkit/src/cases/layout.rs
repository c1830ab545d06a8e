//! Views, joins, padding, indexing, masks, diagonals and einsum.

use ndarray::array;
use striate_tensor::Tensor;
use striate_tensor::ops::{Padding, einsum};

use crate::Case;
use crate::gradcheck::values;

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    vec![
        case("reshape", "flatten", vec![values(&[2, 3, 4], 1)], |x| x[0].flatten(1, -1)),
        case("reshape", "unsqueeze, squeeze", vec![values(&[2, 1, 3], 1)], |x| x[0].unsqueeze(-1).squeeze(1)),
        case("reshape", "repeat", vec![values(&[2, 3], 1)], |x| x[0].repeat(&[2, 1, 3])),
        case("slice", "first axis", vec![values(&[5, 3], 1)], |x| x[0].slice(0, 1..4, 1)),
        case("slice", "stepped middle axis", vec![values(&[2, 7, 3], 1)], |x| x[0].slice(1, 1.., 3)),
        case("slice", "stepped last axis", vec![values(&[3, 7], 1)], |x| x[0].slice(-1, ..-1, 2)),
        case("slice", "vector, stepped", vec![values(&[7], 1)], |x| x[0].slice(0, 1..6, 2)),
        case("slice", "narrow, overlapping", vec![values(&[2, 5], 1)], |x| {
            x[0].narrow(1, 0, 3) * x[0].narrow(1, 2, 3)
        }),
        case("slice", "select", vec![values(&[3, 4, 2], 1)], |x| x[0].select(1, -2)),
        case("slice", "empty", vec![values(&[3, 4], 1)], |x| x[0].narrow(1, 2, 0)),
        case("split", "all pieces", vec![values(&[2, 5, 3], 1)], |x| {
            let pieces = x[0].split(&[2, 1, 2], 1);
            &pieces[0] * &pieces[1] + &pieces[2] * 0.5
        }),
        case("split", "unused piece", vec![values(&[6, 2], 1)], |x| {
            let [a, _, c] = x[0].chunk(0);
            a * c
        }),
        case("split", "chunks, input used beside", vec![values(&[2, 5], 1)], |x| {
            let pieces = x[0].chunks(2, 1);
            pieces[0].slice(1, ..2, 1) * &pieces[1] + x[0].sum()
        }),
        case(
            "concat",
            "three, last axis",
            vec![values(&[2, 3], 1), values(&[2, 1], 2), values(&[2, 2], 3)],
            |x| Tensor::concat(&[&x[0], &x[1], &x[2]], -1),
        ),
        case("concat", "first axis, one twice", vec![values(&[2, 3], 1), values(&[1, 3], 2)], |x| {
            Tensor::concat(&[&x[0], &x[1], &x[0]], 0)
        }),
        case("concat", "stack", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            Tensor::stack(&[&x[0], &x[1]], 1)
        }),
        case("pad", "constant", vec![values(&[2, 3, 2], 1)], |x| {
            x[0].pad(&[(1, 0), (0, 2), (2, 1)], Padding::Constant(0.5))
        }),
        case("index_select", "pad, reflect", vec![values(&[2, 3, 4], 1)], |x| {
            x[0].pad(&[(0, 0), (2, 1), (1, 3)], Padding::Reflect)
        }),
        case("index_select", "pad, replicate", vec![values(&[2, 3], 1)], |x| {
            x[0].pad(&[(1, 2), (2, 0)], Padding::Replicate)
        }),
        case("index_select", "rows, one twice", vec![values(&[4, 3], 1)], |x| {
            x[0].index_select(0, &[2, 0, 2])
        }),
        case("index_select", "middle axis", vec![values(&[2, 4, 3], 1)], |x| {
            x[0].index_select(1, &[3, 3, 1])
        }),
        case("index_select", "last axis", vec![values(&[2, 4], 1)], |x| x[0].index_select(-1, &[1, 1, 0])),
        case("index_select", "embedding", vec![values(&[4, 3], 1)], |x| {
            x[0].embedding(&array![[0usize, 2], [2, 3]])
        }),
        case("index_select", "flip and roll", vec![values(&[3, 4], 1)], |x| {
            x[0].flip(&[]) * x[0].roll(-1, 1)
        }),
        case("index_add", "rows", vec![values(&[4, 2], 1), values(&[3, 2], 2)], |x| {
            x[0].index_add(0, &[1, 3, 1], &x[1])
        }),
        case("index_add", "last axis", vec![values(&[2, 3], 1), values(&[2, 4], 2)], |x| {
            x[0].index_add(1, &[0, 2, 2, 1], &x[1])
        }),
        case("gather", "last axis", vec![values(&[2, 3], 1)], |x| {
            x[0].gather(1, &array![[2usize, 0, 2, 1], [1, 1, 0, 0]])
        }),
        case("gather", "first axis, fewer columns", vec![values(&[3, 4], 1)], |x| {
            x[0].gather(0, &array![[2usize, 0, 2], [1, 1, 0]])
        }),
        case("gather", "middle axis", vec![values(&[2, 3, 2], 1)], |x| {
            x[0].gather(1, &array![[[2usize, 0]], [[1, 2]]])
        }),
        case("scatter_add", "last axis", vec![values(&[2, 3], 1), values(&[2, 4], 2)], |x| {
            x[0].scatter_add(1, &array![[2usize, 0, 2, 1], [1, 1, 0, 0]], &x[1])
        }),
        case("scatter_add", "first axis", vec![values(&[3, 4], 1), values(&[2, 3], 2)], |x| {
            x[0].scatter_add(0, &array![[2usize, 0, 2], [1, 1, 0]], &x[1])
        }),
        case("where_", "one shape", vec![values(&[2, 3], 1), values(&[2, 3], 2)], |x| {
            let mask = Tensor::mask(&array![[true, false, true], [false, false, true]]);
            x[0].where_(&mask, &x[1])
        }),
        case("where_", "all broadcast", vec![values(&[2, 1, 3], 1), values(&[4, 1], 2)], |x| {
            x[0].where_(&Tensor::mask(&array![[true, false, true]]), &x[1])
        }),
        case("where_", "masked_fill", vec![values(&[2, 3], 1)], |x| {
            x[0].masked_fill(&Tensor::mask(&array![[true], [false]]), 2.0)
        }),
        case("where_", "tril, triu", vec![values(&[2, 3, 4], 1)], |x| x[0].tril(1) * x[0].triu(-1)),
        case("diagonal", "square", vec![values(&[3, 3], 1)], |x| x[0].diagonal(0, 1)),
        case("diagonal", "wide, outer axes", vec![values(&[2, 3, 4], 1)], |x| x[0].diagonal(0, -1)),
        case("diagonal", "tall, last axes", vec![values(&[2, 4, 3], 1)], |x| x[0].diagonal(-2, -1)),
        case("diagonal", "trace", vec![values(&[3, 4], 1)], |x| x[0].trace()),
        case("mul", "outer", vec![values(&[3], 1), values(&[2], 2)], |x| x[0].outer(&x[1])),
        case("matmul", "dot", vec![values(&[3], 1), values(&[3], 2)], |x| x[0].dot(&x[1])),
        case("matmul", "einsum, batch", vec![values(&[2, 3, 4], 1), values(&[2, 4, 5], 2)], |x| {
            einsum("bij,bjk->bik", &[&x[0], &x[1]])
        }),
        case(
            "matmul",
            "einsum, two sums, permuted",
            vec![values(&[4, 2, 3], 1), values(&[3, 5, 4], 2)],
            |x| einsum("jbi,ikj->kb", &[&x[0], &x[1]]),
        ),
        case("mul", "einsum, no sum", vec![values(&[2, 3], 1), values(&[3, 4], 2)], |x| {
            einsum("ij,jk->kji", &[&x[0], &x[1]])
        }),
        case("sum", "einsum, one operand", vec![values(&[2, 3, 2], 1)], |x| einsum("iji->j", &[&x[0]])),
        case(
            "matmul",
            "einsum, three operands",
            vec![values(&[2, 3], 1), values(&[3, 4], 2), values(&[4, 2], 3)],
            |x| einsum("ij,jk,kl", &[&x[0], &x[1], &x[2]]),
        ),
    ]
}
