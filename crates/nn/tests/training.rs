//! Clipping, averages, stores and weight files.

use std::sync::atomic::{AtomicBool, Ordering};

use striate_formats::{Arrays, safetensors};
use striate_nn::clip::{self, NonFiniteNorm};
use striate_nn::ema::Ema;
use striate_nn::optim::{Sgd, SgdOptions};
use striate_nn::{Init, Linear, Module, ParamStore, Sequential, WeightsError};
use striate_tensor::{Gradients, Tensor};

fn net(store: &ParamStore) -> Sequential {
    let root = store.root();
    Sequential::new().then(Linear::new(&root.sub("body"), 5, 40)).then(Tensor::relu).then(Linear::new(
        &root.sub("head"),
        40,
        3,
    ))
}

fn step(store: &ParamStore, net: &Sequential, opt: &mut Sgd) {
    let mut x = vec![0.0; 20];
    store.stream().next().fill_normal(&mut x, 0.0, 1.0);
    let y = net.forward(&Tensor::from_vec(&[4, 5], x));
    opt.step(&(&y * &y).sum().backward());
}

/// Gradients of these values.
fn gradients(w: &[(&Tensor, &[f32])]) -> Gradients {
    let terms = w.iter().map(|(w, g)| (*w * &Tensor::from_slice(g)).sum());
    terms.reduce(|a, b| a + b).unwrap().backward()
}

#[test]
fn clipping_by_norm_is_pytorchs_and_its_sum_does_not_overflow() {
    let store = ParamStore::<f32>::seeded(0);
    let a = store.root().parameter("a", &[2], Init::Constant(0.0));
    let b = store.root().parameter("b", &[1], Init::Constant(0.0));
    let mut g = gradients(&[(&a, &[2.0, 3.0]), (&b, &[6.0])]);
    assert_eq!(clip::global_norm(&mut g, &store, 8.0), Ok(7.0));
    assert_eq!(g.get(&a).unwrap().to_vec(), [2.0, 3.0]);
    assert_eq!(clip::global_norm(&mut g, store.select("a"), 1.0).unwrap(), 13_f64.sqrt());
    assert_eq!(g.get(&b).unwrap().to_vec(), [6.0]);
    assert!((clip::global_norm(&mut g, store.select("a"), 9.0).unwrap() - 1.0).abs() < 1e-6);

    let mut huge = gradients(&[(&a, &[3e30, 4e30])]);
    assert!((clip::global_norm(&mut huge, &store, 1.0).unwrap() / 5e30 - 1.0).abs() < 1e-6);
    assert!((huge.get(&a).unwrap().to_vec()[1] - 0.8).abs() < 1e-6);
}

#[test]
fn a_norm_that_is_not_finite_is_reported_and_nothing_is_scaled() {
    let store = ParamStore::<f32>::seeded(0);
    let a = store.root().parameter("a", &[1], Init::Constant(0.0));
    let b = store.root().parameter("b", &[2], Init::Constant(0.0));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut g = gradients(&[(&a, &[9.0]), (&b, &[1.0, bad])]);
        let NonFiniteNorm { norm, parameter } = clip::global_norm(&mut g, &store, 1.0).unwrap_err();
        assert!(!norm.is_finite());
        assert_eq!((parameter.as_str(), g.get(&a).unwrap().item()), ("b", 9.0));
    }
}

#[test]
fn clipping_by_value_keeps_what_is_no_number() {
    let store = ParamStore::<f32>::seeded(0);
    let w = store.root().parameter("w", &[4], Init::Constant(0.0));
    let mut g = gradients(&[(&w, &[-3.0, 0.5, f32::INFINITY, f32::NAN])]);
    clip::value(&mut g, &store, 1.0);
    let clipped = g.get(&w).unwrap().to_vec();
    assert_eq!(clipped[..3], [-1.0, 0.5, 1.0]);
    assert!(clipped[3].is_nan());
}

