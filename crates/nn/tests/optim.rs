//! Optimisers against naive references, and what they do with groups, frozen parameters and saved state.

use striate_formats::Arrays;
use striate_nn::optim::{
    Adagrad, AdagradOptions, Adam, AdamOptions, AdamW, AdamWOptions, Fused, Optimizer, RmsProp,
    RmsPropOptions, Rule, Sgd, SgdOptions,
};
use striate_nn::{Init, ParamStore};
use striate_tensor::{Gradients, Real, Tensor};

/// Sizes around the vector width and the length of a piece.
const SIZES: [usize; 5] = [1, 31, 33, 20_000, 40_001];

/// Parameters `p0`, `p1`, … of these sizes.
fn store<E: Real>(sizes: &[usize]) -> ParamStore<E> {
    let store = ParamStore::seeded(3);
    for (i, &size) in sizes.iter().enumerate() {
        store.root().parameter(&format!("p{i}"), &[size], Init::Normal { mean: 0.0, std: 1.0 });
    }
    store
}

/// The gradient of element `i` of parameter `p` in step `step`; no parameter but `p1` goes without.
fn gradient(p: usize, i: usize, step: usize) -> Option<f64> {
    let noise = ((i * 31 + p * 17 + step * 101) % 257) as f64 / 64.0 - 2.0;
    (p != 1 || step % 3 != 2).then_some(f64::from(noise as f32))
}

/// A backward pass whose gradients are [`gradient`]'s.
fn gradients<E: Real>(store: &ParamStore<E>, step: usize) -> Gradients<E> {
    let parameters = store.parameters();
    let terms = parameters.iter().enumerate().filter_map(|(p, (_, w))| {
        gradient(p, 0, step)?;
        let c = (0..w.len()).map(|i| E::of(gradient(p, i, step).unwrap())).collect();
        Some((w * &Tensor::from_vec(w.shape(), c)).sum())
    });
    terms.reduce(|a, b| a + b).unwrap().backward()
}

/// One number and what an optimiser remembers of it.
#[derive(Clone, Default)]
struct Scalar {
    w: f64,
    steps: i32,
    a: f64,
    b: f64,
    c: f64,
}

/// Holds ten steps against `reference`, which changes one number given its gradient.
#[track_caller]
fn check<R: Rule, E: Real>(options: R, tolerance: f64, reference: impl Fn(&mut Scalar, f64)) {
    let store = store::<E>(&SIZES);
    let mut numbers: Vec<Vec<Scalar>> = (store.parameters().iter())
        .map(|(_, w)| w.to_vec().iter().map(|w| Scalar { w: w.f64(), ..Default::default() }).collect())
        .collect();
    let mut opt = Fused::new(&store, options);
    for step in 0..10 {
        opt.step(&gradients(&store, step));
        for (p, numbers) in numbers.iter_mut().enumerate() {
            for (i, number) in numbers.iter_mut().enumerate() {
                if let Some(g) = gradient(p, i, step) {
                    number.steps += 1;
                    reference(number, g);
                }
            }
        }
    }
    for ((name, w), numbers) in store.parameters().iter().zip(&numbers) {
        for (i, (w, number)) in w.to_vec().iter().zip(numbers).enumerate() {
            let error = (w.f64() - number.w).abs();
            assert!(error <= tolerance * (1.0 + number.w.abs()), "{name}[{i}]: {w}, expected {}", number.w);
        }
    }
}

fn check_both<R: Rule>(options: R, reference: impl Fn(&mut Scalar, f64)) {
    check::<R, f64>(options.clone(), 1e-13, &reference);
    check::<R, f32>(options, 2e-5, &reference);
}

#[test]
fn sgd_is_pytorchs() {
    let plain = SgdOptions { lr: 0.1, weight_decay: 0.01, ..Default::default() };
    check_both(plain, |s, g| s.w -= 0.1 * (g + 0.01 * s.w));
    let momentum = SgdOptions { momentum: 0.9, dampening: 0.3, ..plain };
    check_both(momentum, |s, g| {
        let g = g + 0.01 * s.w;
        s.a = if s.steps == 1 { g } else { 0.9 * s.a + 0.7 * g };
        s.w -= 0.1 * s.a;
    });
    let nesterov = SgdOptions { momentum: 0.9, nesterov: true, ..plain };
    check_both(nesterov, |s, g| {
        let g = g + 0.01 * s.w;
        s.a = if s.steps == 1 { g } else { 0.9 * s.a + g };
        s.w -= 0.1 * (g + 0.9 * s.a);
    });
}

