//! The kernels against loops that read like the equations.

use striate_compute::gemm::Mat;
use striate_compute::rng::Rng;

use super::*;

const KINDS: [Kind; 4] = [Kind::Tanh, Kind::Relu, Kind::Lstm, Kind::Gru];

/// Everything that a run reads.
struct Problem {
    kind: Kind,
    input: usize,
    hidden: usize,
    batch_sizes: Vec<usize>,
    reverse: bool,
    x: Vec<f64>,
    ih: Vec<f64>,
    hh: Vec<f64>,
    bias: Option<[Vec<f64>; 2]>,
    h: Vec<f64>,
    c: Vec<f64>,
}

fn normal(rng: &mut Rng, n: usize, std: f64) -> Vec<f64> {
    let mut values = vec![0.0; n];
    rng.fill_normal(&mut values, 0.0, std);
    values
}

impl Problem {
    fn drawn(kind: Kind, input: usize, hidden: usize, lengths: &[usize], reverse: bool, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let steps = lengths[0];
        let batch_sizes: Vec<usize> =
            (0..steps).map(|t| lengths.iter().filter(|&&length| length > t).count()).collect();
        let (batch, rows) = (lengths.len(), kind.gates() * hidden);
        let std = 1.0 / (hidden as f64).sqrt();
        let mut draw = |n, std| normal(&mut rng, n, std);
        Problem {
            kind,
            input,
            hidden,
            reverse,
            x: draw(batch_sizes.iter().sum::<usize>() * input, 1.0),
            ih: draw(rows * input, std),
            hh: draw(rows * hidden, std),
            bias: (!seed.is_multiple_of(3)).then(|| [draw(rows, 0.5), draw(rows, 0.5)]),
            h: draw(batch * hidden, 0.5),
            c: draw(if kind.has_cell() { batch * hidden } else { 0 }, 0.5),
            batch_sizes,
        }
    }

