//! What makes a filter a filter: its definition, linearity, and what shifts do to it.

use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;
use striate_compute::Real;
use striate_conv::Boundary;
use striate_conv::filter::{
    FilterError, Kernel, Separable, convolve, correlate, correlate_local, impulse_response, shift_invariant,
};

const BOUNDARIES: [Boundary; 4] = [Boundary::Zero, Boundary::Reflect, Boundary::Replicate, Boundary::Wrap];

/// Σₘₙ K(m, n) · I(i + s·m, j + s·n), with s = 1 for a correlation and s = −1 for a convolution.
fn definition<E: Real>(image: &Array2<E>, kernel: &Kernel<E>, boundary: Boundary, s: isize) -> Array2<E> {
    let (height, width) = image.dim();
    let reach = kernel.weights().dim().0.max(kernel.weights().dim().1) as isize;
    Array2::from_shape_fn((height, width), |(i, j)| {
        let mut sum = E::zero();
        for m in -reach..=reach {
            for n in -reach..=reach {
                let row = boundary.index(i as isize + s * m, height);
                let column = boundary.index(j as isize + s * n, width);
                if let Some(place) = row.zip(column) {
                    sum += kernel.at(m, n) * image[place];
                }
            }
        }
        sum
    })
}

/// Cyclic: T(u)(i, j) = u(i − di, j − dj).
fn shift<E: Real>(image: &Array2<E>, (di, dj): (isize, isize)) -> Array2<E> {
    let (height, width) = image.dim();
    Array2::from_shape_fn((height, width), |(i, j)| {
        let row = Boundary::Wrap.index(i as isize - di, height).unwrap();
        image[(row, Boundary::Wrap.index(j as isize - dj, width).unwrap())]
    })
}

/// Small whole numbers: sums and products of them are exact.
fn whole(size: (usize, usize)) -> impl Strategy<Value = Array2<f64>> {
    prop::collection::vec((-8..=8).prop_map(f64::from), size.0 * size.1)
        .prop_map(move |values| Array2::from_shape_vec(size, values).unwrap())
}

fn image() -> impl Strategy<Value = Array2<f64>> {
    // Wide enough for more than one block of pixels now and then.
    (1..7usize, prop_oneof![1..9usize, 62..140usize]).prop_flat_map(whole)
}

fn kernel() -> impl Strategy<Value = Kernel<f64>> {
    (1..6usize, 1..6usize).prop_flat_map(|(rows, columns)| {
        (whole((rows, columns)), 0..rows, 0..columns)
            .prop_map(|(weights, row, column)| Kernel::new(weights, (row, column)).unwrap())
    })
}

fn boundary() -> impl Strategy<Value = Boundary> {
    prop::sample::select(&BOUNDARIES[..])
}

