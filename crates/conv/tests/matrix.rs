//! The matrix of a convolution against seven loops, and what its transpose does.

use ndarray::{Array2, ArrayView2, s};
use proptest::prelude::*;
use striate_compute::rng::Rng;
use striate_conv::filter::{Kernel, convolve, correlate};
use striate_conv::matrix::{MatrixError, PictureOptions, SparseMatrix, convolution_matrix};
use striate_conv::{Boundary, ConvOptions, Geometry, Padding};

/// y[o, q] = Σ_{c, t} w[o, c, t] · x[c, q·stride + t·dilation − padding] of one image, and its gradient with respect to x.
fn seven_loops(g: &Geometry, w: &[f64], x: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
    let (group_channels, group_features) = (g.channels / g.groups, g.features / g.groups);
    for o in 0..g.features {
        for q0 in 0..g.output[0] {
            for q1 in 0..g.output[1] {
                for q2 in 0..g.output[2] {
                    for c in 0..group_channels {
                        for t in 0..g.kernel.iter().product() {
                            let t2 = t % g.kernel[2];
                            let t1 = t / g.kernel[2] % g.kernel[1];
                            let t0 = t / g.kernel[2] / g.kernel[1];
                            let place = |axis: usize, q: usize, t: usize| {
                                let i =
                                    (q * g.stride[axis] + t * g.dilation[axis]) as isize - g.padding[axis];
                                usize::try_from(i).ok().filter(|&i| i < g.input[axis])
                            };
                            let (Some(i0), Some(i1), Some(i2)) =
                                (place(0, q0, t0), place(1, q1, t1), place(2, q2, t2))
                            else {
                                continue;
                            };
                            let channel = o / group_features * group_channels + c;
                            let i = ((channel * g.input[0] + i0) * g.input[1] + i1) * g.input[2] + i2;
                            let q = ((o * g.output[0] + q0) * g.output[1] + q1) * g.output[2] + q2;
                            let k = (o * group_channels + c) * g.kernel.iter().product::<usize>() + t;
                            y[q] += w[k] * x[i];
                            dx[i] += w[k] * dy[q];
                        }
                    }
                }
            }
        }
    }
    (y, dx)
}

fn numbers(count: usize, name: &str) -> Vec<f64> {
    let mut values = vec![0.0; count];
    Rng::named(3, name).fill_normal(&mut values, 0.0, 1.0);
    values
}

fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-11), "{a:?}\n{b:?}");
}

fn check<const D: usize>(size: [usize; D], kernel: [usize; D], options: &ConvOptions<D>) {
    let groups = options.groups;
    let x_shape = [&[5, 2 * groups], &size[..]].concat();
    let w_shape = [&[3 * groups, 2], &kernel[..]].concat();
    let Ok(g) = Geometry::new::<D>(&x_shape, &w_shape, options) else { return };
    let w = numbers(g.features * g.group_channels() * g.taps(), "w");
    let x = numbers(g.channels * g.input_size(), "x");
    let dy = numbers(g.features * g.output_size(), "dy");
    let (y, dx) = seven_loops(&g, &w, &x, &dy);
    let matrix = convolution_matrix(&g, &w).unwrap();
    assert_eq!((matrix.rows(), matrix.columns()), (dy.len(), x.len()));
    close(&matrix.matvec(&x), &y);
    close(&matrix.transpose_matvec(&dy), &dx);
    let dense = matrix.to_dense().unwrap();
    assert_eq!(dense.iter().filter(|&&element| element != 0.0).count(), matrix.weights());
    close(&dense.dot(&ndarray::arr1(&x)).to_vec(), &y);
    for r in 0..matrix.rows() {
        assert!(matrix.row(r).map(|(column, _)| column).is_sorted_by(|a, b| a < b));
    }
}

proptest! {
    #[test]
    fn product_and_transposed_product_are_forward_and_backward(
        size in (1..5usize, 1..6usize, 1..7usize), kernel in (1..4usize, 1..4usize, 1..4usize),
        stride in (1..4usize, 1..3usize, 1..3usize), dilation in (1..3usize, 1..3usize, 1..4usize),
        sides in ((0..3usize, 0..3usize), (0..5usize, 0..2usize), (0..3usize, 0..4usize)), groups in 1..3usize,
    ) {
        let (n, k, s, d, p) = (
            [size.0, size.1, size.2], [kernel.0, kernel.1, kernel.2], [stride.0, stride.1, stride.2],
            [dilation.0, dilation.1, dilation.2], [sides.0, sides.1, sides.2],
        );
        check::<3>(n, k, &ConvOptions { stride: s, padding: p.into(), dilation: d, groups, ..Default::default() });
        check::<2>(
            [n[1], n[2]], [k[1], k[2]],
            &ConvOptions { stride: [s[1], s[2]], padding: [p[1], p[2]].into(), dilation: [d[1], d[2]], groups, ..Default::default() },
        );
        check::<1>(
            [n[2]], [k[2]],
            &ConvOptions { stride: [s[2]], padding: [p[2]].into(), dilation: [d[2]], groups, ..Default::default() },
        );
    }
}

