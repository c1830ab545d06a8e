//! Every kernel against the definition of a product, in f64.

use super::packed::Side;
use super::*;

/// The kernels of this CPU.
fn isas() -> impl Iterator<Item = Isa> {
    [Isa::Portable, Isa::Avx2, Isa::Avx512].into_iter().filter(|&i| i <= isa())
}

/// A small deterministic generator: xorshift.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
    fn fill<E: Real>(&mut self, len: usize) -> Vec<E> {
        (0..len).map(|_| E::of((self.next() >> 40) as f64 / (1u64 << 23) as f64 - 1.0)).collect()
    }
}

/// One product to check. Layouts: 0 row-major, 1 column-major, 2 gaps in both, 3 broadcast row, 4 broadcast column.
#[derive(Clone, Copy, Debug)]
struct Case {
    m: usize,
    k: usize,
    n: usize,
    layout_a: usize,
    layout_b: usize,
    beta: f64,
    gap: usize,
}

/// A matrix whose slice ends with its last element, so that reading beyond is seen by a sanitizer.
fn matrix<E: Real>(rng: &mut Rng, rows: usize, cols: usize, layout: usize) -> (Vec<E>, usize, usize) {
    let (row_stride, col_stride) = match layout {
        0 => (cols, 1),
        1 => (1, rows),
        2 => (2 * cols + 3, 2),
        3 => (0, 1),
        _ => (1, 0),
    };
    let len = if rows * cols == 0 { 0 } else { (rows - 1) * row_stride + (cols - 1) * col_stride + 1 };
    (rng.fill(len), row_stride, col_stride)
}

/// C and the bound Σ|a||b| + |β c| that errors scale with.
fn reference<E: Real>(a: &Mat<E>, b: &Mat<E>, beta: f64, c: &[E], c_row: usize) -> Vec<(f64, f64)> {
    let mut out = Vec::new();
    for i in 0..a.rows {
        for j in 0..b.cols {
            let old = if beta == 0.0 { 0.0 } else { beta * c[i * c_row + j].f64() };
            let (mut sum, mut size) = (old, old.abs());
            for p in 0..a.cols {
                let x = a.data[i * a.row_stride + p * a.col_stride].f64();
                let y = b.data[p * b.row_stride + j * b.col_stride].f64();
                sum += x * y;
                size += (x * y).abs();
            }
            out.push((sum, size));
        }
    }
    out
}

fn check_case<E: Real>(isa: Isa, seed: u64, case: Case) {
    let Case { m, k, n, layout_a, layout_b, beta, gap } = case;
    let mut rng = Rng(seed);
    let (a, ar, ac) = matrix::<E>(&mut rng, m, k, layout_a);
    let (b, br, bc) = matrix::<E>(&mut rng, k, n, layout_b);
    let a = Mat { data: &a, rows: m, cols: k, row_stride: ar, col_stride: ac };
    let b = Mat { data: &b, rows: k, cols: n, row_stride: br, col_stride: bc };
    let c_row = n + gap;
    let len = if m * n == 0 { 0 } else { (m - 1) * c_row + n };
    let mut before: Vec<E> = rng.fill(len);
    if beta == 0.0 {
        before.fill(E::NAN);
    }
    let want = reference(&a, &b, beta, &before, c_row);
    let (left, right) = (Packed::new(a, Side::Left, isa), Packed::new(b, Side::Right, isa));
    let b_in_place = if bc == 1 { Operand::InPlace(b) } else { b.into() };
    let starts: Vec<usize> = (0..k).map(|p| p * br).collect();
    let b_rows = if bc == 1 { Operand::Rows { data: b.data, starts: &starts, cols: n } } else { b.into() };
    let ways: [(Operand<E>, Operand<E>, bool); 9] = [
        (a.into(), b.into(), true),
        (a.into(), b.into(), false),
        ((&left).into(), b.into(), true),
        (a.into(), (&right).into(), true),
        ((&left).into(), (&right).into(), false),
        ((&left).into(), b_in_place, false),
        (Operand::InPlace(a), (&right).into(), true),
        ((&left).into(), b_rows, false),
        (a.into(), b_rows, true),
    ];
    let mut first_bits = None;
    for (way, (a, b, parallel)) in ways.into_iter().enumerate() {
        let mut c = before.clone();
        run(isa, a, b, E::of(beta), MatMut::with_stride(&mut c, m, n, c_row), parallel);
        for i in 0..m {
            for j in 0..n {
                let (want, size) = want[i * n + j];
                let bound = (k + 2) as f64 * E::EPSILON.f64() * size + f64::MIN_POSITIVE;
                let got = c[i * c_row + j].f64();
                assert!(
                    (got - want).abs() <= bound,
                    "{isa:?} {case:?} way {way}: ({i}, {j}) is {got}, not {want}"
                );
            }
            for j in n..c_row {
                if let (Some(now), Some(then)) = (c.get(i * c_row + j), before.get(i * c_row + j)) {
                    assert_eq!(
                        format!("{now:?}"),
                        format!("{then:?}"),
                        "{isa:?} {case:?} way {way}: wrote between rows"
                    );
                }
            }
        }
        if way < 2 {
            let bits: Vec<u8> = bytemuck::cast_slice(&c).to_vec();
            let first = first_bits.get_or_insert_with(|| bits.clone());
            assert!(*first == bits, "{isa:?} {case:?}: serial and parallel bits differ");
        }
    }
}

