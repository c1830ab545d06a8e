use striate_compute::Real;
use striate_compute::rng::Rng;

use super::*;

const TILES: [Tile; 2] = [Tile::Two, Tile::Four];

/// A convolution of channels and features per group, with padding before and after by axis.
fn geometry(
    batch: usize,
    [groups, channels, features]: [usize; 3],
    size: [usize; 2],
    padding: [[isize; 2]; 2],
    dilation: [usize; 2],
) -> Geometry {
    let output = |axis: usize| {
        let padded = size[axis] as isize + padding[axis][0] + padding[axis][1];
        usize::try_from(padded - 2 * dilation[axis] as isize).expect("the window fits")
    };
    let g = Geometry {
        batch,
        groups,
        channels: groups * channels,
        features: groups * features,
        input: [1, size[0], size[1]],
        output: [1, output(0), output(1)],
        kernel: [1, 3, 3],
        stride: [1; 3],
        dilation: [1, dilation[0], dilation[1]],
        padding: [0, padding[0][0], padding[1][0]],
    };
    assert!(supports(&g));
    g
}

/// Calls `visit(x index, w index, y index)` for every product that the convolution sums.
fn products(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (channels, features) = (g.group_channels(), g.group_features());
    let [_, height, width] = g.output;
    for plane in 0..g.batch * g.features {
        let (n, o) = (plane / g.features, plane % g.features);
        for (c, tap) in (0..channels).flat_map(|c| (0..9).map(move |tap| (c, tap))) {
            let from = n * g.channels + o / features * channels + c;
            for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
                let i = (row + tap / 3 * g.dilation[1]) as isize - g.padding[1];
                let j = (column + tap % 3 * g.dilation[2]) as isize - g.padding[2];
                if (0..g.input[1] as isize).contains(&i) && (0..g.input[2] as isize).contains(&j) {
                    let x = (from * g.input[1] + i as usize) * g.input[2] + j as usize;
                    visit(x, (o * channels + c) * 9 + tap, (plane * height + row) * width + column);
                }
            }
        }
    }
}

/// x, w, bias, dy; and y, dx, dw as defined.
struct Case {
    g: Geometry,
    x: Vec<f64>,
    w: Vec<f64>,
    bias: Vec<f64>,
    dy: Vec<f64>,
    y: Vec<f64>,
    dx: Vec<f64>,
    dw: Vec<f64>,
}

