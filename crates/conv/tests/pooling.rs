//! Pooling kernels against their definitions, over many shapes.

use striate_compute::Real;
use striate_conv::kernels::pool::*;
use striate_conv::{
    AvgPoolOptions, Divisor, GeometryError, PoolGeometry, PoolOptions, Window, pool_output_size,
};

/// Numbers of which many are equal, and some NaN or −∞.
fn numbers<E: Real>(len: usize, seed: u64) -> Vec<E> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..len)
        .map(|_| match next() % 40 {
            0 => E::NAN,
            1 | 2 => -E::INFINITY,
            _ => E::of((next() % 17) as f64 - 8.0),
        })
        .collect()
}

/// [`numbers`] without the special ones.
fn finite<E: Real>(len: usize, seed: u64) -> Vec<E> {
    numbers::<E>(len, seed).into_iter().map(|x| if x.f64().is_finite() { x } else { E::of(0.5) }).collect()
}

/// The places of a window inside the input, in row-major order, by the definition of the options; and its number of
/// elements in the input and its padding.
fn window<const D: usize>(options: &PoolOptions<D>, input: [usize; 3], o: [usize; 3]) -> (Vec<usize>, usize) {
    let lift = |values: [usize; D], fill| [[fill; 3].as_slice(), &values].concat()[D..].to_vec();
    let (kernel, padding, dilation) =
        (lift(options.kernel, 1), lift(options.padding, 0), lift(options.dilation, 1));
    let stride = lift(options.stride.unwrap_or(options.kernel), 1);
    let at = |axis: usize, t: usize| {
        let place = (o[axis] * stride[axis] + t * dilation[axis]) as isize - padding[axis] as isize;
        let padded = place < (input[axis] + padding[axis]) as isize;
        (usize::try_from(place).ok().filter(|&place| place < input[axis]), padded)
    };
    let (mut places, mut padded) = (Vec::new(), 0);
    for d in 0..kernel[0] {
        for h in 0..kernel[1] {
            for w in 0..kernel[2] {
                let [(d, d_padded), (h, h_padded), (w, w_padded)] = [at(0, d), at(1, h), at(2, w)];
                padded += usize::from(d_padded && h_padded && w_padded);
                if let (Some(d), Some(h), Some(w)) = (d, h, w) {
                    places.push((d * input[1] + h) * input[2] + w);
                }
            }
        }
    }
    (places, padded)
}

fn adaptive_window(input: [usize; 3], output: [usize; 3], o: [usize; 3]) -> Vec<usize> {
    let range = |axis: usize| {
        o[axis] * input[axis] / output[axis]..((o[axis] + 1) * input[axis]).div_ceil(output[axis])
    };
    let mut places = Vec::new();
    for d in range(0) {
        for h in range(1) {
            places.extend(range(2).map(|w| (d * input[1] + h) * input[2] + w));
        }
    }
    places
}

/// The windows of a plane, in order.
fn windows(output: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [depth, height, width] = output;
    (0..depth * height * width).map(move |i| [i / (height * width), i / width % height, i % width])
}

/// PyTorch's loop: a larger number or any NaN replaces the best so far.
fn largest<E: Real>(x: &[E], places: &[usize]) -> usize {
    places.iter().skip(1).fold(
        places[0],
        |best, &place| {
            if x[place] > x[best] || x[place].is_nan() { place } else { best }
        },
    )
}

