//! The recurrent rows: layers forward (`fwd`) and with the gradients of x and of all parameters (`fb`), the character
//! model's training step and one step of a stream; and an LSTM over more and more steps, whose time grows as they do.
//! Throughput is the floating-point operations of the products.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use protocol::Row;
use protocol::recurrent::{CELL, CELL_ROW, CHARACTERS_ROW, Kind, LAYERS, Layer, character_operations};
use striate_benches::recurrent;
use striate_compute::par;

fn both(group: &mut BenchmarkGroup<WallTime>, layer: &Layer) {
    for (pass, backward) in [("fwd", false), ("fb", true)] {
        let passes = if backward { 3 } else { 1 };
        group.throughput(Throughput::Elements(passes * layer.operations() as u64));
        group.bench_function(format!("{}/{pass}", layer.name()), |b| {
            // Made here, so that a bench that is left out makes none.
            let step = recurrent::step(layer, backward);
            b.iter(step);
        });
    }
}

fn one(group: &mut BenchmarkGroup<WallTime>, row: &str, operations: usize, prepare: fn() -> Row) {
    group.throughput(Throughput::Elements(operations as u64));
    let name = row.trim_start_matches("rnn/");
    group.bench_function(name, |b| {
        let Row { step, .. } = prepare();
        b.iter(step);
    });
}

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("rnn");
    for layer in &LAYERS {
        both(&mut group, layer);
    }
    one(&mut group, CHARACTERS_ROW, 3 * character_operations(), recurrent::character_model);
    one(&mut group, CELL_ROW, CELL.operations(), recurrent::stream);
    group.finish();
}

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("rnn steps");
    for steps in [250, 500, 1000, 2000] {
        both(&mut group, &Layer { kind: Kind::Lstm, batch: 8, steps, input: 64, hidden: 64 });
    }
    group.finish();
}

fn main() {
    par::install(|| {
        let mut criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1))
            .configure_from_args();
        rows(&mut criterion);
        steps(&mut criterion);
        criterion.final_summary();
    });
}
