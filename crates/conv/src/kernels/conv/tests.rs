//! Every algorithm against the definition, over a sweep of shapes.

use striate_compute::rng::Rng;

use super::*;
use crate::{ConvOptions, Padding};

/// Sizes drawn from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
    fn pick<const N: usize>(&mut self, from: [usize; N]) -> usize {
        from[self.below(N)]
    }
}

/// A convolution that exists, over one to three axes.
fn draw_geometry(draw: &mut Draw) -> Geometry {
    loop {
        let axes = draw.pick([1, 2, 2, 2, 3]);
        let groups = draw.pick([1, 1, 1, 2, 3]);
        let depthwise = draw.below(6) == 0;
        let (c, o) = if depthwise {
            (1, draw.pick([1, 1, 2]))
        } else {
            (draw.pick([1, 2, 3, 5, 8]), draw.pick([1, 2, 4, 7]))
        };
        let mut options = ConvOptions::<3> { groups, ..Default::default() };
        let mut sides = [(0, 0); 3];
        let (mut x, mut w) = (vec![draw.pick([0, 1, 2, 3, 2, 1]), groups * c], vec![groups * o, c]);
        for (axis, sides) in sides.iter_mut().enumerate() {
            if axis < 3 - axes {
                x.push(1);
                w.push(1);
                continue;
            }
            let small = if axes == 3 {
                draw.pick([1, 2, 3, 4, 5])
            } else {
                draw.pick([1, 2, 3, 5, 7, 11, 13, 17, 19, 36])
            };
            x.push(small);
            w.push(draw.pick([1, 2, 3, 3, 3, 4, 5]));
            options.stride[axis] = draw.pick([1, 1, 1, 2, 3, 4]);
            options.dilation[axis] = draw.pick([1, 1, 1, 2, 3]);
            *sides = (draw.pick([0, 0, 1, 2, 3]), draw.pick([0, 0, 1, 2, 3]));
        }
        options.padding = Padding::Sides(sides);
        if let Ok(g) = Geometry::new(&x, &w, &options) {
            return g;
        }
    }
}

fn fill<E: Real>(name: &str, len: usize) -> Vec<E> {
    let mut values = vec![E::zero(); len];
    Rng::named(7, name).fill_normal(&mut values, 0.0, 1.0);
    values
}

#[track_caller]
fn close<E: Real>(got: &[E], want: &[E], bound: f64, what: &str) {
    let scale = want.iter().fold(1.0, |max: f64, x| max.max(x.f64().abs()));
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let off = (got.f64() - want.f64()).abs();
        assert!(off <= bound * scale, "{what}: element {i} is {got}, not {want}");
    }
}

fn check_all<E: Real>(g: &Geometry, algorithm: ConvAlgorithm, bound: f64) {
    let (x_len, w_len) = (g.batch * g.channels * g.input_size(), g.features * g.group_channels() * g.taps());
    let y_len = g.batch * g.features * g.output_size();
    let (x, w, dy) = (fill::<E>("x", x_len), fill::<E>("w", w_len), fill::<E>("dy", y_len));
    let (b, c) = (fill::<E>("b", g.features), fill::<E>("c", g.channels));
    let what = |part: &str| format!("{part} by {algorithm:?} of {g:?}");

    let (mut y, mut want) = (vec![E::NAN; y_len], vec![E::zero(); y_len]);
    forward(g, algorithm, &x, &w, Some(&b), &mut y);
    reference::forward(g, &x, &w, Some(&b), &mut want);
    close(&y, &want, bound, &what("y"));
    y.fill(E::NAN);
    forward(g, algorithm, &x, &w, None, &mut y);
    reference::forward(g, &x, &w, None, &mut want);
    close(&y, &want, bound, &what("y without bias"));

    for (beta, bias) in [(0.0, None), (1.0, None), (-0.5, None), (0.0, Some(&c[..])), (1.0, Some(&c[..]))] {
        let old = if beta == 0.0 { vec![E::NAN; x_len] } else { fill::<E>("old", x_len) };
        let (mut dx, mut want) = (old.clone(), old);
        input_gradient(g, algorithm, &w, &dy, bias, E::of(beta), &mut dx);
        reference::input_gradient(g, &w, &dy, E::of(beta), &mut want);
        if let Some(bias) = bias {
            let plane = g.input_size();
            for (i, want) in want.iter_mut().enumerate() {
                *want += bias[i / plane % g.channels];
            }
        }
        close(&dx, &want, bound, &what(&format!("dx (β {beta}, bias {})", bias.is_some())));
    }
    for beta in [0.0, 1.0, -0.5] {
        let old = if beta == 0.0 { vec![E::NAN; w_len] } else { fill::<E>("old", w_len) };
        let (mut dw, mut want) = (old.clone(), old);
        weight_gradient(g, algorithm, &x, &dy, E::of(beta), &mut dw);
        reference::weight_gradient(g, &x, &dy, E::of(beta), &mut want);
        close(&dw, &want, bound, &what(&format!("dw (β {beta})")));
    }
    let (mut db, mut want) = (vec![E::NAN; g.features], vec![E::zero(); g.features]);
    bias_gradient(g, &dy, E::zero(), &mut db);
    for (i, &dy) in dy.iter().enumerate() {
        want[i / g.output_size() % g.features] += dy;
    }
    close(&db, &want, bound, &what("db"));
}