/// One image of one channel, and one kernel.
fn plane(size: (usize, usize), kernel: ArrayView2<f64>, padding: usize) -> SparseMatrix<f64> {
    let options = ConvOptions { padding: padding.into(), ..Default::default() };
    let (x, w) = ([1, 1, size.0, size.1], [1, 1, kernel.nrows(), kernel.ncols()]);
    let geometry = Geometry::new::<2>(&x, &w, &options).unwrap();
    convolution_matrix(&geometry, &kernel.iter().copied().collect::<Vec<_>>()).unwrap()
}

fn kernel(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), numbers(rows * columns, "kernel")).unwrap()
}

#[test]
fn with_stride_one_the_matrix_is_doubly_block_toeplitz() {
    for (size, taps, padding) in [((5, 4), (3, 2), 0), ((4, 6), (3, 3), 1), ((3, 3), (2, 3), 2)] {
        let dense = plane(size, kernel(taps.0, taps.1).view(), padding).to_dense().unwrap();
        let width_out = size.1 + 2 * padding + 1 - taps.1;
        let (block_rows, block_columns) = (dense.nrows() / width_out, size.0);
        let block = |i: usize, j: usize| {
            dense.slice(s![i * width_out..(i + 1) * width_out, j * size.1..(j + 1) * size.1])
        };
        for i in 1..block_rows {
            for j in 1..block_columns {
                assert_eq!(block(i, j), block(i - 1, j - 1), "blocks depend on i′ − i alone");
            }
        }
        for (i, j) in (0..block_rows).flat_map(|i| (0..block_columns).map(move |j| (i, j))) {
            let block = block(i, j);
            assert_eq!(block.slice(s![1.., 1..]), block.slice(s![..-1, ..-1]), "and elements on j′ − j");
        }
    }
}

#[test]
fn with_stride_two_it_is_not() {
    let options = ConvOptions { stride: [2], ..Default::default() };
    let geometry = Geometry::new::<1>(&[1, 1, 7], &[1, 1, 3], &options).unwrap();
    let dense = convolution_matrix(&geometry, &[1.0, 2.0, 3.0]).unwrap().to_dense().unwrap();
    assert_ne!(dense.slice(s![1.., 1..]), dense.slice(s![..-1, ..-1]));
    assert_eq!(dense.slice(s![1.., 2..]), dense.slice(s![..-1, ..-2]));
}

/// dy among zeros, as large as the input, so that filters of the same size give the full result.
fn embedded(dy: &Array2<f64>, size: (usize, usize)) -> Array2<f64> {
    let mut wide = Array2::zeros(size);
    wide.slice_mut(s![..dy.nrows(), ..dy.ncols()]).assign(dy);
    wide
}

/// The layer correlates; its input's gradient is the full convolution with the same kernel.
#[test]
fn the_gradient_of_a_correlation_is_a_convolution() {
    let (size, w) = ((6, 7), kernel(3, 2));
    let dy = Array2::from_shape_vec((4, 6), numbers(24, "dy")).unwrap();
    let dx = plane(size, w.view(), 0).transpose_matvec(dy.as_slice().unwrap());
    let k = Kernel::new(w, (0, 0)).unwrap();
    let full = convolve(embedded(&dy, size).view(), &k, Boundary::Zero);
    close(&dx, full.as_slice().unwrap());
    let turned = correlate(embedded(&dy, size).view(), &k.rotated(), Boundary::Zero);
    close(&dx, turned.as_slice().unwrap());
}

/// The layer convolves, z′(i, j) = Σ w(m, n) · z(i − m, j − n); its input's gradient is the correlation with the same w.
#[test]
fn the_gradient_of_a_convolution_is_a_correlation() {
    let size = (5, 6);
    for padding in [0, 1, 2] {
        let w = kernel(3, 3);
        // A layer that convolves is one that correlates with the kernel turned by 180°.
        let turned = w.slice(s![..;-1, ..;-1]);
        let matrix = plane(size, turned, padding);
        let out = (size.0 + 2 * padding - 2, size.1 + 2 * padding - 2);
        let dy = Array2::from_shape_vec(out, numbers(out.0 * out.1, "dy")).unwrap();
        let dx = matrix.transpose_matvec(dy.as_slice().unwrap());
        // dx(i, j) = Σ dy(i + m, j + n) · w(m, n), where m, n = −1, 0, 1, and output (0, 0) stands at input (1 − p, 1 − p).
        let mut expected = Vec::new();
        for (i, j) in (0..size.0 as isize).flat_map(|i| (0..size.1 as isize).map(move |j| (i, j))) {
            let mut sum = 0.0;
            for (m, n) in (-1..=1).flat_map(|m| (-1..=1).map(move |n| (m, n))) {
                let shift = padding as isize - 1;
                let (row, column) = (i + m + shift, j + n + shift);
                if let (Ok(row), Ok(column)) = (usize::try_from(row), usize::try_from(column)) {
                    let weight = w[((m + 1) as usize, (n + 1) as usize)];
                    sum += dy.get((row, column)).map_or(0.0, |dy| dy * weight);
                }
            }
            expected.push(sum);
        }
        close(&dx, &expected);
        if padding == 1 {
            let k = Kernel::centred(w).unwrap();
            let correlated = correlate(dy.view(), &k, Boundary::Zero);
            close(&dx, correlated.as_slice().unwrap());
            let z = Array2::from_shape_vec(size, numbers(30, "z")).unwrap();
            let forward = convolve(z.view(), &k, Boundary::Zero);
            close(&matrix.matvec(z.as_slice().unwrap()), forward.as_slice().unwrap());
        }
    }
}

