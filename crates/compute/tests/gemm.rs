//! What callers of `gemm` rely on, through the public interface alone.

use striate_compute::gemm::{Mat, MatMut, Packed, gemm, gemm_into, gemm_serial};
use striate_compute::pool;

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0 - 0.5).collect()
}

#[test]
fn blocks_of_c_may_be_filled_separately() {
    let (a, b) = (numbers(20 * 30), numbers(30 * 50));
    let (a, b) = (Mat::new(&a, 20, 30), Mat::new(&b, 30, 50));
    let mut whole = vec![0.0; 20 * 50];
    gemm(a, b, 0.0, &mut whole);

    let mut parts = vec![f32::NAN; 20 * 50];
    let (top, bottom) = MatMut::new(&mut parts, 20, 50).split_rows(7);
    let (left, right) = bottom.split_cols(33);
    let rows = |from: usize, rows: usize| Mat { data: &a.data[from * 30..], rows, ..a };
    let cols = |from: usize, cols: usize| Mat { data: &b.data[from..], cols, ..b };
    gemm_serial(rows(0, 7), b, 0.0, top);
    gemm_serial(rows(7, 13), cols(0, 33), 0.0, left);
    gemm_into(rows(7, 13), cols(33, 17), 0.0, right);
    for (part, whole) in parts.iter().zip(&whole) {
        assert!((part - whole).abs() < 1e-5);
    }
}

#[test]
fn splits_at_the_ends_are_empty() {
    let mut c = [1.0f32; 6];
    let (none, all) = MatMut::new(&mut c, 2, 3).split_rows(0);
    gemm_serial(Mat::new(&[], 0, 0), Mat::new(&[], 0, 3), 0.0, none);
    let (all, none) = all.split_rows(2);
    gemm_serial(Mat::new(&[], 0, 0), Mat::new(&[], 0, 3), 0.0, none);
    let (all, none) = all.split_cols(3);
    gemm_serial(Mat::new(&[], 2, 0), Mat::new(&[], 0, 0), 0.0, none);
    gemm_serial(Mat::new(&[], 2, 0), Mat::new(&[], 0, 3), 0.0, all);
    assert_eq!(c, [0.0; 6]);
}

#[test]
fn packed_factors_give_the_same_product() {
    let (a, b) = (numbers(70 * 300), numbers(300 * 90));
    let (a, b) = (Mat::new(&a, 70, 300), Mat::new(&b, 90, 300).t());
    let (left, right) = (Packed::left(a), Packed::right(b));
    let (mut plain, mut packed) = (vec![0.0; 70 * 90], vec![0.0; 70 * 90]);
    gemm(a, b, 0.0, &mut plain);
    gemm(&left, &right, 0.0, &mut packed);
    for (packed, plain) in packed.iter().zip(&plain) {
        assert!((packed - plain).abs() < 1e-4);
    }
}

#[test]
fn a_steady_state_takes_no_fresh_memory() {
    let (a, b) = (numbers(300 * 300), numbers(300 * 300));
    let mut c = vec![0.0; 300 * 300];
    let mut product = || gemm(Mat::new(&a, 300, 300).t(), Mat::new(&b, 300, 300), 1.0, &mut c);
    (0..20).for_each(|_| product());
    let before = pool::fresh();
    (0..20).for_each(|_| product());
    assert!(pool::fresh() - before <= 1, "scratch is pooled");
}

#[test]
#[should_panic(expected = "gemm: shapes do not fit: a [2, 3], b [2, 2], c [2, 2]")]
fn inner_sizes_that_differ() {
    gemm(Mat::new(&[0.0f32; 6], 2, 3), Mat::new(&[0.0; 4], 2, 2), 0.0, &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "gemm: b [3, 2] with strides [2, 1] does not fit in 5 elements")]
fn a_short_slice() {
    gemm(Mat::new(&[0.0f32; 6], 2, 3), Mat::new(&[0.0; 5], 3, 2), 0.0, &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "gemm: c [2, 2] with row stride 2 does not fit in 3 elements")]
fn a_short_c() {
    gemm(Mat::new(&[0.0f32; 6], 2, 3), Mat::new(&[0.0; 6], 3, 2), 0.0, &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "does not fit in 1 elements")]
fn sizes_that_overflow() {
    let a = Mat { data: &[0.0f32], rows: 1, cols: usize::MAX, row_stride: 0, col_stride: usize::MAX };
    let b = Mat { data: &[0.0], rows: usize::MAX, cols: 1, row_stride: 0, col_stride: 0 };
    gemm(a, b, 0.0, &mut [0.0]);
}

#[test]
#[should_panic(expected = "gemm: rows of c overlap")]
fn rows_of_c_that_overlap() {
    MatMut::with_stride(&mut [0.0f32; 9], 3, 3, 2);
}

#[test]
#[should_panic(expected = "gemm: a is packed for the other side")]
fn a_packed_factor_on_the_wrong_side() {
    let right = Packed::right(Mat::new(&[1.0f32], 1, 1));
    gemm(&right, Mat::new(&[1.0], 1, 1), 0.0, &mut [0.0]);
}