fn adam(s: &mut Scalar, g: f64, lr: f64, amsgrad: bool) {
    let (beta1, beta2) = (0.8_f64, 0.95_f64);
    s.a = beta1 * s.a + (1.0 - beta1) * g;
    s.b = beta2 * s.b + (1.0 - beta2) * g * g;
    s.c = s.c.max(s.b);
    let second = if amsgrad { s.c } else { s.b };
    let (m, v) = (s.a / (1.0 - beta1.powi(s.steps)), second / (1.0 - beta2.powi(s.steps)));
    s.w -= lr * m / (v.sqrt() + 1e-3);
}

#[test]
fn adam_is_pytorchs() {
    let options =
        AdamOptions { lr: 0.05, betas: (0.8, 0.95), eps: 1e-3, weight_decay: 0.1, ..Default::default() };
    for amsgrad in [false, true] {
        check_both(AdamOptions { amsgrad, ..options }, |s, g| adam(s, g + 0.1 * s.w, 0.05, amsgrad));
    }
}

#[test]
fn adamw_is_pytorchs() {
    let options =
        AdamWOptions { lr: 0.05, betas: (0.8, 0.95), eps: 1e-3, weight_decay: 0.1, ..Default::default() };
    for amsgrad in [false, true] {
        check_both(AdamWOptions { amsgrad, ..options }, |s, g| {
            s.w *= 1.0 - 0.05 * 0.1;
            adam(s, g, 0.05, amsgrad);
        });
    }
}

#[test]
fn rmsprop_is_pytorchs() {
    for (centered, momentum) in [(false, 0.0), (true, 0.0), (false, 0.7), (true, 0.7)] {
        let options =
            RmsPropOptions { lr: 0.02, alpha: 0.9, eps: 1e-3, weight_decay: 0.1, momentum, centered };
        check_both(options, |s, g| {
            let g = g + 0.1 * s.w;
            s.a = 0.9 * s.a + 0.1 * g * g;
            s.b = 0.9 * s.b + 0.1 * g;
            let spread = if centered { s.a - s.b * s.b } else { s.a };
            let d = g / (spread.sqrt() + 1e-3);
            s.c = momentum * s.c + d;
            s.w -= 0.02 * s.c;
        });
    }
}

#[test]
fn adagrad_is_pytorchs() {
    let options = AdagradOptions {
        lr: 0.1,
        lr_decay: 0.05,
        weight_decay: 0.1,
        initial_accumulator_value: 0.2,
        eps: 1e-3,
    };
    check_both(options, |s, g| {
        let g = g + 0.1 * s.w;
        s.a += g * g + if s.steps == 1 { 0.2 } else { 0.0 };
        s.w -= 0.1 / (1.0 + f64::from(s.steps - 1) * 0.05) * g / (s.a.sqrt() + 1e-3);
    });
}