#[test]
fn averages_follow_their_equation_and_come_back_from_a_file() {
    let store = ParamStore::<f32>::seeded(1);
    let net = net(&store);
    let mut ema = Ema::new(&store, 0.9);
    let mut opt = Sgd::new(&store, SgdOptions { lr: 0.05, ..Default::default() });
    let w = store.get("body.weight").unwrap();
    let mut expected = w.to_ndarray().mapv(f64::from);
    for _ in 0..5 {
        step(&store, &net, &mut opt);
        ema.update();
        expected = expected * 0.9 + w.to_ndarray().mapv(f64::from) * 0.1;
    }
    let average = ema.snapshot().get("body.weight").unwrap().to_ndarray().mapv(f64::from);
    assert!((&average - &expected).iter().all(|d| d.abs() < 1e-6));
    let trained = w.to_vec();
    let inside = ema.with_averages(|| w.to_ndarray().mapv(f64::from));
    assert_eq!((inside, w.to_vec()), (average, trained.clone()));
    let panics =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ema.with_averages(|| panic!("on purpose"))));
    assert!(panics.is_err());
    assert_eq!(w.to_vec(), trained);

    let mut other = Ema::new(&store, 0.9);
    other.set_arrays(&ema.to_arrays(), "memory").unwrap();
    assert_eq!(other.to_arrays(), ema.to_arrays());
    assert!(
        other.set_arrays(&Arrays::new(), "memory").unwrap_err().to_string().contains("missing: body.weight")
    );
}

#[test]
fn saved_weights_give_the_same_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let one = ParamStore::seeded(1);
    let net_one = net(&one);
    let x = Tensor::linspace(-1.0, 1.0, 10).reshape(&[2, 5]);
    for file in [&file, &folder.path().join("net.NPZ")] {
        let two = ParamStore::seeded(2);
        let net_two = net(&two);
        assert_ne!(net_one.forward(&x).to_vec(), net_two.forward(&x).to_vec());
        one.save(file).unwrap();
        two.load(file).unwrap();
        assert_eq!(net_one.forward(&x).to_vec(), net_two.forward(&x).to_vec());
    }

    let wide = ParamStore::<f64>::seeded(0);
    let _layers =
        (Linear::new(&wide.root().sub("body"), 5, 40), Linear::new(&wide.root().sub("head"), 40, 3));
    wide.load(&file).unwrap();
    wide.save(&file).unwrap();
    let (arrays, _) = safetensors::read(&file, &Default::default()).unwrap();
    assert_eq!(arrays["head.bias"].to_f32(), one.get("head.bias").unwrap().to_ndarray());
}

#[test]
fn files_of_pytorch_load_by_name() {
    let store = ParamStore::<f32>::seeded(0);
    let layer = Linear::new(&store.root().sub("model").sub("0"), 3, 2);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../formats/tests/golden/checkpoint.pt");
    let error = store.load(file).unwrap_err().to_string();
    assert!(error.contains("checkpoint.pt") && error.contains("unexpected: model.1.weight"), "{error}");
    store.load_except(file, &["model.1.", "parameter", "5", "views.", "optimizer."]).unwrap();
    let y = layer.forward(&Tensor::from_slice(&[1.0, 10.0, 100.0]).reshape(&[1, 3]));
    assert_eq!(y.to_vec(), [220.0, 554.0]); // [[0, 1, 2], [3, 4, 5]] x + [10, 11]
}

#[test]
fn load_errors_name_all_differences_and_change_nothing() {
    let store = ParamStore::<f32>::seeded(0);
    net(&store);
    store.root().counter("batches").set(4);
    let before = store.to_arrays();
    let mut bad = Arrays::new();
    bad.push("body.weight", ndarray::Array2::<f32>::zeros((40, 5)));
    bad.push("body.bias", ndarray::Array1::<i64>::zeros(40));
    bad.push("head.weight", ndarray::Array2::<f32>::zeros((4, 40)));
    bad.push("batches", ndarray::arr0(1.5_f32));
    bad.push("tail.weight", ndarray::arr1(&[1.0_f32]));
    let error = store.set_arrays(&bad, &[], "bad.safetensors").unwrap_err();
    let WeightsError::Mismatch { missing, unexpected, mismatched, .. } = &error else { panic!("{error}") };
    assert_eq!(
        (&missing[..], &unexpected[..]),
        (&["head.bias".to_string()][..], &["tail.weight".to_string()][..])
    );
    assert_eq!(mismatched.len(), 3);
    let text = error.to_string();
    for part in [
        "bad.safetensors: the weights are not this model's; missing: head.bias; unexpected: tail.weight; ",
        "body.bias (expected floats, file has I64)",
        "head.weight (model [3, 40], file [4, 40])",
        "batches (expected one integer, file has F32 of shape [])",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(store.to_arrays(), before);
    assert!(store.load("no/such/file").unwrap_err().to_string().starts_with("no/such/file: "));
}

#[test]
fn load_except_takes_a_body_and_leaves_another_head() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let old = ParamStore::seeded(1);
    net(&old);
    old.save(&file).unwrap();

    let new = ParamStore::<f32>::seeded(2);
    let _layers = (Linear::new(&new.root().sub("body"), 5, 40), Linear::new(&new.root().sub("head"), 40, 7));
    new.root().sub("head").parameter("scale", &[1], Init::Constant(3.0));
    let head = new.get("head.weight").unwrap().to_vec();
    assert!(new.load(&file).unwrap_err().to_string().contains("head.weight (model [7, 40], file [3, 40])"));
    new.load_except(&file, &["head."]).unwrap();
    assert_eq!(new.get("head.weight").unwrap().to_vec(), head);
    assert_eq!(new.get("body.weight").unwrap().to_vec(), old.get("body.weight").unwrap().to_vec());
    assert!(new.load_except(&file, &["tail."]).is_err());
}

