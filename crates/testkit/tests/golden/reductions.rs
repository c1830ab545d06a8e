//! Reductions and matrix products against PyTorch.

use striate_tensor::Real;
use striate_tensor::ops::{VarOptions, einsum};
use testkit::golden::{Row, check, places, row};

const fn corrected(correction: f64) -> VarOptions {
    VarOptions { correction, keepdim: false }
}

const KEPT: VarOptions = VarOptions { correction: 1.0, keepdim: true };

fn reductions<E: Real>() -> Vec<Row<E>> {
    vec![
        row("sum, all", |x, _| x[0].sum()),
        row("sum, outer axes", |x, _| x[0].sum_dim(&[0, 2], false)),
        row("sum, middle, kept", |x, _| x[0].sum_dim(&[-2], true)),
        row("mean, all", |x, _| x[0].mean()),
        row("mean, outer axes, kept", |x, _| x[0].mean_dim(&[0, -1], true)),
        row("sum_to", |x, _| x[0].sum_to(&[4, 1])),
        row("var, all", |x, _| x[0].var()),
        row("var, middle, correction 0", |x, _| x[0].var_dim(&[1], corrected(0.0))),
        row("var, middle, correction 1", |x, _| x[0].var_dim(&[1], corrected(1.0))),
        row("var, middle, correction 2", |x, _| x[0].var_dim(&[1], corrected(2.0))),
        row("var, outer axes, kept", |x, _| x[0].var_dim(&[2, 0], KEPT)),
        row("var, far from zero", |x, _| x[0].var_dim(&[1], corrected(0.0)).square()).f32_within(1e-4),
        row("std, all", |x, _| x[0].std()),
        row("std, middle, correction 0", |x, _| x[0].std_dim(&[1], corrected(0.0))),
        row("std, middle, correction 1", |x, _| x[0].std_dim(&[1], corrected(1.0))),
        row("std, middle, correction 2", |x, _| x[0].std_dim(&[1], corrected(2.0))),
        row("std, outer axes, kept", |x, _| x[0].std_dim(&[2, 0], KEPT)),
        row("norm_dim 0.5", |x, _| x[0].norm_dim(0.5, &[1], false)).f32_within(4e-6),
        row("norm_dim 1", |x, _| x[0].norm_dim(1.0, &[1], false)),
        row("norm_dim 2", |x, _| x[0].norm_dim(2.0, &[1], false)),
        row("norm_dim 3", |x, _| x[0].norm_dim(3.0, &[1], false)),
        row("norm_dim inf", |x, _| x[0].norm_dim(f64::INFINITY, &[1], false)),
        row("norm_dim -inf", |x, _| x[0].norm_dim(f64::NEG_INFINITY, &[1], false)),
        row("norm_dim 2, outer axes, kept", |x, _| x[0].norm_dim(2.0, &[0, 2], true)),
        row("norm_dim 0", |x, _| x[0].norm_dim(0.0, &[1], false)),
        row("norm", |x, _| x[0].norm()),
        row("amax, outer axes, kept", |x, _| x[0].amax(&[0, 2], true)),
        row("amin, middle", |x, _| x[0].amin(&[1], false)),
        row("max_dim, middle", |x, _| x[0].max_dim(1, false).0),
        row("max_dim, last, kept, indices", |x, _| places(x[0].max_dim(-1, true).1)),
        row("min_dim, first", |x, _| x[0].min_dim(0, false).0),
        row("min_dim, first, indices", |x, _| places(x[0].min_dim(0, false).1)),
        row("argmax", |x, _| places(ndarray::arr0(x[0].argmax()).into_dyn())),
        row("argmin", |x, _| places(ndarray::arr0(x[0].argmin()).into_dyn())),
        row("argmax_dim, middle", |x, _| places(x[0].argmax_dim(1, false))),
        row("argmin_dim, last, kept", |x, _| places(x[0].argmin_dim(2, true))),
        row("softmax, axis 0", |x, _| x[0].softmax(0)),
        row("softmax, axis 1", |x, _| x[0].softmax(1)),
        row("softmax, axis 2", |x, _| x[0].softmax(2)),
        row("softmax, wide", |x, _| x[0].softmax(-1)),
        row("log_softmax, axis 0", |x, _| x[0].log_softmax(0)),
        row("log_softmax, axis 1", |x, _| x[0].log_softmax(1)),
        row("log_softmax, axis 2", |x, _| x[0].log_softmax(2)),
        row("log_softmax, wide", |x, _| x[0].log_softmax(-1)),
        row("logsumexp, wide", |x, _| x[0].logsumexp(&[1], false)),
        row("logsumexp, middle, kept", |x, _| x[0].logsumexp(&[1], true)),
        row("logsumexp, outer axes", |x, _| x[0].logsumexp(&[0, 2], false)),
        row("cumsum, axis 0", |x, _| x[0].cumsum(0)),
        row("cumsum, axis 1", |x, _| x[0].cumsum(1)),
        row("cumsum, axis 2", |x, _| x[0].cumsum(2)),
    ]
}

#[test]
fn reductions_along_axes() {
    check("reductions", &reductions::<f64>());
    check("reductions", &reductions::<f32>());
}

fn products<E: Real>() -> Vec<Row<E>> {
    vec![
        row("matmul, matrices", |x, _| x[0].matmul(&x[1])),
        row("matmul, odd sizes", |x, _| x[0].matmul(&x[1])).f32_within(4e-6),
        row("matmul, transposed", |x, _| x[0].t().matmul(&x[1].t())),
        row("matmul, vector by matrix", |x, _| x[0].matmul(&x[1])),
        row("matmul, matrix by vector", |x, _| x[0].matmul(&x[1])),
        row("matmul, vectors", |x, _| x[0].matmul(&x[1])),
        row("matmul, batched", |x, _| x[0].matmul(&x[1])),
        row("matmul, batch by matrix", |x, _| x[0].matmul(&x[1])),
        row("matmul, matrix by batch", |x, _| x[0].matmul(&x[1])),
        row("matmul, both broadcast", |x, _| x[0].matmul(&x[1])),
        row("matmul, vector by batch", |x, _| x[0].matmul(&x[1])),
        row("outer", |x, _| x[0].outer(&x[1])),
        row("dot", |x, _| x[0].dot(&x[1])),
        row("einsum bij,bjk->bik", |x, _| einsum("bij,bjk->bik", &[&x[0], &x[1]])),
        row("einsum ij,kj->ik", |x, _| einsum("ij,kj->ik", &[&x[0], &x[1]])),
        row("einsum ij,ij->", |x, _| einsum("ij,ij->", &[&x[0], &x[1]])),
        row("einsum i,j->ji", |x, _| einsum("i,j->ji", &[&x[0], &x[1]])),
        row("einsum ijk->k", |x, _| einsum("ijk->k", &[&x[0]])),
        row("einsum ij->ji", |x, _| einsum("ij->ji", &[&x[0]])),
        row("einsum ii", |x, _| einsum("ii", &[&x[0]])),
        row("einsum bii->bi", |x, _| einsum("bii->bi", &[&x[0]])),
        row("einsum abc,cd,bd->a", |x, _| einsum("abc,cd,bd->a", &[&x[0], &x[1], &x[2]])),
        row("einsum bhqd,bhkd->bhqk", |x, _| einsum("bhqd,bhkd->bhqk", &[&x[0], &x[1]])),
        row("einsum ba,ca", |x, _| einsum("ba,ca", &[&x[0], &x[1]])),
    ]
}

#[test]
fn matrix_products() {
    check("products", &products::<f64>());
    check("products", &products::<f32>());
}
