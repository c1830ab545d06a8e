//! The distributions, and that the same seed gives the same bits everywhere.

use striate_compute::rng::{Rng, RngState};

/// √n · max |F_n − F|: above 1.95 with probability 0.001 for a right distribution (Kolmogorov and Smirnov).
fn kolmogorov_smirnov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample
        .iter()
        .enumerate()
        .map(|(i, &x)| (cdf(x) - i as f64 / n).max((i + 1) as f64 / n - cdf(x)))
        .fold(0.0, f64::max);
    n.sqrt() * distance
}

/// Mean of (x − centre)ᵖ.
fn moment(sample: &[f64], centre: f64, p: i32) -> f64 {
    sample.iter().map(|x| (x - centre).powi(p)).sum::<f64>() / sample.len() as f64
}

fn uniforms(n: usize) -> Vec<f64> {
    let mut y = vec![0.0; n];
    Rng::new(7).fill_uniform(&mut y, -1.0, 3.0);
    y
}

fn normals(n: usize) -> Vec<f64> {
    let mut y = vec![0.0; n];
    Rng::new(7).fill_normal(&mut y, 0.0, 1.0);
    y
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

const N: usize = 1 << 20;

#[test]
fn uniform_numbers_are_uniform() {
    let y = uniforms(N);
    assert!(y.iter().all(|y| (-1.0..3.0).contains(y)));
    assert!((moment(&y, 0.0, 1) - 1.0).abs() < 0.005);
    assert!((moment(&y, 1.0, 2) - 4.0 / 3.0).abs() < 0.01);
    assert!(kolmogorov_smirnov(y, |x| (x + 1.0) / 4.0) < 1.95);
    let mut rng = Rng::new(8);
    assert!(kolmogorov_smirnov((0..N).map(|_| rng.uniform()).collect(), |x| x) < 1.95);
}

#[test]
fn normal_numbers_are_normal() {
    let y = normals(N);
    for (p, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
        assert!((moment(&y, 0.0, p) - expected).abs() < 0.03, "moment {p}: {}", moment(&y, 0.0, p));
    }
    // The cosine and the sine of a pair are independent, and so are neighbours.
    for lag in [1, 32] {
        let product = y.iter().zip(&y[lag..]).map(|(a, b)| a * b).sum::<f64>() / N as f64;
        assert!(product.abs() < 0.004, "covariance at {lag}: {product}");
    }
    // The tail: 2 (1 − Φ(4)) N = 66 ± 8.
    let tail = y.iter().filter(|y| y.abs() > 4.0).count();
    assert!((40..100).contains(&tail), "{tail}");
    assert!(kolmogorov_smirnov(y, normal_cdf) < 1.95);
    let mut rng = Rng::new(8);
    assert!(kolmogorov_smirnov((0..N).map(|_| rng.normal()).collect(), normal_cdf) < 1.95);
}

#[test]
fn normal_numbers_scale_and_shift() {
    let mut y = [0.0; 100];
    Rng::new(7).fill_normal(&mut y, 5.0, 0.5);
    for (y, n) in y.iter().zip(normals(100)) {
        assert_eq!(*y, 5.0 + 0.5 * n);
    }
}

#[test]
fn keep_masks_hold_ones_at_their_rate() {
    for p in [0.0, 0.1, 0.5, 0.9, 1.0] {
        let mut y = vec![0.5_f32; N];
        Rng::new(7).fill_bernoulli(&mut y, p);
        assert!(y.iter().all(|&y| y == 0.0 || y == 1.0));
        let rate = y.iter().sum::<f32>() as f64 / N as f64;
        assert!((rate - p).abs() <= 4.0 * (p * (1.0 - p) / N as f64).sqrt(), "{rate} for {p}");
    }
}

#[test]
fn integers_are_unbiased() {
    let mut rng = Rng::new(7);
    let mut counts = [0_f64; 7];
    for _ in 0..70_000 {
        counts[rng.below(7)] += 1.0;
    }
    // χ² with 6 degrees of freedom: above 22.5 with probability 0.001.
    let chi_square: f64 = counts.iter().map(|c| (c - 1e4).powi(2) / 1e4).sum();
    assert!(chi_square < 22.5, "{counts:?}");
    // 2⁶⁴ words do not share out evenly among 3 · 2⁶² integers: without rejection every third is twice as frequent.
    let thirds = (0..9_000).filter(|_| rng.below(3 << 62).is_multiple_of(3)).count();
    assert!((2_800..3_200).contains(&thirds), "{thirds}");
    assert_eq!(rng.below(1), 0);
}

#[test]
#[should_panic(expected = "below: no integer is below 0")]
fn no_integer_is_below_0() {
    Rng::new(0).below(0);
}

#[test]
fn permutations_hold_each_index_once_and_are_uniform() {
    let mut sorted = Rng::new(7).permutation(1000);
    assert_ne!(sorted, Vec::from_iter(0..1000));
    sorted.sort_unstable();
    assert_eq!(sorted, Vec::from_iter(0..1000));

    let mut rng = Rng::new(7);
    let mut counts = [[0_f64; 3]; 3];
    for _ in 0..30_000 {
        for (i, j) in rng.permutation(3).into_iter().enumerate() {
            counts[i][j] += 1.0;
        }
    }
    for count in counts.as_flattened() {
        assert!((count - 1e4).abs() < 350.0, "{counts:?}");
    }
}

// An independent ChaCha8 in Python gives these bits, and mpmath these normal numbers within 2 ulp.
#[test]
fn first_numbers_are_the_same_on_every_platform() {
    let mut rng = Rng::new(42);
    assert_eq!([rng.next_u64(), rng.next_u64()], [0x5927_3471_198f_a887, 0x4923_8aa4_169d_f72b]);
    assert_eq!(Rng::with_stream(42, 1).next_u64(), 0xc6e0_8c69_e846_98be);
    assert_eq!(Rng::named(42, "a").state().stream, 0xaf63_dc4c_8601_ec8c);
    assert_eq!(Rng::named(42, "a").next_u64(), 0x43c9_b7b0_c2e9_98a7);
    assert_eq!(Rng::new(42).uniform(), 0.348_254_468_548_076_2);
    assert_eq!(Rng::new(42).normal(), -0.205_812_201_802_651_58);
    assert_eq!(Rng::new(42).permutation(6), [0, 5, 3, 4, 1, 2]);
    let mut y = [0.0_f64; 33];
    Rng::new(42).fill_normal(&mut y, 0.0, 1.0);
    assert_eq!(
        [y[0], y[1], y[2]],
        [0.873_313_614_363_648_6, -0.574_702_482_896_218_7, -0.757_800_035_295_329_1]
    );
    assert_eq!(y[32], 0.305_819_384_296_831_9);
    let mut mask = [0.5_f32; 8];
    Rng::new(42).fill_bernoulli(&mut mask, 0.5);
    assert_eq!(mask, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0]);
}