fn bits<E: Real>(store: &ParamStore<E>) -> Vec<u64> {
    store.parameters().iter().flat_map(|(_, w)| w.to_vec()).map(|w| w.f64().to_bits()).collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let store = store::<f32>(&SIZES);
            let mut opt = AdamW::new(&store, AdamWOptions { lr: 0.1, ..Default::default() });
            (0..3).for_each(|step| opt.step(&gradients(&store, step)));
            bits(&store)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

#[test]
fn frozen_parameters_and_those_without_a_gradient_keep_values_and_state() {
    let store = store::<f32>(&[4, 4]);
    let mut opt = Adam::new(&store, AdamOptions { weight_decay: 0.5, ..Default::default() });
    opt.step(&gradients(&store, 0));
    let before = (store.get("p0").unwrap().to_vec(), opt.state());

    let late = gradients(&store, 0);
    store.select("p0").freeze();
    opt.step(&gradients(&store, 1));
    opt.step(&late);
    assert_eq!(store.get("p0").unwrap().to_vec(), before.0);
    for slot in ["step", "exp_avg", "exp_avg_sq"] {
        assert_eq!(opt.state()[&*format!("p0.{slot}")], before.1[&*format!("p0.{slot}")]);
    }
    assert_eq!(opt.state()["p1.step"].to_i64(), Some(vec![3]));

    store.select("p0").unfreeze();
    opt.step(&Gradients::default());
    assert_eq!(store.get("p0").unwrap().to_vec(), before.0);
    opt.step(&gradients(&store, 1));
    assert_ne!(store.get("p0").unwrap().to_vec(), before.0);
}

#[test]
fn groups_have_their_own_options_and_keep_their_ratio() {
    let store = ParamStore::<f64>::seeded(0);
    let body = store.root().sub("body").parameter("w", &[3], Init::Constant(1.0));
    let head = store.root().sub("head").parameter("w", &[3], Init::Constant(1.0));
    let mut opt = Sgd::new(store.select("body."), SgdOptions { lr: 0.25, ..Default::default() });
    opt.add_group(store.select("head."), SgdOptions { lr: 0.5, weight_decay: 1.0, ..Default::default() });
    opt.step(&(body.sum() + head.sum()).backward());
    assert_eq!((body.to_vec(), head.to_vec()), (vec![0.75; 3], vec![0.0; 3]));
    opt.set_lr(0.0);
    opt.set_lr(1.0);
    assert_eq!((opt.lr(), opt.options(1).lr), (1.0, 2.0));
}

#[test]
#[should_panic(expected = "Sgd: p0 is in a group already")]
fn a_parameter_is_in_one_group() {
    let store = store::<f32>(&[2]);
    Sgd::new(&store, SgdOptions::default()).add_group(&store, SgdOptions::default());
}

#[test]
#[should_panic(expected = "Adam: betas.1 must be in [0, 1), it is 1")]
fn options_that_make_no_sense_are_refused() {
    Adam::new(&store::<f32>(&[2]), AdamOptions { betas: (0.9, 1.0), ..Default::default() });
}

#[test]
fn options_can_be_checked_without_a_panic() {
    let error = SgdOptions { nesterov: true, ..Default::default() }.check().unwrap_err();
    assert_eq!(error.to_string(), "Sgd: momentum must be positive with nesterov, it is 0");
    assert!(SgdOptions { lr: f64::NAN, ..Default::default() }.check().is_err());
    assert!(AdamOptions { lr: -1.0, ..Default::default() }.check().is_err());
    assert!(RmsPropOptions { alpha: -0.1, ..Default::default() }.check().is_err());
    assert!(AdagradOptions { eps: f64::INFINITY, ..Default::default() }.check().is_err());
}

#[test]
fn a_tied_parameter_is_stepped_once() {
    let store = ParamStore::<f64>::seeded(0);
    let path = store.root().sub("embedding");
    let a = path.parameter("w", &[1], Init::Constant(1.0));
    let b = path.tied().parameter("w", &[1], Init::Constant(5.0));
    let mut opt = Sgd::new(&store, SgdOptions { lr: 0.25, ..Default::default() });
    opt.step(&(&a + &(&b * 2.0)).sum().backward());
    assert_eq!((a.item(), b.item()), (0.25, 0.25));
}

#[test]
fn gradients_with_gaps_or_without_memory_of_their_own_are_read_right() {
    let store = ParamStore::<f64>::seeded(0);
    let w = store.root().parameter("w", &[2, 3], Init::Constant(0.0));
    let mut opt = Sgd::new(&store, SgdOptions { lr: 1.0, ..Default::default() });
    let c = Tensor::from_vec(&[3, 2], (0..6).map(f64::from).collect());
    opt.step(&(&w.t() * &c).sum().backward());
    assert_eq!(w.to_vec(), [0.0, -2.0, -4.0, -1.0, -3.0, -5.0]);
    opt.step(&w.sum().backward());
    assert_eq!(w.to_vec(), [-1.0, -3.0, -5.0, -2.0, -4.0, -6.0]);
}

#[test]
fn a_gradient_may_be_another_parameter_itself() {
    let store = ParamStore::<f64>::seeded(0);
    let a = store.root().parameter("a", &[1], Init::Constant(1.0));
    let b = store.root().parameter("b", &[1], Init::Constant(3.0));
    let mut gradients = (&a + &b).sum().backward();
    gradients.set(&a, b.clone());
    gradients.set(&b, a.clone());
    Sgd::new(&store, SgdOptions { lr: 0.5, ..Default::default() }).step(&gradients);
    assert_eq!((a.item(), b.item()), (-0.5, 2.5));
}

#[test]
fn a_step_leaves_values_that_others_hold_as_they_were() {
    let store = store::<f32>(&[100]);
    let held = store.get("p0").unwrap().array();
    let before = held.to_vec();
    Sgd::new(&store, SgdOptions { lr: 1.0, ..Default::default() }).step(&gradients(&store, 0));
    assert_eq!(held.to_vec(), before);
    assert_ne!(store.get("p0").unwrap().to_vec(), before);
}

/// All optimisers as one type, each with state in more than one slot where it can.
fn all(store: &ParamStore<f32>) -> Vec<Box<dyn Optimizer>> {
    vec![
        Box::new(Sgd::new(store, SgdOptions { momentum: 0.9, ..Default::default() })),
        Box::new(Adam::new(store, AdamOptions { amsgrad: true, ..Default::default() })),
        Box::new(AdamW::new(store, AdamWOptions::default())),
        Box::new(RmsProp::new(store, RmsPropOptions { momentum: 0.5, centered: true, ..Default::default() })),
        Box::new(Adagrad::new(store, AdagradOptions { lr_decay: 0.5, ..Default::default() })),
    ]
}

#[test]
fn every_optimizer_goes_on_from_its_state_with_the_same_bits() {
    for which in 0..5 {
        let original = store::<f32>(&SIZES);
        let mut opt = all(&original).swap_remove(which);
        (0..3).for_each(|step| opt.step(&gradients(&original, step)));
        opt.set_lr(0.007);

        let resumed = store::<f32>(&SIZES);
        resumed.set_arrays(&original.to_arrays(), &[], "memory").unwrap();
        let mut other = all(&resumed).swap_remove(which);
        other.set_state(&opt.state()).unwrap();
        assert_eq!(other.lr(), 0.007);
        for step in 3..6 {
            opt.step(&gradients(&original, step));
            other.step(&gradients(&resumed, step));
        }
        assert_eq!(bits(&original), bits(&resumed), "optimiser {which}");
        assert_eq!(opt.state(), other.state());
    }
}

#[test]
fn state_of_another_kind_is_refused_with_all_differences_and_nothing_changes() {
    let store = store::<f32>(&[2, 3, 4]);
    let mut opt = Adam::new(&store, AdamOptions::default());
    opt.step(&gradients(&store, 0));
    let good = opt.state();

    let mut bad = Arrays::new();
    for (name, array) in good.iter() {
        match name {
            "p0.exp_avg" => (),
            "p1.exp_avg_sq" => bad.push(name, ndarray::arr1(&[0.0_f32; 2])),
            "p2.step" => bad.push(name, ndarray::arr0(0_i64)),
            _ => bad.push(name, array.clone()),
        }
    }
    bad.push("p3.exp_avg", ndarray::arr1(&[0.0_f32]));
    let error = opt.set_state(&bad).unwrap_err();
    assert_eq!(error.missing, ["p0.exp_avg"]);
    assert_eq!(error.unexpected, ["p3.exp_avg"]);
    assert_eq!(error.mismatched.len(), 2);
    let text = error.to_string();
    assert!(text.contains("p1.exp_avg_sq (expected floats of shape [3], found F32 of shape [2])"), "{text}");
    assert!(text.contains("p2.step (expected one positive integer, found I64 of shape [])"), "{text}");
    assert_eq!(opt.state(), good);

    let mut never_stepped = Arrays::new();
    never_stepped.push("param_groups.0.lr", ndarray::arr0(0.5));
    opt.set_state(&never_stepped).unwrap();
    assert_eq!(opt.state(), never_stepped);
    let error = Adam::new(&store, AdamOptions { amsgrad: true, ..Default::default() }).set_state(&good);
    assert_eq!(error.unwrap_err().missing.len(), 3);
}