proptest! {
    #[test]
    fn correlation_and_convolution_are_their_definitions(u in image(), k in kernel(), b in boundary()) {
        prop_assert_eq!(correlate(u.view(), &k, b), definition(&u, &k, b, 1));
        prop_assert_eq!(convolve(u.view(), &k, b), definition(&u, &k, b, -1));
        let single = k.weights().mapv(|w| w as f32);
        let single = Kernel::new(single, k.anchor()).unwrap();
        let v = u.mapv(|pixel| pixel as f32);
        prop_assert_eq!(correlate(v.view(), &single, b), definition(&v, &single, b, 1));
        prop_assert_eq!(correlate(u.t(), &k, b), definition(&u.t().to_owned(), &k, b, 1));
    }

    #[test]
    fn convolution_is_correlation_with_the_turned_kernel(u in image(), k in kernel(), b in boundary()) {
        prop_assert_eq!(convolve(u.view(), &k, b), correlate(u.view(), &k.rotated(), b));
        prop_assert_eq!(correlate(u.view(), &k, b), convolve(u.view(), &k.rotated(), b));
        prop_assert_eq!(k.rotated().rotated(), k);
    }

    /// Correlation = convolution if and only if K(m, n) = K(−m, −n): an impulse tells.
    #[test]
    fn equal_exactly_when_symmetric(u in image(), weights in whole((3, 3)), force in any::<bool>()) {
        let turned = weights.slice(s![..;-1, ..;-1]).to_owned();
        let k = Kernel::centred(if force { &weights + &turned } else { weights }).unwrap();
        let mut impulse = Array2::zeros((5, 5));
        impulse[(2, 2)] = 1.0;
        let equal = |u: &Array2<f64>| {
            correlate(u.view(), &k, Boundary::Zero) == convolve(u.view(), &k, Boundary::Zero)
        };
        prop_assert_eq!(equal(&impulse), k.is_symmetric());
        prop_assert!(!force || k.is_symmetric());
        prop_assert!(!k.is_symmetric() || equal(&u));
    }

    #[test]
    fn linear(
        (u, v) in (1..6usize, 1..80usize).prop_flat_map(|size| (whole(size), whole(size))),
        k in kernel(), b in boundary(), alpha in -4..=4i32, beta in -4..=4i32,
    ) {
        let (alpha, beta) = (f64::from(alpha), f64::from(beta));
        let f = |u: &Array2<f64>| convolve(u.view(), &k, b);
        prop_assert_eq!(f(&(alpha * &u + beta * &v)), alpha * f(&u) + beta * f(&v));
    }

    /// T(f(u)) = f(T(u)), bit for bit, on numbers that round.
    #[test]
    fn shift_equivariant(u in image(), k in kernel(), by in (-9..9isize, -9..9isize)) {
        let u = u.mapv(|pixel| (0.1 * pixel).exp() as f32);
        let k = Kernel::new(k.weights().mapv(|w| (0.1 * w) as f32), k.anchor()).unwrap();
        let f = |u: &Array2<f32>| correlate(u.view(), &k, Boundary::Wrap);
        prop_assert_eq!(shift(&f(&u), by), f(&shift(&u, by)));
    }

    /// f(T(u)) = f(u): what is pooled over the whole image does not say where it was.
    #[test]
    fn global_pooling_is_shift_invariant(u in image(), k in kernel(), by in (-9..9isize, -9..9isize)) {
        let features = |u: &Array2<f64>| convolve(u.view(), &k, Boundary::Wrap);
        let mean = |u: &Array2<f64>| features(u).sum() / u.len() as f64;
        let max = |u: &Array2<f64>| features(u).fold(f64::NEG_INFINITY, |max, &x| max.max(x));
        prop_assert_eq!(mean(&shift(&u, by)), mean(&u));
        prop_assert_eq!(max(&shift(&u, by)), max(&u));
    }

    #[test]
    fn two_passes_are_the_outer_product(
        u in image(), vertical in whole((4, 1)), horizontal in whole((1, 5)), anchor in (0..4usize, 0..5usize),
        b in boundary(),
    ) {
        let (v, h) = (vertical.remove_axis(Axis(1)), horizontal.remove_axis(Axis(0)));
        let separable = Separable::new(v.clone(), h.clone(), anchor).unwrap();
        let outer = separable.outer();
        prop_assert_eq!(outer.anchor(), anchor);
        prop_assert!(outer.weights().indexed_iter().all(|((m, n), &weight)| weight == v[m] * h[n]));
        prop_assert_eq!(separable.correlate(u.view(), b), correlate(u.view(), &outer, b));
        prop_assert_eq!(separable.convolve(u.view(), b), convolve(u.view(), &outer, b));
    }

    #[test]
    fn local_kernels_without_place_are_ordinary_ones(u in image(), k in kernel(), b in boundary()) {
        let local = correlate_local(u.view(), (5, 5), b, |_, _, m, n| k.at(m, n));
        prop_assert_eq!(local, correlate(u.view(), &k, b));
        let found = shift_invariant(u.dim(), (5, 5), |_, _, m, n| k.at(m, n)).unwrap();
        prop_assert_eq!(correlate(u.view(), &found, b), correlate(u.view(), &k, b));
    }

    /// Any linear, shift-equivariant transform is the convolution with its answer to an impulse.
    #[test]
    fn an_impulse_shows_the_kernel(u in image(), k in kernel(), l in kernel()) {
        let twice = |u: ndarray::ArrayView2<f64>| {
            convolve(correlate(u, &k, Boundary::Wrap).view(), &l, Boundary::Wrap)
        };
        let spread = impulse_response((10, 10), twice);
        prop_assert_eq!(convolve(u.view(), &spread, Boundary::Wrap), twice(u.view()));
    }
}

/// A kernel that depends on the place filters linearly, but not shift-equivariantly.
#[test]
fn dependence_on_the_place_breaks_shift_equivariance() {
    let u = Array2::from_shape_fn((5, 6), |(i, j)| ((7 * i + 3 * j) % 5) as f64);
    let fade = |_: usize, j: usize, m: isize, n: isize| if (m, n) == (0, 1) { j as f64 } else { 0.0 };
    let f = |u: &Array2<f64>| correlate_local(u.view(), (1, 1), Boundary::Wrap, fade);
    assert_eq!(f(&u)[(2, 3)], 3.0 * u[(2, 4)]);
    assert_ne!(shift(&f(&u), (0, 1)), f(&shift(&u, (0, 1))));
    assert_eq!(shift(&f(&u), (1, 0)), f(&shift(&u, (1, 0))));
    assert_eq!(shift_invariant((5, 6), (1, 1), fade), None);
    assert_eq!(shift_invariant((0, 6), (1, 1), fade), None);
}

