//! Simple cells are specific, complex cells invariant.

use std::f64::consts::PI;

use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Linear, Module, ParamStore, cross_entropy, observe};
use striate_tensor::Tensor;
use striate_vision::{
    Bar, Hmax, HmaxBand, HmaxOptions, HmaxPrototypes, ImageNetwork, gabor_bank, s_cells, s1_cells,
};

const SIZE: usize = 48;

/// A bright bar through `centre`, `width` wide, at an angle θ to a standing one.
fn bar(angle: f64, centre: [f64; 2], width: f64) -> Tensor<f64> {
    Bar { angle, centre, width, length: 16.0 }.draw(SIZE)
}

/// The responses of all orientations at a place.
fn at(map: &Tensor<f64>, row: usize, column: usize) -> Vec<f64> {
    map.narrow(2, row, 1).narrow(3, column, 1).to_vec()
}

#[test]
fn filters_are_even_and_each_is_another_one_turned() {
    let bank = gabor_bank::<f64>(11, 4);
    let turned: Vec<f64> = bank.narrow(0, 0, 1).transpose(2, 3).to_vec();
    let lying: Vec<f64> = bank.narrow(0, 2, 1).to_vec();
    assert!(turned.iter().zip(&lying).all(|(a, b)| (a - b).abs() < 1e-12), "π/2 is 0 turned");
    let mirrored = bank.flip(&[2, 3]);
    assert!((mirrored - &bank).abs().max().item() < 1e-12);
    let [rising, falling] = [1, 3].map(|o| bank.narrow(0, o, 1));
    assert!((rising.flip(&[3]) - falling).abs().max().item() < 1e-12, "π/4 and 3π/4 mirror each other");
}

#[test]
fn tuning_curves_have_their_peak_at_the_filters_orientation_and_fall_to_both_sides() {
    let orientations = 12;
    let bank = gabor_bank(11, orientations);
    for (preferred, angle) in (0..orientations).map(|o| (o, PI * o as f64 / orientations as f64)) {
        let curve = at(&s1_cells(&bar(angle, [24.0, 24.0], 3.0), &bank), 24, 24);
        let response = |steps: usize| {
            let [right, left] =
                [preferred + steps, preferred + orientations - steps].map(|o| curve[o % orientations]);
            (right, left)
        };
        let peak = curve[preferred];
        assert!(peak > 0.5, "{preferred}: {curve:?}");
        let mut before = (peak, peak);
        for steps in 1..=3 {
            let now = response(steps);
            assert!(now.0 < before.0 && now.1 < before.1, "{preferred}, {steps} steps away: {curve:?}");
            before = now;
        }
        assert!(before.0 < 0.5 * peak && before.1 < 0.5 * peak, "{preferred}: {curve:?}");
    }
}

#[test]
fn responses_do_not_depend_on_contrast_and_darkness_gives_none() {
    let bank = gabor_bank(7, 4);
    let x = bar(0.4, [22.0, 25.0], 2.0) + 0.1;
    let (bright, dim) = (s1_cells(&x, &bank), s1_cells(&(&x * 0.2), &bank));
    assert!((bright - dim).abs().max().item() < 1e-3);
    assert!(s1_cells(&(x * 0.0), &bank).to_vec().iter().all(|&y| y == 0.0));
}

#[test]
fn complex_cells_stay_while_simple_cells_move_as_a_bar_shifts_inside_the_field() {
    let options =
        HmaxOptions { bands: vec![HmaxBand { filters: vec![7, 9], pool: 8 }], ..Default::default() };
    let hmax = Hmax::<f64>::with(&ParamStore::seeded(0).root(), &options);
    // Complex cell (5, 5) sees the places 20 to 27.
    let standing = 0;
    let responses = |column: f64| {
        let x = bar(0.0, [column, 24.0], 3.0);
        let simple = at(&hmax.s1(&x)[0][0], 24, 23)[standing];
        (simple, at(&hmax.c1(&x)[0], 5, 5)[standing])
    };
    let (simple, complex) = responses(23.0);
    for column in [21.0, 22.0, 24.0, 25.0, 26.0] {
        let (moved, same) = responses(column);
        assert!((same - complex).abs() < 1e-9, "the complex cell went from {complex} to {same} at {column}");
        assert!((moved - simple).abs() > 0.1 * simple, "the simple cell stayed at {moved} at {column}");
    }
    let (_, gone) = responses(40.0);
    assert!(gone < 0.5 * complex, "a bar outside the field gives {gone}");
}

#[test]
fn complex_cells_take_the_scale_that_fits() {
    let band = |filters: &[usize]| {
        let bands = vec![HmaxBand { filters: filters.to_vec(), pool: 8 }];
        Hmax::<f64>::with(&ParamStore::seeded(0).root(), &HmaxOptions { bands, ..Default::default() })
    };
    let (fine, coarse, both) = (band(&[7]), band(&[15]), band(&[7, 15]));
    for (width, fits) in [(1.0, &fine), (5.0, &coarse)] {
        let x = bar(PI / 2.0, [24.0, 24.0], width);
        let response = |hmax: &Hmax<f64>| hmax.c1(&x)[0].max().item();
        assert_eq!(response(&both), response(fits), "{width}");
        assert!(response(&fine) != response(&coarse));
    }
}

