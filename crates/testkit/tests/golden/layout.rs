//! Views, joins, padding, indexing and masks against PyTorch.

use ndarray::ArrayD;
use striate_tensor::ops::Padding;
use striate_tensor::{Real, Tensor};
use testkit::golden::{Row, check, places, row};

/// Ones and zeros from integers.
fn mask<E: Real>(ones: &ArrayD<usize>) -> Tensor<E> {
    places(ones.clone())
}

fn rows<E: Real>() -> Vec<Row<E>> {
    vec![
        row("reshape of permuted", |x, _| x[0].transpose(0, 2).reshape(&[4, -1])),
        row("flatten", |x, _| x[0].flatten(1, -1)),
        row("unsqueeze, squeeze", |x, _| x[0].unsqueeze(-1).squeeze(1)),
        row("permute", |x, _| x[0].permute(&[2, 0, 1])),
        row("t", |x, _| x[0].t()),
        row("expand", |x, _| x[0].expand(&[2, 3, 4])),
        row("repeat", |x, _| x[0].repeat(&[2, 1, 3])),
        row("slice, first axis", |x, _| x[0].slice(0, 1..4, 1)),
        row("slice, stepped middle axis", |x, _| x[0].slice(1, 1.., 3)),
        row("slice, stepped last axis, from the end", |x, _| x[0].slice(-1, ..-1, 2)),
        row("narrow, overlapping", |x, _| x[0].narrow(1, 0, 3) * x[0].narrow(1, 2, 3)),
        row("select", |x, _| x[0].select(1, -2)),
        row("split", |x, _| {
            let pieces = x[0].split(&[2, 1, 2], 1);
            &pieces[0] * &pieces[1] + &pieces[2] * 0.5
        }),
        row("chunk", |x, _| {
            let [a, _, c] = x[0].chunk(0);
            a * c
        }),
        row("chunks, uneven", |x, _| &x[0].chunks(2, 1)[1] * 2.0),
        row("concat", |x, _| Tensor::concat(&[&x[0], &x[1], &x[2]], -1)),
        row("stack", |x, _| Tensor::stack(&[&x[0], &x[1]], 1)),
        row("pad, constant", |x, _| x[0].pad(&[(0, 0), (0, 0), (0, 3), (2, 1)], Padding::Constant(-1.5))),
        row("pad, reflect", |x, _| x[0].pad(&[(0, 0), (0, 0), (2, 0), (3, 1)], Padding::Reflect)),
        row("pad, replicate", |x, _| x[0].pad(&[(0, 0), (0, 0), (2, 6), (3, 1)], Padding::Replicate)),
        row("pad, reflect, one axis", |x, _| x[0].pad(&[(0, 0), (0, 0), (4, 4)], Padding::Reflect)),
        row("flip", |x, _| x[0].flip(&[0, -1])),
        row("roll", |x, _| x[0].roll(2, 1)),
        row("roll, back", |x, _| x[0].roll(-7, 0)),
        row("tril", |x, _| x[0].tril(1)),
        row("triu", |x, _| x[0].triu(-1)),
        row("diagonal", |x, _| x[0].diagonal(0, 1)),
        row("diagonal, batched", |x, _| x[0].diagonal(1, 2)),
        row("trace", |x, _| x[0].trace()),
        row("where", |x, i| x[0].where_(&mask(&i[0]), &x[1])),
        row("where, broadcast mask", |x, i| x[0].where_(&mask(&i[0]).narrow(1, 0, 1), &x[1])),
        row("masked_fill", |x, i| x[0].masked_fill(&mask(&i[0]), -2.5)),
        row("gather, last axis", |x, i| x[0].gather(1, &i[0])),
        row("gather, first axis", |x, i| x[0].gather(0, &i[0])),
        row("scatter_add, last axis", |x, i| x[0].scatter_add(1, &i[0], &x[1])),
        row("scatter_add, first axis", |x, i| x[0].scatter_add(0, &i[0], &x[1])),
        row("index_select", |x, i| x[0].index_select(1, i[0].as_slice().unwrap())),
        row("index_add", |x, i| x[0].index_add(1, i[0].as_slice().unwrap(), &x[1])),
        row("embedding", |x, i| x[0].embedding(&i[0])),
        row("one_hot", |_, i| Tensor::one_hot(&i[0], 4)),
    ]
}

#[test]
fn layout() {
    check("layout", &rows::<f64>());
    check("layout", &rows::<f32>());
}