#[test]
fn derivatives_of_an_affine_and_a_quadratic_image() {
    let affine = Array2::from_shape_fn((6, 7), |(y, x)| 3.0 * x as f64 - 2.0 * y as f64 + 5.0);
    let check = |kernel: Kernel<f64>, expected: f64| {
        let inside = s![1..5, 1..6];
        for (sign, filter) in [(1.0, correlate as fn(_, &_, _) -> _), (-1.0, convolve)] {
            let filtered: Array2<f64> = filter(affine.view(), &kernel, Boundary::Zero);
            assert!(filtered.slice(inside).iter().all(|&d| d == sign * expected), "{kernel:?}");
        }
    };
    check(Kernel::derivative_x(), 3.0);
    check(Kernel::derivative_y(), -2.0);
    check(Kernel::sobel_x(), 8.0 * 3.0);
    check(Kernel::sobel_y(), 8.0 * -2.0);
    check(Kernel::laplacian(), 0.0);
    // The difference is taken towards larger x by a correlation, towards smaller x by a convolution.
    let squares = array![[0.0, 1.0, 4.0, 9.0]];
    let derivative = Kernel::derivative_x();
    assert_eq!(correlate(squares.view(), &derivative, Boundary::Replicate), array![[1.0, 3.0, 5.0, 0.0]]);
    assert_eq!(convolve(squares.view(), &derivative, Boundary::Replicate), array![[0.0, -1.0, -3.0, -5.0]]);
    let quadratic = Array2::from_shape_fn((6, 7), |(y, x)| (2 * x * x + 5 * y * y + x * y) as f64);
    let laplacian = correlate(quadratic.view(), &Kernel::laplacian(), Boundary::Replicate);
    assert!(laplacian.slice(s![1..5, 1..6]).iter().all(|&d| d == 14.0));
}

#[test]
fn blurs_keep_constants_and_are_what_they_say() {
    let gaussian = Kernel::<f64>::gaussian(1.25, 3).unwrap();
    let constant = Array2::from_elem((3, 4), 2.5);
    for kernel in [&gaussian, &Kernel::box_blur(2)] {
        assert!(kernel.is_symmetric());
        for boundary in [Boundary::Reflect, Boundary::Replicate, Boundary::Wrap] {
            let blurred = correlate(constant.view(), kernel, boundary);
            assert!(blurred.iter().all(|&pixel| (pixel - 2.5).abs() < 1e-12), "{boundary:?}");
        }
    }
    let ratio = gaussian.at(2, -1) / gaussian.at(0, 0);
    assert!((ratio - (-5.0 / (2.0 * 1.25 * 1.25f64)).exp()).abs() < 1e-15);
    assert!(Kernel::<f64>::box_blur(1).weights().iter().all(|&w| (w - 1.0 / 9.0).abs() < 1e-15));
}

#[test]
fn weights_that_make_no_filter_are_refused() {
    let empty = Kernel::new(Array2::<f32>::zeros((0, 3)), (0, 0));
    assert_eq!(empty, Err(FilterError::Empty { rows: 0, columns: 3 }));
    let outside = Kernel::new(array![[1.0f32, 2.0]], (0, 2));
    assert_eq!(outside, Err(FilterError::Anchor { anchor: (0, 2), shape: (1, 2) }));
    assert!(Separable::new(Array1::from(vec![1.0f32]), Array1::zeros(0), (0, 0)).is_err());
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Kernel::<f32>::gaussian(sigma, 2), Err(FilterError::Sigma { .. })));
    }
}

#[test]
fn nothing_and_less_than_the_kernel_are_images_too() {
    for size in [(0, 0), (0, 5), (5, 0)] {
        let image = Array2::<f32>::zeros(size);
        assert_eq!(correlate(image.view(), &Kernel::box_blur(3), Boundary::Reflect).dim(), size);
        assert_eq!(correlate_local(image.view(), (1, 1), Boundary::Wrap, |_, _, _, _| 1.0).dim(), size);
    }
    let pixel = array![[3.0]];
    for boundary in [Boundary::Reflect, Boundary::Replicate, Boundary::Wrap] {
        let blurred = correlate(pixel.view(), &Kernel::box_blur(4), boundary);
        assert!((blurred[(0, 0)] - 3.0f64).abs() < 1e-12);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let image = Array2::from_shape_fn((300, 257), |(i, j)| ((i * 31 + j * 17) as f32).sin());
    let kernel = Kernel::gaussian(2.0, 4).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| correlate(image.view(), &kernel, Boundary::Reflect))
    };
    assert_eq!(run(1), run(3));
}