/// Everything that fills a slice, one after the other from one generator.
fn fills(n: usize) -> Vec<u64> {
    let mut rng = Rng::with_stream(3, 5);
    // Not at the start of a group.
    rng.next_u64();
    let mut all = vec![0.0_f64; 4 * n];
    let mut parts = all.chunks_mut(n);
    let mut next = || parts.next().unwrap();
    rng.fill_uniform(next(), -1.0, 1.0);
    rng.fill_normal(next(), 0.0, 1.0);
    rng.fill_bernoulli(next(), 0.3);
    rng.fill_uniform(next(), 0.0, 1.0);
    all.iter().map(|y| y.to_bits()).collect()
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let at = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fills(100_003))
    };
    let one = at(1);
    assert_eq!(at(2), one);
    assert_eq!(at(5), one);
}

#[test]
fn a_long_fill_begins_with_the_numbers_of_a_short_one() {
    assert_eq!(uniforms(100), uniforms(100_000)[..100]);
    assert_eq!(normals(100), normals(100_000)[..100]);
}

#[test]
fn f32_and_f64_are_the_same_numbers() {
    let mut single = vec![0.0_f32; 100_003];
    let mut double = vec![0.0_f64; 100_003];
    Rng::new(7).fill_normal(&mut single, 1.0, 2.0);
    Rng::new(7).fill_normal(&mut double, 1.0, 2.0);
    assert!(single.iter().zip(&double).all(|(&s, &d)| s == d as f32));
    Rng::new(7).fill_uniform(&mut single, -2.0, 2.0);
    Rng::new(7).fill_uniform(&mut double, -2.0, 2.0);
    assert!(single.iter().zip(&double).all(|(&s, &d)| s == d as f32));
}

#[test]
fn a_saved_place_gives_the_same_numbers_again() {
    let mut rng = Rng::named(7, "dropout");
    for _ in 0..300 {
        rng.below(1000);
        let saved = rng.state();
        let mut again = Rng::from_state(saved);
        assert_eq!(again.state(), saved);
        assert_eq!(again.next_u64(), rng.next_u64());
        let (mut a, mut b) = ([0.0_f32; 100], [0.0_f32; 100]);
        rng.fill_bernoulli(&mut a, 0.5);
        again.fill_bernoulli(&mut b, 0.5);
        assert_eq!(a, b);
        rng.fill_normal(&mut a[..77], 0.0, 1.0);
        again.fill_normal(&mut b[..77], 0.0, 1.0);
        assert_eq!(a, b);
        assert_eq!(rng.normal(), again.normal());
        assert_eq!(rng.state(), again.state());
    }
}

#[test]
fn nothing_is_used_twice() {
    // What comes after a fill is not what the fill used.
    let mut rng = Rng::new(7);
    let start = rng.state();
    let mut y = [0.0_f64; 65];
    rng.fill_normal(&mut y, 0.0, 1.0);
    assert_eq!(rng.state(), RngState { position: 2 * 128, ..start });
    rng.fill_bernoulli(&mut y, 0.5);
    assert_eq!(rng.state().position, 2 * 128 + 128);
    rng.normal();
    assert_eq!(rng.state().position, 2 * 128 + 128 + 4);
}

#[test]
fn streams_are_independent() {
    let sample = |stream| {
        let mut y = vec![0.0_f64; 1 << 16];
        Rng::new(7).stream(stream).fill_normal(&mut y, 0.0, 1.0);
        y
    };
    let (a, b) = (sample(0), sample(1));
    let covariance = a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64;
    assert!(covariance.abs() < 4.0 / 256.0, "{covariance}");
}
