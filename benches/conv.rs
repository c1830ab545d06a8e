//! The layers of the side-by-side rows, forward (`fwd`) and with the gradients of x, w and b (`fb`), and a few of them
//! by every algorithm, which the table behind `ConvAlgorithm::Auto` rests on. Throughput is floating-point operations;
//! for depthwise convolution, pooling and upsampling it is the bytes that have to be moved at least.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use protocol::conv::{LAYERS, Layer};
use striate_benches::conv;
use striate_compute::par;
use striate_conv::{ConvAlgorithm, Geometry};

/// The layers that every algorithm computes.
const COMPARED: [&str; 4] =
    ["conv-16x64-64-56-k3", "conv-4x3-64-224-k7s2", "conv-64x1-16-28-k5", "dw-16x128-56-k3"];
const ALGORITHMS: [(&str, ConvAlgorithm); 4] = [
    ("auto", ConvAlgorithm::Auto),
    ("direct", ConvAlgorithm::Direct),
    ("im2col", ConvAlgorithm::Im2col),
    ("winograd", ConvAlgorithm::Winograd),
];

fn throughput(layer: &Layer, backward: bool) -> Throughput {
    if layer.operations() == 0 || layer.groups > 1 {
        return Throughput::Bytes(layer.bytes(backward) as u64);
    }
    let passes = if backward { 3 } else { 1 };
    Throughput::Elements(passes * layer.operations() as u64)
}

fn both(group: &mut BenchmarkGroup<WallTime>, name: &str, layer: &Layer, algorithm: ConvAlgorithm) {
    for (pass, backward) in [("fwd", false), ("fb", true)] {
        group.throughput(throughput(layer, backward));
        group.bench_function(format!("{name}/{pass}"), |b| {
            // Made here, so that a bench that is left out makes none.
            let step = conv::step(layer, backward, algorithm);
            b.iter(step);
        });
    }
}

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("conv");
    for layer in &LAYERS {
        both(&mut group, layer.name, layer, ConvAlgorithm::Auto);
    }
    group.finish();
}

fn algorithms(c: &mut Criterion) {
    for layer in LAYERS.iter().filter(|layer| COMPARED.contains(&layer.name)) {
        let mut group = c.benchmark_group(format!("algorithms {}", layer.name));
        let w = layer.w_shape().expect("a convolution");
        for (name, algorithm) in ALGORITHMS {
            let options = conv::options(layer, algorithm);
            if Geometry::new::<2>(&layer.x_shape(), &w, &options).is_ok() {
                both(&mut group, name, layer, algorithm);
            }
        }
        group.finish();
    }
}

fn main() {
    par::install(|| {
        let mut criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1))
            .configure_from_args();
        rows(&mut criterion);
        algorithms(&mut criterion);
        criterion.final_summary();
    });
}