fn same<E: Real>(a: E, b: E) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Forward, indices and gradient of max pooling, and forward and gradient of average pooling, of one geometry.
fn check<E: Real>(name: &str, pool: &PoolGeometry, window: impl Fn([usize; 3]) -> (Vec<usize>, usize)) {
    let (inputs, outputs) = (pool.input_size(), pool.output_size());
    let windows: Vec<_> = windows(pool.output).map(window).collect();
    assert_eq!(windows.len(), outputs, "{name}");

    let x = numbers::<E>(pool.planes * inputs, 1);
    let dy = finite::<E>(pool.planes * outputs, 2);
    let before = finite::<E>(pool.planes * inputs, 3);
    let mut expected = (Vec::new(), Vec::new(), vec![E::zero(); x.len()]);
    for plane in 0..pool.planes {
        for (o, (places, _)) in windows.iter().enumerate() {
            let place = largest(&x[plane * inputs..][..inputs], places);
            expected.0.push(x[plane * inputs + place]);
            expected.1.push(place);
            expected.2[plane * inputs + place] += dy[plane * outputs + o];
        }
    }
    maxima(name, pool, &x, &dy, &before, &expected, vec![0u32; expected.0.len()]);
    if pool.narrow_winners() {
        maxima(name, pool, &x, &dy, &before, &expected, vec![0u8; expected.0.len()]);
    }
    let mut y = vec![E::NAN; expected.0.len()];
    max_pool(pool, &x, &mut y, &mut vec![(); expected.0.len()]);
    assert!(y.iter().zip(&expected.0).all(|(&a, &b)| same(a, b)), "{name}: without winners");

    let x = finite::<E>(pool.planes * inputs, 4);
    for divisor in [Divisor::Padded, Divisor::Inside, Divisor::Fixed(3)] {
        let mut y = vec![E::NAN; pool.planes * outputs];
        avg_pool(pool, divisor, &x, &mut y);
        let mut expected = vec![E::zero(); x.len()];
        for plane in 0..pool.planes {
            for (o, (places, padded)) in windows.iter().enumerate() {
                let count = match divisor {
                    Divisor::Padded => *padded,
                    Divisor::Inside => places.len(),
                    Divisor::Fixed(divisor) => divisor,
                };
                let sum: f64 = places.iter().map(|place| x[plane * inputs + place].f64()).sum();
                close(name, y[plane * outputs + o], sum / count as f64);
                let share = dy[plane * outputs + o] / E::of(count as f64);
                places.iter().for_each(|place| expected[plane * inputs + place] += share);
            }
        }
        gradients(name, &before, &expected, |beta, dx| avg_pool_gradient(pool, divisor, &dy, beta, dx));
    }
}

fn maxima<E: Real, W: Winner>(
    name: &str,
    pool: &PoolGeometry,
    x: &[E],
    dy: &[E],
    before: &[E],
    (y, indices, dx): &(Vec<E>, Vec<usize>, Vec<E>),
    mut winners: Vec<W>,
) {
    let mut actual = vec![E::NAN; y.len()];
    max_pool(pool, x, &mut actual, &mut winners);
    assert!(actual.iter().zip(y).all(|(&a, &b)| same(a, b)), "{name}: {actual:?} is not {y:?}");
    let mut actual = vec![usize::MAX; y.len()];
    max_pool_indices(pool, &winners, &mut actual);
    assert_eq!(&actual, indices, "{name}: indices");
    gradients(name, before, dx, |beta, dx| max_pool_gradient(pool, &winners, dy, beta, dx));
}

/// A gradient alone, over arbitrary memory, and added to what is there.
fn gradients<E: Real>(name: &str, before: &[E], expected: &[E], write: impl Fn(E, &mut [E])) {
    let mut alone = vec![E::NAN; expected.len()];
    write(E::zero(), &mut alone);
    alone.iter().zip(expected).for_each(|(&a, &b)| close(name, a, b.f64()));
    let mut added = before.to_vec();
    write(E::one(), &mut added);
    added.iter().zip(expected).zip(before).for_each(|((&a, &b), c)| close(name, a, b.f64() + c.f64()));
}

#[track_caller]
fn close<E: Real>(name: &str, actual: E, expected: f64) {
    let bound = if E::NAME == "f64" { 1e-12 } else { 1e-5 };
    assert!(
        (actual.f64() - expected).abs() <= bound * (1.0 + expected.abs()),
        "{name}: {actual} is not {expected}"
    );
}