#[test]
fn s_cells_are_the_equation_written_out() {
    let (x, w) = (Tensor::linspace(-1.0, 1.3, 2 * 3 * 5 * 4), Tensor::linspace(0.7, -0.9, 2 * 3 * 2 * 3));
    let (x, w) = (x.reshape(&[2, 3, 5, 4]).sin(), w.reshape(&[2, 3, 2, 3]).cos());
    let y = s_cells(&x, &w, 0.8);
    assert_eq!(y.shape(), [2, 2, 4, 2]);
    let (x, w, y) = (x.to_ndarray(), w.to_ndarray(), y.to_ndarray());
    for (place, y) in y.indexed_iter() {
        let (n, p, i, j) = (place[0], place[1], place[2], place[3]);
        let mut distance = 0.0;
        for c in 0..3 {
            for (u, v) in (0..2).flat_map(|u| (0..3).map(move |v| (u, v))) {
                let (w, x): (f64, f64) = (w[[p, c, u, v]], x[[n, c, i + u, j + v]]);
                distance += (w - x).powi(2);
            }
        }
        let expected = f64::exp(-distance / (2.0 * 0.8 * 0.8));
        assert!((y - expected).abs() < 1e-12, "{place:?}: {y} is not {expected}");
    }
}

fn bars(count: usize) -> (Tensor<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..count).map(|i| i % 3).collect();
    let place = |i: usize| [18.0 + (i * 5 % 11) as f64, 18.0 + (i * 7 % 13) as f64];
    let angle = |label: usize| PI * label as f64 / 3.0;
    let images: Vec<_> =
        labels.iter().enumerate().map(|(i, &label)| bar(angle(label), place(i), 3.0)).collect();
    (Tensor::concat(&images.iter().collect::<Vec<_>>(), 0), labels)
}

fn small() -> HmaxOptions {
    let prototypes = vec![HmaxPrototypes { size: 2, count: 5 }, HmaxPrototypes { size: 3, count: 20 }];
    HmaxOptions { prototypes, ..Default::default() }
}

#[test]
fn prototypes_are_windows_of_the_images_they_were_sampled_from() {
    let (images, _) = bars(6);
    let store = ParamStore::<f64>::seeded(3);
    let hmax = Hmax::with(&store.root(), &small());
    let blank = hmax.forward(&images);
    hmax.sample_prototypes(&images);
    let (c2, [c1, s2]) = observe::outputs(&hmax, &images, ["c1", "s2"]);
    assert_eq!(c2.shape(), [6, 25]);
    assert!(
        c2.amax(&[0], false).to_vec().iter().all(|&y| y > 1.0 - 1e-9),
        "no image has a prototype's window"
    );
    assert!((&c2 - &blank).abs().max().item() > 0.01);
    // C2 is the maximum of S2 over places and bands.
    let (places, last) = (s2.flatten(2, -1).amax(&[2], false), c2.narrow(1, 5, 20));
    assert!((last - places).to_vec().iter().all(|&more| more >= 0.0));
    assert_eq!(c1.shape()[..2], [6, 4]);

    let again = ParamStore::<f64>::seeded(3);
    Hmax::with(&again.root(), &small()).sample_prototypes(&images);
    for name in ["prototypes.0", "prototypes.1"] {
        let [first, second] = [&store, &again].map(|store| store.get(name).unwrap().to_vec());
        assert_eq!(first, second, "the same seed gives the same prototypes");
    }
    assert!(store.parameters().is_empty(), "nothing is learnt by gradients");
    assert_eq!(hmax.fuse().forward(&images).to_vec(), c2.to_vec());
}

#[test]
fn a_linear_layer_reads_orientations_out_wherever_the_bar_stands() {
    let (images, labels) = bars(30);
    let store = ParamStore::<f64>::seeded(0);
    let hmax = Hmax::with(&store.root().sub("hmax"), &small());
    let (known, unknown) = (images.narrow(0, 0, 15), images.narrow(0, 15, 15));
    hmax.sample_prototypes(&known);
    let read_out = Linear::new(&store.root().sub("fc"), hmax.prototypes(), 3);
    let mut adam = Adam::new(&store, AdamOptions { lr: 0.05, ..Default::default() });
    let features = hmax.forward(&known);
    for _ in 0..200 {
        adam.step(&cross_entropy(&read_out.forward(&features), &labels[..15]).backward());
    }
    let found = read_out.forward(&hmax.forward(&unknown)).argmax_dim(-1, false);
    let right = found.iter().zip(&labels[15..]).filter(|(found, label)| found == label).count();
    assert!(right >= 14, "{right} of 15");
}

#[test]
fn images_that_are_too_small_for_the_largest_prototype_are_refused() {
    let hmax = Hmax::<f32>::with(&ParamStore::seeded(0).root(), &HmaxOptions::default());
    let n = hmax.input().smallest;
    assert_eq!(n, 25);
    assert_eq!(hmax.forward(&Tensor::ones(&[1, 1, n, n])).shape(), [1, 200]);
    assert_eq!(
        hmax.check_input(&[1, 1, n - 1, n]).unwrap_err().to_string(),
        "HMAX takes images of at least 25 × 25 pixels, not 24 × 25 (shape [1, 1, 24, 25])"
    );
    assert!(hmax.check_input(&[1, 3, n, n]).is_err());
}