    fn sequence(&self) -> Sequence<'_> {
        let Problem { kind, input, hidden, ref batch_sizes, reverse, .. } = *self;
        Sequence { kind, input, hidden, batch_sizes, reverse }
    }

    /// (y, h, c), one number after the other.
    fn reference(&self) -> [Vec<f64>; 3] {
        let Problem { kind, input, hidden, .. } = *self;
        let (mut h, mut c) = (self.h.clone(), self.c.clone());
        let mut y = vec![0.0; self.sequence().rows() * hidden];
        let mut order: Vec<usize> = (0..self.batch_sizes.len()).collect();
        if self.reverse {
            order.reverse();
        }
        let sigmoid = |a: f64| 1.0 / (1.0 + (-a).exp());
        for t in order {
            let start: usize = self.batch_sizes[..t].iter().sum();
            for n in 0..self.batch_sizes[t] {
                let x = &self.x[(start + n) * input..][..input];
                let before = h[n * hidden..][..hidden].to_vec();
                let sum = |w: &[f64], x: &[f64], row: usize| -> f64 {
                    w[row * x.len()..][..x.len()].iter().zip(x).map(|(w, x)| w * x).sum()
                };
                let bias = |which: usize, row: usize| self.bias.as_ref().map_or(0.0, |b| b[which][row]);
                let from_x = |row: usize| sum(&self.ih, x, row) + bias(0, row);
                let from_h = |row: usize| sum(&self.hh, &before, row) + bias(1, row);
                for j in 0..hidden {
                    let at = |gate: usize| gate * hidden + j;
                    let joint = |gate: usize| from_x(at(gate)) + from_h(at(gate));
                    h[n * hidden + j] = match kind {
                        Kind::Tanh => joint(0).tanh(),
                        Kind::Relu => joint(0).max(0.0),
                        Kind::Lstm => {
                            let (i, f, g, o) =
                                (sigmoid(joint(0)), sigmoid(joint(1)), joint(2).tanh(), sigmoid(joint(3)));
                            let c = &mut c[n * hidden + j];
                            *c = f * *c + i * g;
                            o * c.tanh()
                        }
                        Kind::Gru => {
                            let (r, z) = (sigmoid(joint(0)), sigmoid(joint(1)));
                            let g = (from_x(at(2)) + r * from_h(at(2))).tanh();
                            (1.0 - z) * g + z * before[j]
                        }
                    };
                    y[(start + n) * hidden + j] = h[n * hidden + j];
                }
            }
        }
        [y, h, c]
    }

    fn of<E: striate_compute::Real>(values: &[f64]) -> Vec<E> {
        values.iter().map(|&value| E::of(value)).collect()
    }

    /// What the kernel gives for (y, h, c), and the gradients of Σ (y + h + c) weighed by `weigh`.
    fn run<E: striate_compute::Real>(&self) -> ([Vec<f64>; 3], Vec<Vec<f64>>) {
        let sequence = self.sequence();
        let [x, ih, hh] = [&self.x, &self.ih, &self.hh].map(|values| Self::of::<E>(values));
        let bias = self.bias.as_ref().map(|bias| bias.each_ref().map(|bias| Self::of::<E>(bias)));
        let bias = |i: usize| bias.as_ref().map(|bias| &bias[i][..]);
        let weights = Weights { ih: &ih, hh: &hh, bias_ih: bias(0), bias_hh: bias(1) };
        let (mut h, mut c) = (Self::of::<E>(&self.h), Self::of::<E>(&self.c));
        let mut y = vec![E::NAN; sequence.rows() * self.hidden];
        let trace = sequence.forward(&x, &weights, &mut h, &mut c, &mut y, true).expect("kept");

        let dy = Self::of::<E>(&weigh(y.len()));
        let dy = Mat::new(&dy, sequence.rows(), self.hidden);
        let (mut dh, mut dc) = (Self::of::<E>(&weigh(h.len())), Self::of::<E>(&weigh(c.len())));
        let gradients = sequence.backward(&weights, &trace, Some(dy), &mut dh, &mut dc);
        let mut filled = [x.len(), ih.len(), hh.len(), ih.len() / self.input, hh.len() / self.hidden]
            .map(|n| vec![E::NAN; n]);
        gradients.x(&sequence, &weights, E::zero(), &mut filled[0]);
        gradients.w_ih(&sequence, &x, E::zero(), &mut filled[1]);
        gradients.w_hh(&sequence, &trace, E::zero(), &mut filled[2]);
        gradients.b_ih(&sequence, E::zero(), &mut filled[3]);
        gradients.b_hh(&sequence, E::zero(), &mut filled[4]);

        let (mut h_only, mut c_only) = (Self::of::<E>(&self.h), Self::of::<E>(&self.c));
        let mut y_only = vec![E::NAN; y.len()];
        assert!(sequence.forward(&x, &weights, &mut h_only, &mut c_only, &mut y_only, false).is_none());
        assert!((&y_only, &h_only, &c_only) == (&y, &h, &c), "a forward that keeps nothing differs");
        let wide = |values: Vec<E>| values.into_iter().map(E::f64).collect::<Vec<f64>>();
        ([y, h, c].map(wide), filled.into_iter().chain([dh, dc]).map(wide).collect())
    }

    fn loss(&self) -> f64 {
        let dot = |values: &Vec<f64>| values.iter().zip(weigh(values.len())).map(|(v, w)| v * w).sum::<f64>();
        self.reference().iter().map(dot).sum()
    }
}

/// Numbers in ±1, none of them 0.
fn weigh(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((7 * i % 11) as f64 - 4.5) / 5.0).collect()
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}[{i}]: {a}, should be {b}");
    }
}

/// Sizes that leave rests everywhere, lengths that differ, both directions.
fn problems() -> impl Iterator<Item = Problem> {
    let lengths: [&[usize]; 7] =
        [&[1], &[4], &[3, 3], &[5, 2, 1], &[4, 4, 3, 3, 3, 1, 1], &[2; 16], &[7, 5, 5, 5, 2, 2, 2, 2, 2, 1]];
    let sizes = [(1, 1), (3, 5), (7, 17), (2, 32), (19, 33)];
    let cases = sizes.into_iter().flat_map(move |sizes| lengths.map(|lengths| (sizes, lengths)));
    cases.enumerate().flat_map(|(i, ((input, hidden), lengths))| {
        KINDS.into_iter().map(move |kind| {
            Problem::drawn(kind, input, hidden, lengths, i % 2 == 1, (i * 4) as u64 + kind.gates() as u64)
        })
    })
}

#[test]
fn the_kernels_compute_the_equations() {
    for problem in problems() {
        let what = format!("{:?}", problem.sequence());
        let expected = problem.reference();
        let (double, _) = problem.run::<f64>();
        let (single, _) = problem.run::<f32>();
        for i in 0..3 {
            assert_close(&double[i], &expected[i], 1e-12, &what);
            assert_close(&single[i], &expected[i], 2e-5, &what);
        }
    }
}