fn case(g: Geometry, seed: u64) -> Case {
    let mut rng = Rng::new(seed);
    // Numbers of f32, so that both precisions see the same ones.
    let mut normal = |len: usize| {
        let mut x = vec![0.0f32; len];
        rng.fill_normal(&mut x, 0.0, 1.0);
        x.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    let x = normal(g.batch * g.channels * g.input_size());
    let w = normal(g.features * g.group_channels() * 9);
    let bias = normal(g.features);
    let dy = normal(g.batch * g.features * g.output_size());
    let mut y: Vec<f64> = (0..dy.len()).map(|i| bias[i / g.output_size() % g.features]).collect();
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    products(&g, |xi, wi, yi| {
        y[yi] += x[xi] * w[wi];
        dx[xi] += dy[yi] * w[wi];
        dw[wi] += dy[yi] * x[xi];
    });
    Case { g, x, w, bias, dy, y, dx, dw }
}

fn cast<E: Real>(x: &[f64]) -> Vec<E> {
    x.iter().map(|&x| E::of(x)).collect()
}

/// y, dx and dw by Winograd, each on top of `old`.
fn compute<E: Real>(case: &Case, tile: Tile, beta: f64, old: f64) -> [Vec<E>; 3] {
    let Case { g, x, w, bias, dy, .. } = case;
    let [x, w, bias, dy] = [x, w, bias, dy].map(|x| cast::<E>(x));
    let [mut y, mut dx, mut dw] = [&dy, &x, &w].map(|like| vec![E::of(old); like.len()]);
    let beta = E::of(beta);
    forward(g, tile, &x, Weights::Direct(&w), Some(&bias), beta, &mut y);
    forward(&adjoint(g), tile, &dy, Weights::Adjoint(&w), None, beta, &mut dx);
    weight_gradient(g, tile, &x, &dy, beta, &mut dw);
    [y, dx, dw]
}

/// Largest error over the largest value.
fn error<E: Real>(found: &[E], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let errors = found.iter().zip(expected).map(|(a, b)| (a.f64() - b).abs());
    errors.fold(0.0, |worst, e| if e > worst || e.is_nan() { e } else { worst }) / largest.max(1.0)
}

fn check<E: Real>(case: &Case, bound: [f64; 2]) {
    for (tile, bound) in TILES.into_iter().zip(bound) {
        let found = compute::<E>(case, tile, 0.0, f64::NAN);
        for ((name, found), expected) in
            ["y", "dx", "dw"].iter().zip(&found).zip([&case.y, &case.dx, &case.dw])
        {
            let error = error(found, expected);
            assert!(error < bound, "{name} by {tile:?}: error {error:e} ({}, {:?})", E::NAME, case.g);
        }
    }
}

fn sweep() -> Vec<Geometry> {
    let same = [[1, 1], [1, 1]];
    let mut all = vec![
        geometry(1, [1, 1, 1], [1, 1], same, [1, 1]),
        geometry(2, [1, 3, 2], [1, 2], [[2, 2], [1, 3]], [1, 1]),
        geometry(3, [1, 5, 33], [7, 7], same, [1, 1]),
        geometry(2, [1, 2, 3], [14, 5], [[0, 0], [0, 0]], [1, 1]),
        geometry(2, [3, 2, 4], [9, 17], [[0, 2], [2, 1]], [1, 1]),
        geometry(1, [1, 2, 2], [12, 11], [[-2, 1], [1, -3]], [1, 1]),
        geometry(1, [2, 3, 1], [8, 8], [[4, 5], [6, 3]], [1, 1]),
        geometry(2, [6, 1, 1], [10, 13], same, [1, 1]),
        geometry(1, [1, 1, 2], [3, 470], same, [1, 1]),
        geometry(2, [1, 2, 3], [13, 9], [[2, 2], [2, 2]], [2, 2]),
        geometry(1, [2, 2, 1], [11, 15], [[1, 4], [3, -1]], [1, 3]),
        geometry(2, [1, 1, 2], [10, 7], [[5, 3], [1, 1]], [4, 1]),
        geometry(1, [1, 2, 2], [3, 3], [[5, 5], [5, 5]], [5, 5]),
        geometry(4, [1, 17, 35], [28, 26], same, [1, 1]),
    ];
    let mut rng = Rng::new(7);
    for _ in 0..24 {
        let mut below = |n: usize| rng.below(n);
        let dilation = [1 + below(2), 1 + below(2)];
        let size = [5 + below(30), 5 + below(30)];
        let padding = [[0; 2]; 2].map(|sides| sides.map(|_: isize| below(4) as isize));
        let channels = [1 + below(3), 1 + below(9), 1 + below(9)];
        all.push(geometry(1 + below(4), channels, size, padding, dilation));
    }
    all
}

#[test]
fn agrees_with_the_definition() {
    for (seed, g) in sweep().into_iter().enumerate() {
        let case = case(g, seed as u64);
        check::<f64>(&case, [1e-13, 1e-12]);
        check::<f32>(&case, [2e-6, 1.2e-5]);
    }
}

#[test]
fn both_ways_to_cut_the_work_agree_with_the_definition() {
    let same = [[1, 1], [1, 1]];
    for (batch, channels, size) in
        [(8, [1, 40, 16], [28, 28]), (1, [2, 24, 100], [9, 11]), (2, [1, 300, 40], [7, 7])]
    {
        let case = case(geometry(batch, channels, size, same, [1, 1]), 3);
        check::<f32>(&case, [2e-6, 1.2e-5]);
        check::<f64>(&case, [1e-13, 1e-12]);
    }
}

#[test]
fn adds_to_what_is_there_only_when_asked() {
    let case = case(geometry(2, [2, 3, 5], [9, 6], [[1, 1], [1, 1]], [1, 1]), 5);
    for tile in TILES {
        let found = compute::<f64>(&case, tile, -2.0, 3.0);
        for (found, expected) in found.iter().zip([&case.y, &case.dx, &case.dw]) {
            let expected: Vec<f64> = expected.iter().map(|x| x - 6.0).collect();
            assert!(error(found, &expected) < 1e-12);
        }
        let found = compute::<f64>(&case, tile, 1.0, f64::NAN);
        assert!(found.iter().flatten().all(|x| x.is_nan()));
    }
}

#[test]
fn an_empty_batch_or_output_gives_no_gradient() {
    let [x, w] = [vec![], vec![1.0; 18]];
    let mut g = geometry(0, [1, 1, 2], [4, 4], [[1, 1], [1, 1]], [1, 1]);
    for tile in TILES {
        let mut dw = vec![f64::NAN; 18];
        weight_gradient(&g, tile, &x, &[], 0.0, &mut dw);
        assert_eq!(dw, [0.0; 18]);
        weight_gradient(&g, tile, &x, &[], 2.0, &mut dw);
        forward(&g, tile, &x, Weights::Direct(&w), None, 0.0, &mut []);
    }
    g = geometry(1, [1, 1, 2], [2, 4], [[0, 0], [0, 0]], [1, 1]);
    for tile in TILES {
        let mut dx = vec![f64::NAN; 8];
        forward(&adjoint(&g), tile, &[], Weights::Adjoint(&w), None, 0.0, &mut dx);
        assert_eq!(dx, [0.0; 8]);
    }
}

#[test]
fn same_bits_at_any_number_of_threads() {
    let same = [[1, 1], [1, 1]];
    for (batch, channels, size) in
        [(6, [1, 33, 47], [21, 23]), (2, [1, 260, 70], [7, 7]), (3, [2, 20, 9], [12, 40])]
    {
        let case = case(geometry(batch, channels, size, same, [1, 1]), 11);
        for tile in TILES {
            let results = [1, 2, 5].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| compute::<f32>(&case, tile, 1.0, 0.5))
            });
            assert!(results[0] == results[1] && results[0] == results[2], "{tile:?} {:?}", case.g);
        }
    }
}

#[test]
fn supports_flat_3x3_windows_of_stride_1() {
    let g = geometry(1, [1, 1, 1], [4, 4], [[1, 1], [1, 1]], [1, 1]);
    assert!(!supports(&Geometry { kernel: [1, 3, 5], ..g }));
    assert!(!supports(&Geometry { stride: [1, 1, 2], ..g }));
    assert!(!supports(&Geometry { input: [2, 4, 4], output: [2, 4, 4], ..g }));
}

#[test]
fn large_tiles_pay_unless_most_of_them_hangs_over() {
    let same = [[1, 1], [1, 1]];
    for (batch, size, tile) in [
        (16, 56, Tile::Four),
        (16, 7, Tile::Four),
        (16, 6, Tile::Two),
        (16, 2, Tile::Two),
        (1, 14, Tile::Two),
    ] {
        let g = geometry(batch, [1, 64, 64], [size, size], same, [1, 1]);
        assert_eq!(best_tile(&g), tile, "{batch} of {size}");
    }
}
