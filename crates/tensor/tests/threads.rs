//! Tensors cross threads, and the number of threads changes no bit.

use ndarray::Array;
use rayon::ThreadPoolBuilder;
use striate_tensor::ops::{Padding, einsum};
use striate_tensor::{Gradients, Tensor};

const fn shared_between_threads<T: Send + Sync>() {}
const _: () = shared_between_threads::<Tensor<f32>>();
const _: () = shared_between_threads::<Tensor<f64>>();
const _: () = shared_between_threads::<Gradients<f32>>();

fn noise(shape: &[usize], seed: usize) -> Tensor {
    let mut state = seed as u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    Tensor::from(Array::from_shape_simple_fn(shape, next)).requires_grad()
}

#[test]
fn what_one_thread_builds_another_differentiates() {
    let x = noise(&[100, 100], 1);
    let shared = x.clone();
    let loss = std::thread::spawn(move || (&shared * &shared).sum()).join().unwrap();
    let gradients = std::thread::spawn(move || loss.backward()).join().unwrap();
    assert_eq!(gradients.get(&x).unwrap().to_vec(), (&x * 2.0).to_vec());
}

/// The bits of a loss and of all gradients of a graph of many operations on arrays of many pieces.
fn bits() -> Vec<u32> {
    let (x, w, table) = (noise(&[6, 300, 130], 1), noise(&[130, 520], 2), noise(&[50, 3000], 3));
    let [i, f, g, o] = x.matmul(&w).chunk(2);
    let y = Tensor::concat(&[&(i.exp() * f.sigmoid()), &(g.tanh() * o)], 1);
    let rows: Vec<usize> = (0..200).map(|i| i * 7 % 50).collect();
    let picked = table.index_select(0, &rows).flip(&[1]).roll(11, 0);
    let padded = y.transpose(1, 2).pad(&[(0, 0), (1, 2), (3, 0)], Padding::Reflect);
    let product = einsum("bij,bkj->bik", &[&x, &x.softmax(-1)]).tril(0);
    let total = &padded / &(padded.sum_dim(&[1], true).exp() + 1.0);
    let loss = total.mean()
        + picked.slice(1, 1.., 3).sum() * 1e-3
        + (&product * &product).sum_dim(&[0, 2], false).mean();
    let gradients = loss.backward();
    let results =
        [&loss, gradients.get(&x).unwrap(), gradients.get(&w).unwrap(), gradients.get(&table).unwrap()];
    results.iter().flat_map(|x| x.to_vec()).map(f32::to_bits).collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let at = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(bits);
    let one = at(1);
    assert!(one == at(2), "2 threads");
    assert!(one == at(5), "5 threads");
    assert!(one == bits(), "outside a pool");
}