#[test]
fn gradients_are_slopes() {
    for mut problem in problems().filter(|problem| problem.x.len() < 60 && problem.hidden < 20) {
        let what = format!("{:?}", problem.sequence());
        let (_, gradients) = problem.run::<f64>();
        let (_, single) = problem.run::<f32>();
        let parts: [fn(&mut Problem) -> &mut [f64]; 7] = [
            |p| &mut p.x,
            |p| &mut p.ih,
            |p| &mut p.hh,
            |p| p.bias.as_mut().map_or(&mut [], |bias| &mut bias[0]),
            |p| p.bias.as_mut().map_or(&mut [], |bias| &mut bias[1]),
            |p| &mut p.h,
            |p| &mut p.c,
        ];
        for (i, part) in parts.iter().enumerate() {
            let slopes: Vec<f64> = (0..part(&mut problem).len())
                .map(|j| {
                    let value = part(&mut problem)[j];
                    let mut at = |x: f64| {
                        part(&mut problem)[j] = x;
                        problem.loss()
                    };
                    let slope = (at(value + 1e-6) - at(value - 1e-6)) / 2e-6;
                    at(value);
                    slope
                })
                .collect();
            if !slopes.is_empty() {
                assert_close(&gradients[i], &slopes, 1e-6, &format!("{what}, part {i}"));
                assert_close(&single[i], &slopes, 1e-4, &format!("{what}, part {i} in f32"));
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let many: &[usize] = &[9, 9, 9, 9, 8, 8, 7, 7, 5, 5, 5, 5, 3, 3, 3, 2, 1];
    for (lengths, hidden, reverse) in
        [(many, 72, false), (&[30], 128, false), (&[9, 5], 130, true), (&[7, 6, 2], 200, false)]
    {
        for kind in KINDS {
            let problem = Problem::drawn(kind, 24, hidden, lengths, reverse, 4);
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                pool.install(|| problem.run::<f32>())
            };
            let one = run(1);
            assert!(one == run(2) && one == run(5), "{kind:?} {lengths:?}");
            one.0.iter().zip(problem.reference()).for_each(|(one, expected)| {
                assert_close(one, &expected, 2e-5, &format!("{kind:?} {lengths:?}"));
            });
        }
    }
}

#[test]
fn a_stream_takes_the_steps_of_a_sequence() {
    for kind in KINDS {
        let mut problem = Problem::drawn(kind, 3, 5, &[6], false, 1);
        problem.h.fill(0.0);
        problem.c.fill(0.0);
        let bias = problem.bias.as_ref().expect("drawn with one");
        let weights =
            Weights { ih: &problem.ih, hh: &problem.hh, bias_ih: Some(&bias[0]), bias_hh: Some(&bias[1]) };
        let mut stream = Stream::new(kind, 3, 5, &weights).expect("weights that fit");
        let [y, ..] = problem.reference();
        for _ in 0..2 {
            for (x, y) in problem.x.chunks(3).zip(y.chunks(5)) {
                assert_close(stream.step(x).expect("an x that fits"), y, 1e-12, "stream");
            }
            stream.reset();
        }
    }
}

#[test]
fn a_stream_goes_on_from_a_saved_state() {
    let problem = Problem::drawn(Kind::Lstm, 3, 5, &[6], false, 3);
    let second = Problem::drawn(Kind::Gru, 5, 2, &[6], false, 3);
    let weights = |p: &'static Problem| Weights { ih: &p.ih, hh: &p.hh, bias_ih: None, bias_hh: None };
    let (problem, second) = (&*Box::leak(Box::new(problem)), &*Box::leak(Box::new(second)));
    let stream = || {
        let first = Stream::new(Kind::Lstm, 3, 5, &weights(problem)).expect("weights that fit");
        first.then(Kind::Gru, 2, &weights(second)).expect("weights that fit")
    };
    let (mut a, mut b) = (stream(), stream());
    a.step(&[1.0, 2.0, 3.0]).expect("an x that fits");
    b.set_state(&a.state()).expect("the same layers");
    let next = [0.5, -1.0, 0.0];
    assert_eq!(a.step(&next).expect("fits"), b.step(&next).expect("fits"));
    let error = a.step(&[1.0]).expect_err("too short").to_string();
    assert_eq!(error, "x must be [3], is [1]");
    assert!(a.set_state(&b.state()[..1]).is_err());
}

#[test]
#[should_panic(expected = "batch sizes must be positive and must not grow, step 1 has 2 after 1")]
fn batch_sizes_that_grow_are_refused() {
    let mut problem = Problem::drawn(Kind::Gru, 3, 5, &[2, 1], false, 1);
    problem.batch_sizes.reverse();
    problem.run::<f64>();
}
