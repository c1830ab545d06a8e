//! What must move no element, and what must allocate nothing large in a steady state.

use std::sync::Mutex;

use striate_compute::pool;
use striate_tensor::{Real, Tensor};

/// The pool is the process's: one test at a time.
static POOL: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// How many large buffers `f` needs at once.
fn buffers<R>(f: impl FnOnce() -> R) -> u64 {
    pool::release();
    let before = pool::fresh();
    f();
    pool::fresh() - before
}

fn start<E: Real>(x: &Tensor<E>) -> *const E {
    x.array().data().as_ptr()
}

#[test]
fn views_share_memory() {
    let x = Tensor::<f32>::arange(0.0, 120).reshape(&[4, 5, 6]);
    let same = [
        x.flatten(0, 1),
        x.unsqueeze(1),
        x.transpose(0, 2),
        x.transpose(0, 1).unsqueeze(0).squeeze(0),
        x.permute(&[2, 0, 1]).flatten(1, 2),
        x.slice(1, ..3, 2),
        x.narrow(0, 0, 2),
        x.select(2, 0),
        x.diagonal(0, 1),
        x.unsqueeze(0).expand(&[7, 4, 5, 6]),
        x.detach(),
        x.requires_grad(),
    ];
    for y in &same {
        assert_eq!(start(y), start(&x), "{:?}", y.shape());
    }
    let at = |places: usize| start(&x).wrapping_add(places);
    assert_eq!(start(&x.select(0, -1)), at(90));
    assert_eq!(start(&x.slice(1, 2.., 1)), at(12));
    let [a, b, c] = x.chunk(2);
    assert_eq!([start(&a), start(&b), start(&c)], [at(0), at(2), at(4)]);
    assert_eq!(start(&x.split(&[1, 3], 0)[1]), at(30));
    let piece = Tensor::concat(&[&x, &x], 0).requires_grad();
    assert_eq!(start(&piece.narrow(0, 4, 4)), start(&piece).wrapping_add(120));
}

#[test]
fn a_matrix_product_copies_no_transposed_operand() {
    let _alone = alone();
    let a = Tensor::<f64>::ones(&[300, 200]);
    let b = Tensor::from(ndarray::Array2::<f64>::ones((400, 300)));
    let a = Tensor::from(a.to_ndarray());
    assert_eq!(buffers(|| a.t().matmul(&b.t())), 1);
    let batch = Tensor::from(ndarray::Array3::<f64>::ones((8, 300, 200)));
    assert_eq!(buffers(|| batch.transpose(1, 2).matmul(&b.t())), 1);
}

#[test]
fn the_gradient_of_a_slice_costs_the_slice() {
    let _alone = alone();
    // 1 MiB in 256 rows of 4 KiB, which are too small for the pool: all that may come from it is dx itself.
    let x = Tensor::from(ndarray::Array2::<f32>::ones((256, 1024))).requires_grad();
    let needed = buffers(|| {
        let loss = (0..256).map(|row| x.select(0, row).sum()).reduce(|a, b| a + b).unwrap();
        assert!(loss.backward().get(&x).unwrap().to_vec().iter().all(|&dx| dx == 1.0));
    });
    assert_eq!(needed, 1);
    let needed = buffers(|| {
        let pieces = x.chunks(64, 0);
        pieces.iter().map(|x| x.sum()).reduce(|a, b| a + b).unwrap().backward();
    });
    assert_eq!(needed, 1);
}

#[test]
fn a_steady_state_allocates_nothing_large() {
    let _alone = alone();
    let x = Tensor::from(ndarray::Array2::<f32>::ones((1024, 1024))).requires_grad();
    let w = Tensor::from(ndarray::Array2::<f32>::ones((1024, 1024))).requires_grad();
    let step = || {
        let [a, b] = (&x * 0.5 + &w.t()).chunk(1);
        let y = Tensor::concat(&[&(&a * &b), &(&a - a.sum_dim(&[0], true))], 1).index_select(0, &[5, 5, 7]);
        let loss = y.sum() + x.t().pad(&[(1, 0), (0, 1)], striate_tensor::ops::Padding::Constant(0.0)).mean();
        drop(loss.backward());
    };
    (0..3).for_each(|_| step());
    let before = pool::fresh();
    (0..5).for_each(|_| step());
    assert_eq!(pool::fresh(), before);
}
