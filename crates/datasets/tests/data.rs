//! Embedded data, splits, standardising and made-up samples.

use ndarray::{Array2, ArrayD, Axis, arr0, arr2, arr3};
use striate_datasets::synthetic::{self, Sampling};
use striate_datasets::{Dataset, DatasetError, Labelled, Per, Regression, Standardize, Vocabulary};
use striate_datasets::{digits, names, tiny_shakespeare};

fn counts(data: &Labelled) -> Vec<usize> {
    let mut counts = vec![0; data.classes().len()];
    data.labels().iter().for_each(|&label| counts[label] += 1);
    counts
}

#[test]
fn the_digits_are_all_there() {
    let (train, test) = (digits().train(), digits().test());
    // The class sizes of the source.
    let all: Vec<usize> = counts(train).iter().zip(counts(test)).map(|(a, b)| a + b).collect();
    assert_eq!(all, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert!(counts(test).iter().all(|&n| (35..=37).contains(&n)), "stratified");
    // The sum of all values, as numpy gives it for the source: 561,718.
    let sum: f64 =
        [train, test].iter().flat_map(|part| part.images().to_owned()).map(|v| f64::from(v) * 16.0).sum();
    assert_eq!(sum, 561_718.0);
    assert!(train.images().iter().all(|v| (0.0..=1.0).contains(v)));
    // The first sample is a zero, as everyone who plotted it knows.
    assert_eq!(train.labels()[0], 0);
    let picture = train.images().index_axis(Axis(0), 0).mapv(|v| (v * 16.0) as u8);
    assert_eq!(
        picture.iter().take(16).copied().collect::<Vec<_>>(),
        [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    );
}

#[test]
fn the_texts_are_whole() {
    assert_eq!(names().iter().map(|name| name.len() + 1).sum::<usize>(), 228_146);
    assert_eq!(tiny_shakespeare().len(), 1_115_394);
    let vocabulary = Vocabulary::new(tiny_shakespeare());
    let numbers = vocabulary.encode(tiny_shakespeare()).unwrap();
    assert_eq!(vocabulary.decode(&numbers), tiny_shakespeare());
    assert_eq!(numbers[..5], [18, 47, 56, 57, 58]);
    let error = vocabulary.encode("naïve").unwrap_err();
    assert!(matches!(error, DatasetError::Character { character: 'ï', offset: 2 }), "{error}");
}

#[test]
#[should_panic(expected = "decode: number 2, there are 2 characters")]
fn a_number_beyond_the_vocabulary() {
    Vocabulary::new("ab").decode(&[2]);
}

#[test]
fn splits_are_stratified_disjoint_and_seeded() {
    let train = digits().train();
    let split = train.split(0.25, 1);
    for ((part, all), rest) in counts(split.test()).iter().zip(counts(train)).zip(counts(split.train())) {
        assert_eq!(*part, (all as f64 * 0.25).round() as usize);
        assert_eq!(part + rest, all);
    }
    assert_eq!(split, train.split(0.25, 1));
    assert_ne!(split, train.split(0.25, 2));
    assert_eq!(train.split(0.0, 0).train(), train);
    assert_eq!(train.split(1.0, 0).test(), train);
    assert_eq!(split.test().classes(), train.classes());

    let numbered = Array2::from_shape_fn((100, 1), |(i, _)| i as f32);
    let numbered =
        Labelled::new(numbered.into_dyn(), (0..100).map(|i| i % 3).collect(), ["a", "b", "c"]).unwrap();
    let split = numbered.split(0.3, 0);
    let mut all: Vec<f32> =
        split.train().images().iter().chain(split.test().images().iter()).copied().collect();
    assert!(all.as_slice()[..split.train().len()].is_sorted(), "the order is kept");
    all.sort_by(f32::total_cmp);
    assert_eq!(all, Vec::from_iter((0..100).map(|i| i as f32)));
}

#[test]
fn standardizing_by_feature_and_by_channel() {
    let images = arr3(&[[[1.0f32, 3.0], [10.0, 10.0]], [[5.0, 7.0], [10.0, 30.0]]]).into_dyn(); // (N, C, W)
    let data = Labelled::new(images, vec![0, 0], ["a"]).unwrap();

    let channel = Standardize::fit(&data, Per::Channel);
    assert_eq!(channel.mean(), [4.0, 15.0]);
    assert_eq!(channel.std(), [5f32.sqrt(), 75f32.sqrt()]);
    let y = channel.apply(&data);
    assert!((y.images()[[1, 1, 1]] - 15.0 / 75f32.sqrt()).abs() < 1e-6);

    let feature = Standardize::fit(&data, Per::Feature);
    assert_eq!(feature.mean(), [3.0, 5.0, 10.0, 20.0]);
    assert_eq!(feature.std(), [2.0, 2.0, 1.0, 10.0], "the third never varies");
    let y = feature.apply(&data);
    assert_eq!(y.images(), arr3(&[[[-1.0, -1.0], [0.0, -1.0]], [[1.0, 1.0], [0.0, 1.0]]]).into_dyn());
    assert_eq!(feature.inverse(y.images().to_owned()), data.images());
    assert_eq!(y.labels(), data.labels());

    let turned = ArrayD::from_shape_fn(vec![2, 2, 2], |i| data.images()[[i[2], i[1], i[0]]]);
    let same = turned.permuted_axes(vec![2, 1, 0]);
    assert_eq!(feature.transform(same), y.images(), "whatever the layout");
}

#[test]
#[should_panic(expected = "fitted per Channel on 1, got shape [2, 3]")]
fn standardizing_other_samples() {
    Standardize::fit(digits().train(), Per::Channel).transform(ArrayD::zeros(vec![2, 3]));
}

#[test]
fn made_up_samples_are_seeded_and_lie_where_they_should() {
    let exact = Sampling { samples: 300, noise: 0.0, seed: 3 };
    let distance = |x: f32, y: f32| x.hypot(y);
    let moons = synthetic::two_moons(&exact);
    for (p, &class) in moons.features().rows().into_iter().zip(moons.labels()) {
        let radius = if class == 0 { distance(p[0], p[1]) } else { distance(p[0] - 1.0, p[1] - 0.5) };
        assert!((radius - 1.0).abs() < 1e-6 && if class == 0 { p[1] >= 0.0 } else { p[1] <= 0.5 });
    }
    let spirals = synthetic::spirals(3, &exact);
    for (p, &class) in spirals.features().rows().into_iter().zip(spirals.labels()) {
        let radius = distance(p[0], p[1]);
        let angle = 4.0 * radius + class as f32 * std::f32::consts::TAU / 3.0;
        assert!(radius <= 1.0 && distance(p[0] - radius * angle.cos(), p[1] - radius * angle.sin()) < 1e-5);
    }
    let xor = synthetic::xor(&exact);
    let corners: std::collections::BTreeSet<_> =
        xor.features().rows().into_iter().map(|p| (p[0] as i8, p[1] as i8)).collect();
    assert_eq!(corners.into_iter().collect::<Vec<_>>(), [(-1, -1), (-1, 1), (1, -1), (1, 1)]);
    assert_eq!(counts(&xor), [150, 150]);

    let noisy = Sampling { samples: 20_000, noise: 0.5, seed: 3 };
    let blobs = synthetic::blobs(arr2(&[[-3.0, 0.0, 1.0], [3.0, 5.0, 1.0]]).view(), &noisy);
    let second = blobs.select(&(0..20_000).filter(|i| i % 2 == 1).collect::<Vec<_>>());
    let (mean, std) =
        (second.features().mean_axis(Axis(0)).unwrap(), second.features().std_axis(Axis(0), 0.0));
    assert!(
        (mean[0] - 3.0).abs() < 0.02
            && (mean[1] - 5.0).abs() < 0.02
            && std.iter().all(|s| (s - 0.5).abs() < 0.02)
    );

    assert_eq!(synthetic::two_moons(&noisy), synthetic::two_moons(&noisy));
    assert_ne!(synthetic::two_moons(&noisy), synthetic::two_moons(&Sampling { seed: 4, ..noisy }));
    let curve = synthetic::curve(|x| 2.0 * x, 1.0..4.0, &noisy);
    assert_eq!((curve.len(), curve.inputs().ncols(), curve.targets().ncols()), (20_000, 1, 1));
    let residual = &curve.targets() - &(2.0 * &curve.inputs());
    assert!((residual.std(0.0) - 0.5).abs() < 0.02 && curve.inputs().iter().all(|x| (1.0..=4.0).contains(x)));
    assert!(synthetic::two_moons(&Sampling { samples: 0, ..noisy }).is_empty());
}

#[test]
fn arrays_that_do_not_fit_together() {
    let points = || Array2::<f32>::zeros((3, 2)).into_dyn();
    let error = Labelled::new(points(), vec![0, 0], ["a"]).unwrap_err();
    assert!(matches!(error, DatasetError::Counts { samples: 3, labels: 2, .. }), "{error}");
    let error = Labelled::new(points(), vec![0, 1, 0], ["a"]).unwrap_err();
    assert!(matches!(error, DatasetError::Label { sample: 1, label: 1, classes: 1, .. }), "{error}");
    let error = Labelled::new(arr0(1.0f32).into_dyn(), vec![], ["a"]).unwrap_err();
    assert!(matches!(error, DatasetError::Shape { .. }), "{error}");
    let two = Labelled::new(points(), vec![0, 1, 0], ["a", "b"]).unwrap();
    assert_eq!(two.clone().with_classes(["x", "y"]).unwrap().classes(), ["x", "y"]);
    assert!(matches!(two.with_classes(["x"]), Err(DatasetError::Label { .. })));
    let error = Regression::new(Array2::zeros((3, 2)), Array2::zeros((2, 1))).unwrap_err();
    assert!(matches!(error, DatasetError::Counts { samples: 3, labels: 2, .. }), "{error}");
}

#[test]
fn regression_batches() {
    let inputs = arr2(&[[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]).reversed_axes();
    let data = Regression::new(inputs, arr2(&[[1.0], [2.0], [3.0]])).unwrap();
    let batch = data.gather(&[2, 1]);
    assert_eq!(batch.inputs, arr2(&[[3.0, 6.0], [2.0, 5.0]]));
    assert_eq!(batch.targets, arr2(&[[3.0], [2.0]]));
    assert_eq!(data.batches(2).shuffled(0).map(|batch| batch.targets.nrows()).sum::<usize>(), 3);
}