#[test]
fn seeded_sweep_over_shapes_strides_and_betas() {
    let mut rng = Rng(0x5eed);
    let sizes = [
        1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 64, 65,
        97,
    ];
    let count = if cfg!(miri) { 5 } else { 600 };
    for round in 0..count {
        let mut size = || rng.pick(&sizes);
        let (mut m, mut k, mut n) = (size(), size(), size());
        match rng.below(12) {
            0 => m = 193 + rng.below(50),
            1 => k = 257 + rng.below(300),
            2 => n = 129 + rng.below(200),
            _ => {}
        }
        let case = Case {
            m,
            k,
            n,
            layout_a: rng.below(5),
            layout_b: rng.below(5),
            beta: rng.pick(&[0.0, 1.0, -0.5]),
            gap: rng.pick(&[0, 0, 5]),
        };
        for isa in isas() {
            check_case::<f32>(isa, 1 + round, case);
        }
        check_case::<f64>(Isa::Portable, 1 + round, case);
    }
}

#[test]
fn every_small_tile() {
    for isa in isas() {
        for m in 1..=14 {
            for n in 1..=35 {
                for layout in 0..2 {
                    let case = Case { m, k: 9, n, layout_a: 0, layout_b: layout, beta: 1.0, gap: 1 };
                    check_case::<f32>(isa, 7, case);
                }
            }
        }
    }
}

#[test]
fn empty_sizes() {
    for isa in isas() {
        for (m, k, n) in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0), (1, 0, 1)] {
            for beta in [0.0, 1.0, 2.0] {
                let case = Case { m, k, n, layout_a: 0, layout_b: 1, beta, gap: 0 };
                check_case::<f32>(isa, 3, case);
                check_case::<f64>(isa, 3, case);
            }
        }
    }
}

#[test]
fn long_sums() {
    for isa in isas() {
        for (m, n, layout) in [(1, 5, 1), (4, 3, 1), (1, 70, 0), (7, 20, 0), (5, 1, 0)] {
            let case = Case { m, k: 70_000, n, layout_a: 0, layout_b: layout, beta: 0.0, gap: 0 };
            check_case::<f32>(isa, 5, case);
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let shapes = [
        (1, 784, 512),
        (8, 784, 512),
        (512, 1, 784),
        (130, 300, 270),
        (300, 130, 70),
        (512, 128, 10),
        (64, 576, 900),
    ];
    for isa in isas() {
        for (m, k, n) in shapes {
            for layout in 0..4 {
                let mut rng = Rng(11);
                let (a, ar, ac) = matrix::<f32>(&mut rng, m, k, layout % 2);
                let (b, br, bc) = matrix::<f32>(&mut rng, k, n, layout / 2);
                let a = Mat { data: &a, rows: m, cols: k, row_stride: ar, col_stride: ac };
                let b = Mat { data: &b, rows: k, cols: n, row_stride: br, col_stride: bc };
                let c: Vec<f32> = rng.fill(m * n);
                let on = |threads: usize| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| {
                        let mut c = c.clone();
                        run(isa, a.into(), b.into(), 0.5, MatMut::new(&mut c, m, n), true);
                        c
                    })
                };
                let one = on(1);
                assert!(one == on(2) && one == on(5), "{isa:?} {m}×{k}×{n} layout {layout}");
            }
        }
    }
}

#[test]
fn nan_and_infinity_pass() {
    for isa in isas() {
        for (m, k, n) in [(1, 9, 17), (7, 9, 17), (20, 30, 40), (5, 1, 9), (1, 9, 1), (40, 300, 3)] {
            for layout in 0..2 {
                for bad in [f32::NAN, f32::INFINITY] {
                    let mut a = vec![1.0; m * k];
                    let b = vec![1.0; k * n];
                    a[(m - 1) * k + k / 2] = bad;
                    let mut b_view = Mat::new(&b, k, n);
                    if layout == 1 {
                        b_view = Mat::new(&b, n, k).t();
                    }
                    let mut c = vec![f32::NAN; m * n];
                    run(isa, Mat::new(&a, m, k).into(), b_view.into(), 0.0, MatMut::new(&mut c, m, n), true);
                    assert!(c[..(m - 1) * n].iter().all(|&c| c == k as f32), "{isa:?} {m}×{k}×{n}");
                    assert!(c[(m - 1) * n..].iter().all(|&c| if bad.is_nan() {
                        c.is_nan()
                    } else {
                        c == bad
                    }));
                }
            }
        }
    }
}