const ALL: [ConvAlgorithm; 5] = [
    ConvAlgorithm::Auto,
    ConvAlgorithm::Direct,
    ConvAlgorithm::Im2col,
    ConvAlgorithm::Matrix,
    ConvAlgorithm::Winograd,
];

#[test]
fn every_algorithm_is_the_definition() {
    let mut draw = Draw(1);
    for _ in 0..2000 {
        let g = draw_geometry(&mut draw);
        for algorithm in ALL {
            if algorithm.supports(&g) {
                check_all::<f64>(&g, algorithm, 1e-12);
                // Winograd's tiles lose some digits, as its documentation says.
                check_all::<f32>(
                    &g,
                    algorithm,
                    if algorithm == ConvAlgorithm::Winograd { 3e-5 } else { 1e-5 },
                );
            }
        }
    }
}

/// A phase of this is depthwise with a 3×3 kernel, and its only line is longer than a band.
#[test]
fn a_long_line_is_cut_into_bands() {
    let options = ConvOptions {
        stride: [1, 2],
        dilation: [1, 2],
        padding: [1, 2].into(),
        groups: 3,
        ..Default::default()
    };
    let g = Geometry::new::<2>(&[2, 3, 1, 1100], &[3, 1, 3, 3], &options).unwrap();
    for algorithm in ALL.into_iter().filter(|algorithm| algorithm.supports(&g)) {
        check_all::<f64>(&g, algorithm, 1e-12);
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let options = ConvOptions { padding: 1.into(), ..Default::default() };
    let strided = ConvOptions { stride: [2, 3], padding: 2.into(), ..Default::default() };
    let depthwise = ConvOptions { groups: 16, ..options };
    let shapes = [
        (Geometry::new::<2>(&[3, 16, 40, 37], &[24, 16, 3, 3], &options)),
        (Geometry::new::<2>(&[3, 16, 40, 37], &[24, 16, 4, 5], &strided)),
        (Geometry::new::<2>(&[3, 16, 40, 37], &[16, 1, 3, 3], &depthwise)),
    ];
    for g in shapes {
        let g = g.unwrap();
        for algorithm in ALL.into_iter().filter(|algorithm| algorithm.supports(&g)) {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let x = fill::<f32>("x", g.batch * g.channels * g.input_size());
                    let dy = fill::<f32>("dy", g.batch * g.features * g.output_size());
                    let w = fill::<f32>("w", g.features * g.group_channels() * g.taps());
                    let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
                    forward(&g, algorithm, &x, &w, None, &mut y);
                    input_gradient(&g, algorithm, &w, &dy, None, 0.0, &mut dx);
                    weight_gradient(&g, algorithm, &x, &dy, 0.0, &mut dw);
                    (y, dx, dw)
                })
            };
            let one = on(1);
            assert!(one == on(2) && one == on(5), "{algorithm:?} {g:?}");
        }
    }
}
