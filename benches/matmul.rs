//! f32 products of a layer's shapes, beside the `gemm` crate and `matrixmultiply` on the same threads;
//! throughput counts multiplications and additions.
//!
//! `serial` rows hold the kernels against each other, the others what a caller gets from two threads.

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use striate_compute::gemm::{Mat, MatMut, Packed, gemm, gemm_serial};
use striate_compute::par;

/// Whether a factor is the transpose of a row-major matrix.
type Transposed = bool;

fn matmul(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul");
    for size in [256, 512, 1024] {
        product(&mut group, &format!("{size}³"), [size; 3], false, false);
    }
    product(&mut group, "64×576×12544", [64, 576, 12544], false, false);
    product(&mut group, "128×128×3136", [128, 128, 3136], false, false);
    for batch in [1, 8, 128] {
        for (inputs, outputs) in [(784, 512), (512, 256), (256, 10)] {
            let name = |what: &str| format!("{inputs}→{outputs} batch {batch} {what}");
            product(&mut group, &name("forward"), [batch, inputs, outputs], false, true);
            product(&mut group, &name("dx"), [batch, outputs, inputs], false, false);
            product(&mut group, &name("dW"), [outputs, batch, inputs], true, false);
        }
    }
    group.finish();
}

fn product(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    [m, k, n]: [usize; 3],
    a_t: Transposed,
    b_t: Transposed,
) {
    let (a, b) = (numbers(m * k), numbers(k * n));
    let (a, b) = (view(&a, m, k, a_t), view(&b, k, n, b_t));
    let (left, right) = (Packed::left(a), Packed::right(b));
    let mut c = vec![0.0; m * n];
    group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
    let mut case = |by: &str, f: &(dyn Fn(&mut [f32]) + Sync)| {
        group.bench_function(format!("{name}/{by}"), |b| par::install(|| b.iter(|| f(black_box(&mut c)))));
    };
    case("striate", &|c| gemm(a, b, 0.0, c));
    case("striate packed", &|c| gemm(&left, &right, 0.0, c));
    case("gemm", &|c| gemm_crate(a, b, c, gemm_crate::Parallelism::Rayon(0)));
    case("matrixmultiply", &|c| matrixmultiply_blocks(a, b, c));
    case("serial striate", &|c| gemm_serial(a, b, 0.0, MatMut::new(c, m, n)));
    case("serial gemm", &|c| gemm_crate(a, b, c, gemm_crate::Parallelism::None));
    case("serial matrixmultiply", &|c| matrixmultiply(a, b, c.as_mut_ptr(), n));
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i % 101) as f32 / 101.0 - 0.5).collect()
}

fn view(data: &[f32], rows: usize, cols: usize, transposed: bool) -> Mat<'_, f32> {
    if transposed { Mat::new(data, cols, rows).t() } else { Mat::new(data, rows, cols) }
}

fn gemm_crate(a: Mat<f32>, b: Mat<f32>, c: &mut [f32], parallelism: gemm_crate::Parallelism) {
    let [ar, ac, br, bc] = [a.row_stride, a.col_stride, b.row_stride, b.col_stride].map(|s| s as isize);
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert_eq!(c.len(), m * n);
    let (a, b, c) = (a.data.as_ptr(), b.data.as_ptr(), c.as_mut_ptr());
    let (zero, one) = (0.0_f32, 1.0);
    // SAFETY: shapes and strides are those of `product`.
    unsafe {
        gemm_crate::gemm(
            m,
            n,
            k,
            c,
            1,
            n as isize,
            false,
            a,
            ac,
            ar,
            b,
            bc,
            br,
            zero,
            one,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// About a quarter of the longer side of C per task.
fn matrixmultiply_blocks(a: Mat<f32>, b: Mat<f32>, c: &mut [f32]) {
    struct Shared(*mut f32);
    // SAFETY: tasks write different blocks.
    unsafe impl Sync for Shared {}
    impl Shared {
        fn at(&self, offset: usize) -> *mut f32 {
            self.0.wrapping_add(offset)
        }
    }
    let (m, n) = (a.rows, b.cols);
    let side =
        if m * n * a.cols < 1 << 18 { m.max(n) } else { (m.max(n) / 4).clamp(64, 256).next_multiple_of(16) };
    let (down, across) = (m.div_ceil(side), n.div_ceil(side));
    let c = Shared(c.as_mut_ptr());
    par::each(down * across, |task| {
        let (i, j) = (task / across * side, task % across * side);
        let a = Mat { data: &a.data[i * a.row_stride..], rows: side.min(m - i), ..a };
        let b = Mat { data: &b.data[j * b.col_stride..], cols: side.min(n - j), ..b };
        matrixmultiply(a, b, c.at(i * n + j), n);
    });
}

fn matrixmultiply(a: Mat<f32>, b: Mat<f32>, c: *mut f32, c_row: usize) {
    let [ar, ac, br, bc, cr] =
        [a.row_stride, a.col_stride, b.row_stride, b.col_stride, c_row].map(|s| s as isize);
    let (a_data, b_data) = (a.data.as_ptr(), b.data.as_ptr());
    // SAFETY: the block lies within C, as `product` and `matrixmultiply_blocks` see to.
    unsafe {
        matrixmultiply::sgemm(a.rows, a.cols, b.cols, 1.0, a_data, ar, ac, b_data, br, bc, 0.0, c, cr, 1)
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_millis(200)).measurement_time(std::time::Duration::from_millis(500));
    targets = matmul
}
criterion_main!(benches);
