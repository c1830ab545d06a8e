//! What must hold for every shape and every option: no panic, no access out of bounds, and the definition's results.

use striate_conv::kernels::conv::{self, ConvAlgorithm, reference};
use striate_conv::{ConvOptions, Geometry};

/// Products of one convolution: so few that the definition is fast.
const LIMIT: usize = 1 << 16;

const ALGORITHMS: [ConvAlgorithm; 5] = [
    ConvAlgorithm::Auto,
    ConvAlgorithm::Direct,
    ConvAlgorithm::Im2col,
    ConvAlgorithm::Matrix,
    ConvAlgorithm::Winograd,
];

struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn next(&mut self) -> usize {
        usize::from(self.0.next().copied().unwrap_or(1))
    }

    /// Mostly small; sometimes huge.
    fn size(&mut self, small: usize) -> usize {
        match self.next() {
            255 => usize::MAX >> (self.next() % 64),
            byte => byte % small,
        }
    }

    fn sizes<const N: usize>(&mut self, small: usize) -> [usize; N] {
        std::array::from_fn(|_| self.size(small))
    }
}

pub(crate) fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes.iter());
    let algorithm = ALGORITHMS[bytes.next() % ALGORITHMS.len()];
    let [first, second] = [bytes.sizes::<3>(4), bytes.sizes::<3>(4)];
    let options = ConvOptions::<3> {
        stride: bytes.sizes(5),
        padding: std::array::from_fn(|axis| (first[axis], second[axis])).into(),
        dilation: bytes.sizes(4),
        groups: bytes.size(4),
        algorithm,
    };
    let (mut x, mut w): ([usize; 5], [usize; 5]) = (bytes.sizes(20), bytes.sizes(6));
    // Channels that fit, or none would.
    if bytes.next() > 5 {
        w[0] = w[0].saturating_mul(options.groups);
        x[1] = w[1].saturating_mul(options.groups);
    }
    let (y, output_padding) = ([x[0], w[0], x[2], x[3], x[4]], bytes.sizes(4));
    let geometries =
        [Geometry::new(&x, &w, &options), Geometry::transposed(&y, &w, &options, output_padding)];
    geometries.iter().flatten().for_each(|geometry| kernels(geometry, algorithm));
}

fn kernels(g: &Geometry, algorithm: ConvAlgorithm) {
    let count = |sizes: &[usize]| sizes.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
    let per_place = [g.batch, g.features, g.group_channels(), g.taps()];
    let products = count(&per_place).and_then(|n| n.checked_mul(g.output_size()));
    let x_len = g.batch * g.channels * g.input_size();
    let y_len = g.batch * g.features * g.output_size();
    let w_len = g.features * g.group_channels() * g.taps();
    if products.is_none_or(|n| n > LIMIT) || x_len.max(y_len).max(w_len) > LIMIT {
        return;
    }
    let fill = |n: usize, step: usize| (0..n).map(|i| ((i * step) % 13) as f32 - 6.0).collect::<Vec<f32>>();
    let (x, w, dy) = (fill(x_len, 5), fill(w_len, 7), fill(y_len, 3));
    let mut got = vec![f32::NAN; y_len];
    let mut want = vec![0.0; y_len];
    conv::forward(g, algorithm, &x, &w, None, &mut got);
    reference::forward(g, &x, &w, None, &mut want);
    close(&got, &want, "y", g, algorithm);
    let (mut got, mut want) = (vec![f32::NAN; x_len], vec![0.0; x_len]);
    conv::input_gradient(g, algorithm, &w, &dy, None, 0.0, &mut got);
    reference::input_gradient(g, &w, &dy, 0.0, &mut want);
    close(&got, &want, "dx", g, algorithm);
    let (mut got, mut want) = (vec![f32::NAN; w_len], vec![0.0; w_len]);
    conv::weight_gradient(g, algorithm, &x, &dy, 0.0, &mut got);
    reference::weight_gradient(g, &x, &dy, 0.0, &mut want);
    close(&got, &want, "dw", g, algorithm);
}

fn close(got: &[f32], want: &[f32], what: &str, g: &Geometry, algorithm: ConvAlgorithm) {
    let scale = want.iter().fold(1.0f32, |max, x| max.max(x.abs()));
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= 1e-4 * scale,
            "{what}[{i}] is {got}, not {want} ({algorithm:?}, {g:?})"
        );
    }
}