#[test]
fn a_snapshot_serves_from_many_threads_while_training_goes_on() {
    let store = ParamStore::seeded(0);
    let trained = net(&store);
    let mut opt = Sgd::new(&store, SgdOptions { lr: 0.01, ..Default::default() });
    let snapshot = store.snapshot();
    let served = net(&snapshot);
    let x = Tensor::linspace(-1.0, 1.0, 10).reshape(&[2, 5]);
    let expected = served.forward(&x).to_vec();
    let before = snapshot.to_arrays();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let serve = || {
            let mut requests = 0;
            while !done.load(Ordering::Relaxed) || requests == 0 {
                assert_eq!(served.forward(&x).to_vec(), expected);
                requests += 1;
            }
        };
        (0..3).for_each(|_| drop(scope.spawn(serve)));
        (0..200).for_each(|_| step(&store, &trained, &mut opt));
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(snapshot.to_arrays(), before);
    assert_ne!(trained.forward(&x).to_vec(), expected);
    assert!(!served.forward(&x).is_tracked());
    assert!(!snapshot.root().mode().is_training());
}

#[test]
#[should_panic(expected = "a snapshot never changes")]
fn a_snapshot_cannot_be_loaded_into() {
    let store = ParamStore::<f32>::seeded(0);
    net(&store);
    let _ = store.snapshot().set_arrays(&store.to_arrays(), &[], "memory");
}

#[test]
fn what_a_parameter_starts_from_depends_on_seed_and_name_alone() {
    let (one, two) = (ParamStore::<f32>::seeded(7), ParamStore::<f32>::seeded(7));
    let a = Linear::new(&one.root().sub("a"), 3, 3);
    Linear::new(&two.root().sub("b"), 3, 3);
    two.stream().next();
    let other = Linear::new(&two.root().sub("a"), 3, 3);
    assert_eq!(a.weight.to_vec(), other.weight.to_vec());
    assert_ne!(a.weight.to_vec(), two.get("b.weight").unwrap().to_vec());
    let reseeded = ParamStore::<f32>::seeded(8);
    assert_ne!(a.weight.to_vec(), Linear::new(&reseeded.root().sub("a"), 3, 3).weight.to_vec());
}

#[test]
fn modes_follow_prefixes_now_and_later() {
    let store = ParamStore::<f32>::seeded(0);
    let path = |name: &str| store.root().sub(name);
    let (one, ten) = (path("layer1").mode(), path("layer10").mode());
    store.set_training("layer1.", false);
    let later = path("layer1.bn").mode();
    assert!(!one.is_training() && ten.is_training() && !later.is_training());
    store.train();
    assert!(one.is_training() && later.is_training() && path("layer1.bn2").mode().is_training());
    store.eval();
    store.set_training("layer1.", true);
    assert!(path("layer1").mode().is_training() && !path("head").mode().is_training());
}

#[test]
fn names_are_taken_once_unless_tied() {
    let store = ParamStore::<f32>::seeded(0);
    store.root().parameter("w", &[2], Init::Constant(1.0));
    let panics = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
    let root = store.root();
    assert!(panics(&|| drop(root.parameter("w", &[2], Init::Constant(1.0)))));
    assert!(panics(&|| drop(root.tied().parameter("w", &[3], Init::Constant(1.0)))));
    assert!(panics(&|| drop(root.tied().buffer("w", &[2], 0.0))));
    assert!(panics(&|| drop(store.snapshot().root().parameter("v", &[2], Init::Constant(1.0)))));
    assert_eq!(root.tied().parameter("w", &[2], Init::Constant(5.0)).to_vec(), [1.0, 1.0]);
    assert_eq!(store.parameters().len(), 1);
}