fn sliding<const D: usize>(shape: &[usize], options: PoolOptions<D>) {
    let name = format!("{shape:?} {options:?}");
    let pool = PoolGeometry::new(shape, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let window = |o| window(&options, pool.input, o);
    check::<f64>(&name, &pool, window);
    check::<f32>(&name, &pool, window);
}

fn options<const D: usize>(
    kernel: [usize; D],
    stride: [usize; D],
    padding: [usize; D],
    dilation: [usize; D],
) -> PoolOptions<D> {
    PoolOptions { kernel, stride: Some(stride), padding, dilation, ceil_mode: false }
}

#[test]
fn planes_of_chosen_sizes() {
    for shape in
        [[2, 3, 6, 8], [1, 2, 7, 9], [3, 1, 3, 4], [1, 1, 3, 70], [0, 3, 4, 4], [2, 0, 4, 4], [1, 1, 65, 33]]
    {
        for ceil_mode in [false, true] {
            for base in [
                options([2, 2], [2, 2], [0, 0], [1, 1]),
                options([2, 2], [1, 1], [1, 1], [1, 1]),
                options([3, 3], [2, 2], [1, 1], [1, 1]),
                options([2, 1], [3, 4], [0, 0], [1, 1]),
                options([3, 2], [1, 2], [1, 1], [1, 1]),
                options([2, 2], [1, 1], [1, 1], [2, 3]),
                options([1, 5], [1, 3], [0, 2], [1, 1]),
            ] {
                sliding(&shape, PoolOptions { ceil_mode, ..base });
            }
        }
    }
    sliding(&[3, 1, 2, 2], options([2, 2], [2, 2], [0, 0], [1, 1]));
    // Windows of more than 256 elements.
    sliding(&[1, 1, 20, 40], options([17, 17], [2, 3], [8, 8], [1, 1]));
}

#[test]
fn lines_and_volumes() {
    for ceil_mode in [false, true] {
        for base in [
            options([2], [2], [0], [1]),
            options([3], [2], [1], [1]),
            options([4], [5], [2], [1]),
            options([3], [1], [1], [4]),
        ] {
            sliding(&[2, 2, 13], PoolOptions { ceil_mode, ..base });
            sliding(&[1, 1, 2500], PoolOptions { ceil_mode, ..base });
        }
        for base in [
            options([2, 2, 2], [2, 2, 2], [0, 0, 0], [1, 1, 1]),
            options([1, 2, 2], [1, 2, 2], [0, 0, 0], [1, 1, 1]),
            options([3, 2, 3], [2, 1, 2], [1, 1, 0], [1, 2, 1]),
        ] {
            sliding(&[1, 2, 3, 5, 6], PoolOptions { ceil_mode, ..base });
            sliding(&[2, 1, 4, 3, 21], PoolOptions { ceil_mode, ..base });
        }
    }
}

/// Shapes and options by chance: those that make no pooling are left out.
#[test]
fn seeded_sweep() {
    let (mut tried, mut state) = (0, 7u64);
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for _ in 0..400 {
        let shape = [1 + below(2), 1 + below(3), 1 + below(12), 1 + below(45)];
        let options = PoolOptions {
            kernel: [1 + below(4), 1 + below(4)],
            stride: Some([1 + below(4), 1 + below(4)]),
            padding: [below(2), below(3)],
            dilation: [1 + below(3), 1 + below(2)],
            ceil_mode: below(2) == 1,
        };
        if PoolGeometry::new(&shape, &options).is_ok() {
            sliding(&shape, options);
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn adaptive_windows() {
    for (input, output) in [
        ([1, 5, 7], [1, 3, 4]),
        ([1, 3, 2], [1, 5, 6]),
        ([1, 6, 40], [1, 6, 40]),
        ([1, 7, 7], [1, 1, 1]),
        ([3, 4, 5], [2, 3, 2]),
        ([1, 1, 700], [1, 1, 3]),
    ] {
        let shape: Vec<usize> = [2, 2].into_iter().chain(input).collect();
        let pool = PoolGeometry::adaptive::<3>(&shape, output).unwrap();
        let window = |o| {
            let places = adaptive_window(input, output, o);
            (places.clone(), places.len())
        };
        check::<f64>(&format!("{input:?} → {output:?}"), &pool, window);
        check::<f32>(&format!("{input:?} → {output:?}"), &pool, window);
    }
}

#[test]
fn norms() {
    let pool = PoolGeometry::new(&[2, 2, 5, 6], &options([3, 2], [2, 1], [0, 0], [1, 1])).unwrap();
    let x: Vec<f64> = finite::<f64>(120, 5).into_iter().map(f64::abs).collect();
    let mut y = vec![0.0; 2 * 2 * 2 * 5];
    lp_pool(&pool, 3.0, &x, &mut y);
    for (i, &y) in y.iter().enumerate() {
        let (plane, h, w) = (i / 10, i / 5 % 2 * 2, i % 5);
        let cubes = (0..6).map(|t| x[plane * 30 + (h + t / 2) * 6 + w + t % 2].powi(3));
        close("lp_pool", y, cubes.sum::<f64>().cbrt());
    }
}

#[test]
fn unpooling() {
    let (x, indices) = ([1.0f64, 2.0, 3.0, 4.0], [5, 0, 2, 2]);
    let mut y = [f64::NAN; 12];
    max_unpool(&x, &indices, 2, 6, &mut y);
    assert_eq!(y, [2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0]);
    let dy: Vec<f64> = (0..12).map(f64::from).collect();
    gradients("max_unpool", &[7.0; 4], &[5.0, 0.0, 8.0, 8.0], |beta, dx| {
        max_unpool_gradient(&dy, &indices, 2, 6, beta, dx);
    });
}

#[test]
fn sizes() {
    let size = |input, kernel, stride, padding, dilation, ceil| {
        let window = Window { kernel, stride, padding: (padding, padding), dilation };
        pool_output_size(0, input, window, ceil)
    };
    assert_eq!(size(5, 2, 2, 0, 1, false), Ok(2));
    assert_eq!(size(5, 2, 2, 0, 1, true), Ok(3));
    // A last window in the padding alone does not count: (4 + 2 − 3) / 3 rounds up to 1, but place 3 + 3 is outside.
    assert_eq!(size(2, 2, 3, 1, 1, true), Ok(1));
    assert_eq!(size(1, 2, 2, 0, 1, true), Ok(1));
    assert!(matches!(size(1, 2, 2, 0, 1, false), Err(GeometryError::WindowTooLarge { .. })));
    assert_eq!(
        size(9, 3, 1, 2, 1, false),
        Err(GeometryError::PoolPadding { axis: 0, padding: 2, window: 3 })
    );
    assert_eq!(size(0, 2, 2, 0, 1, false), Err(GeometryError::Zero { what: "input", axis: 0 }));
    assert_eq!(size(4, 0, 2, 0, 1, false), Err(GeometryError::Zero { what: "kernel", axis: 0 }));
    assert_eq!(size(4, 2, 0, 0, 1, true), Err(GeometryError::Zero { what: "stride", axis: 0 }));
    assert!(matches!(size(usize::MAX, 2, 1, 1, 1, true), Err(GeometryError::Overflow { .. })));
    assert!(matches!(size(4, usize::MAX, 1, 0, usize::MAX, true), Err(GeometryError::Overflow { .. })));
    let skipping = options([2], [1], [1], [2]);
    assert_eq!(
        PoolGeometry::new(&[1, 1, 1], &skipping),
        Err(GeometryError::EmptyWindow { axis: 0, place: 0 })
    );
    let by_zero = AvgPoolOptions::<1> { divisor_override: Some(0), ..2.into() };
    assert!(by_zero.divisor().is_err());
}

/// Many planes and large ones, at several numbers of threads.
#[test]
fn same_bits_at_any_number_of_threads() {
    for shape in [[4, 40, 24, 30], [1, 2, 300, 310]] {
        for base in [options([2, 2], [2, 2], [0, 0], [1, 1]), options([3, 3], [2, 2], [1, 1], [1, 1])] {
            let pool = PoolGeometry::new(&shape, &base).unwrap();
            let x: Vec<f32> = (0..pool.planes * pool.input_size()).map(|i| (i as f32 * 0.7).sin()).collect();
            let len = pool.planes * pool.output_size();
            let run = |threads| {
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                    let (mut y, mut winners, mut mean) = (vec![0.0; len], vec![0u8; len], vec![0.0; len]);
                    let (mut dx, mut dmean) = (vec![0.0; x.len()], vec![0.0; x.len()]);
                    max_pool(&pool, &x, &mut y, &mut winners);
                    max_pool_gradient(&pool, &winners, &y, 0.0, &mut dx);
                    avg_pool(&pool, Divisor::Padded, &x, &mut mean);
                    avg_pool_gradient(&pool, Divisor::Padded, &y, 0.0, &mut dmean);
                    [y, dx, mean, dmean].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
                })
            };
            let one = run(1);
            assert!([2, 5].into_iter().all(|threads| run(threads) == one), "{shape:?} {base:?}");
        }
    }
}