#[test]
fn a_column_is_the_answer_to_an_impulse() {
    let matrix = plane((4, 5), kernel(2, 3).view(), 1);
    let dense = matrix.to_dense().unwrap();
    for column in 0..matrix.columns() {
        let mut impulse = vec![0.0; matrix.columns()];
        impulse[column] = 1.0;
        assert_eq!(matrix.matvec(&impulse), dense.column(column).to_vec());
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let options = ConvOptions { padding: 1.into(), ..Default::default() };
    let g = Geometry::new::<2>(&[1, 3, 70, 70], &[4, 3, 3, 3], &options).unwrap();
    let matrix = convolution_matrix(&g, &numbers(108, "w")).unwrap();
    let (x, dy) = (numbers(matrix.columns(), "x"), numbers(matrix.rows(), "dy"));
    let (y, dx) = seven_loops(&g, &numbers(108, "w"), &x, &dy);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (matrix.matvec(&x), matrix.transpose_matvec(&dy)))
    };
    assert_eq!(run(1), run(3));
    close(&run(2).0, &y);
    close(&run(2).1, &dx);
}

#[test]
fn what_is_too_large_or_does_not_fit_is_refused() {
    let g = Geometry::new::<2>(&[1, 1, 5, 5], &[2, 1, 3, 3], &ConvOptions::default()).unwrap();
    let expected = MatrixError::Weights { expected: 18, shape: [2, 1, 1, 3, 3], len: 9 };
    assert_eq!(convolution_matrix(&g, &[0.0f32; 9]), Err(expected));

    let large = Geometry::new::<2>(&[1, 1, 9000, 9000], &[1, 1, 3, 3], &ConvOptions::default()).unwrap();
    let error = convolution_matrix(&large, &[1.0f32; 9]).unwrap_err();
    assert!(matches!(error, MatrixError::TooLarge { what: "the matrix", .. }), "{error}");

    let wide = Geometry::new::<1>(&[1, 1, 10_000], &[1, 1, 1], &ConvOptions::default()).unwrap();
    let matrix = convolution_matrix(&wide, &[1.0f32]).unwrap();
    assert!(matches!(matrix.to_dense(), Err(MatrixError::TooLarge { what: "the dense matrix", .. })));
    for scale in [1, 1 << 40, usize::MAX] {
        let error = matrix.picture(PictureOptions { scale, block: (1, 1) }).unwrap_err();
        assert!(matches!(error, MatrixError::TooLarge { what: "the picture", .. }));
    }
    // An empty batch says nothing of the sizes of one image; neither does padding of those of the weights.
    let sides = Padding::Sides([(1 << 40, 1 << 40)]);
    let options = ConvOptions { padding: sides, ..Default::default() };
    let hollow = Geometry::new::<1>(&[0, 1, 1], &[0, 1, 1], &options).unwrap();
    assert!(convolution_matrix::<f32>(&hollow, &[]).is_err());
}

#[test]
fn pictures_show_signs_strengths_and_blocks() {
    let matrix = plane((1, 3), ndarray::array![[4.0, -2.0]].view(), 0); // [4 −2 0; 0 4 −2]
    let picture = matrix.picture(PictureOptions { scale: 2, block: (1, 2) }).unwrap();
    assert_eq!(picture.dim(), (5, 7, 3));
    let pixel = |y, x| [picture[(y, x, 0)], picture[(y, x, 1)], picture[(y, x, 2)]];
    assert_eq!(pixel(0, 0), pixel(1, 1));
    assert_eq!(pixel(0, 0), pixel(4, 3), "4 stands at (0, 0) and (1, 1)");
    let ([r, g, b], [nr, ng, nb]) = (pixel(0, 0), pixel(0, 2));
    assert!(r > g && r > b && nb > nr && nb > ng, "positive is red, negative blue");
    assert!(nr > 60 && g < 60, "half as strong is paler");
    assert_eq!(pixel(0, 5), [255; 3]);
    assert_eq!((pixel(2, 0), pixel(0, 4)), ([200; 3], [200; 3]), "lines between blocks");
    assert_eq!(matrix.picture(PictureOptions::default()).unwrap().dim(), (2, 3, 3));
}
