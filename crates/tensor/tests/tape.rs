//! The tape's promises: nothing recurses, nothing unwanted is computed, what is shared adds up.

use std::sync::{Arc, Mutex};

use striate_tensor::{GradOptions, Tensor, grad, higher_order, no_grad};

#[test]
fn a_chain_of_a_million_nodes_neither_overflows_on_backward_nor_on_drop() {
    let x = Tensor::from_slice(&[1.0f32]).requires_grad();
    let mut y = &x + 0.0;
    for _ in 0..1_000_000 {
        y = &y + 1.0;
    }
    let gradients = y.sum().backward();
    assert_eq!(gradients.get(&x).unwrap().to_vec(), [1.0]);
    drop(y);

    let mut unused = &x * 2.0;
    for _ in 0..1_000_000 {
        unused = &unused * 1.0;
    }
    drop(unused);
}

#[test]
fn a_diamond_adds_both_sides() {
    let x = Tensor::from_slice(&[3.0f64]).requires_grad();
    let a = &x * 2.0;
    let y = (&a * &a + &a * &x).sum();
    assert_eq!(y.backward().get(&x).unwrap().to_vec(), [8.0 * 3.0 + 4.0 * 3.0]);
}

#[test]
fn a_variable_that_changes_leaves_the_tape_its_old_value() {
    let w = Tensor::variable(ndarray::array![2.0f32]);
    let y = (&w * &w).sum();
    w.update(|value| value.make_mut()[0] = 100.0);
    assert_eq!(w.to_vec(), [100.0]);
    assert_eq!(y.backward().get(&w).unwrap().to_vec(), [4.0]);
}

#[test]
fn a_variable_is_updated_in_place_once_the_tape_is_gone() {
    let w = Tensor::variable(ndarray::Array1::<f32>::ones(4));
    let loss = (&w * &w).sum();
    loss.backward();
    let before = w.array().data().as_ptr();
    w.update(|value| value.make_mut()[0] = 5.0);
    assert_eq!(w.array().data().as_ptr(), before);
}

#[test]
#[should_panic(expected = "an earlier backward has freed")]
fn a_second_backward_says_that_the_tape_is_freed() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    let y = (&x * &x).sum();
    y.backward();
    y.backward();
}

#[test]
fn a_retained_tape_can_be_walked_again() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    let y = (&x * &x).sum();
    let keep = GradOptions { retain_graph: true, ..Default::default() };
    let first = y.backward_with(keep).get(&x).unwrap().to_vec();
    assert_eq!(y.backward().get(&x).unwrap().to_vec(), first);
}

#[test]
fn grad_walks_only_what_lies_between() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    let w = Tensor::from_slice(&[5.0f32]).requires_grad();
    let reached = Arc::new(Mutex::new(0));
    let side = &w * 2.0;
    let count = reached.clone();
    side.on_gradient(move |_| *count.lock().unwrap() += 1);
    let y = (&x * &side).sum();
    let options = GradOptions { retain_graph: true, ..Default::default() };
    assert_eq!(grad(&y, &[&x], options)[0].to_vec(), [10.0]);
    assert_eq!(*reached.lock().unwrap(), 0);
    assert_eq!(grad(&y, &[&w, &side], options)[1].to_vec(), [3.0]);
    assert_eq!(*reached.lock().unwrap(), 1);
    let unrelated = Tensor::from_slice(&[1.0f32, 1.0]).requires_grad();
    assert_eq!(grad(&y, &[&unrelated], options)[0].to_vec(), [0.0, 0.0]);
}

#[test]
fn hooks_read_intermediate_gradients() {
    let x = Tensor::from_slice(&[3.0f32]).requires_grad();
    let h = &x * 2.0;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    h.on_gradient(move |g| sink.lock().unwrap().extend(g.to_vec()));
    (&h * &h).sum().backward();
    assert_eq!(*seen.lock().unwrap(), [12.0]);
}

#[test]
fn no_grad_is_per_thread_and_ends_on_panic() {
    let x = Tensor::from_slice(&[1.0f32]).requires_grad();
    no_grad(|| {
        assert!(!(&x * 2.0).is_tracked());
        let x = x.clone();
        std::thread::spawn(move || assert!((&x * 2.0).is_tracked())).join().unwrap();
    });
    let _ = std::panic::catch_unwind(|| no_grad(|| panic!("inside")));
    assert!((&x * 2.0).is_tracked());
}

#[test]
fn third_derivatives() {
    let x = Tensor::from_slice(&[2.0f64]).requires_grad();
    let options = GradOptions { create_graph: true, ..Default::default() };
    let third = higher_order(|| {
        let y = (&x * &x * &x * &x).sum();
        let d1 = grad(&y, &[&x], options)[0].sum();
        let d2 = grad(&d1, &[&x], options)[0].sum();
        grad(&d2, &[&x], GradOptions::default())[0].to_vec()
    });
    assert_eq!(third, [48.0]);
}

#[test]
#[should_panic(expected = "recorded outside higher_order")]
fn create_graph_outside_higher_order_is_an_error() {
    let x = Tensor::from_slice(&[2.0f64]).requires_grad();
    let y = (&x * &x).sum();
    grad(&y, &[&x], GradOptions { create_graph: true, ..Default::default() });
}

#[test]
fn accumulated_gradients_are_the_sum() {
    let w = Tensor::variable(ndarray::array![1.0f32, 2.0]);
    let mut total = (&w * 3.0).sum().backward();
    total.accumulate((&w * &w).sum().backward());
    assert_eq!(total.get(&w).unwrap().to_vec(), [5.0, 7.0]);
}

#[test]
fn shapes_that_do_not_fit_panic_at_the_callers_line() {
    let at = std::sync::Arc::new(Mutex::new(None));
    let sink = at.clone();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        *sink.lock().unwrap() = info.location().map(|place| (place.file().to_string(), place.line()));
    }));
    let (a, b) = (Tensor::<f32>::zeros(&[2, 3]), Tensor::zeros(&[4, 5]));
    let calls: [(&dyn Fn(), u32); 4] = [
        (&|| drop(a.matmul(&b)), line!()),
        (&|| drop(&a + &b), line!()),
        (&|| drop(a.sum_dim(&[7], false)), line!()),
        (&|| drop(a.reshape(&[5])), line!()),
    ];
    let found: Vec<_> = calls
        .iter()
        .map(|(call, _)| {
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
            at.lock().unwrap().take()
        })
        .collect();
    std::panic::set_hook(before);
    for ((_, line), found) in calls.iter().zip(found) {
        assert_eq!(found, Some((file!().to_string(), *line)));
    }
}
