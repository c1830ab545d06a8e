//! The shapes of figure 20 against steps written out by hand.
#![cfg(feature = "autograd")]

use std::cell::RefCell;

use striate_compute::rng::Rng;
use striate_nn::{Linear, Module, ParamStore};
use striate_recurrent::{
    Cell, GruCell, LstmCell, RnnCell, SampleError, SampleOptions, decode, encoder_decoder, generate,
    many_to_many, many_to_one, one_to_many, one_to_one, sample, scheduled_sampling, steps, teacher_forcing,
    unroll,
};
use striate_tensor::{Array, Tensor};

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Array::build(shape, |x| Rng::new(seed).fill_normal(x, 0.0, 1.0)).into()
}

fn stacked(h: &[Tensor<f64>]) -> Vec<f64> {
    Tensor::stack(&h.iter().collect::<Vec<_>>(), 0).to_vec()
}

#[test]
fn a_cell_runs_over_a_sequence_from_any_state() {
    let cell = LstmCell::new(&ParamStore::seeded(1).root(), 3, 5);
    let x = normal(&[4, 2, 3], 2);
    let state = (normal(&[2, 5], 3), normal(&[2, 5], 4));
    let (h, last) = unroll(&cell, &x, &state);

    let mut expected = vec![];
    let mut by_hand = state;
    for t in 0..4 {
        by_hand = cell.step(&x.select(0, t), &by_hand);
        expected.push(by_hand.0.clone());
    }
    assert_eq!(h.shape(), [4, 2, 5]);
    assert_eq!(h.to_vec(), stacked(&expected));
    assert_eq!((last.0.to_vec(), last.1.to_vec()), (by_hand.0.to_vec(), by_hand.1.to_vec()));
}

#[test]
fn a_sequence_in_two_parts_is_the_sequence() {
    let cell = GruCell::new(&ParamStore::seeded(1).root(), 3, 5);
    let x = normal(&[7, 2, 3], 2);
    let (h, last) = unroll(&cell, &x, &cell.initial(2));
    let (first, state) = unroll(&cell, &x.narrow(0, 0, 4), &cell.initial(2));
    let (second, state) = unroll(&cell, &x.narrow(0, 4, 3), &state);
    assert_eq!(Tensor::concat(&[&first, &second], 0).to_vec(), h.to_vec());
    assert_eq!(state.to_vec(), last.to_vec());
}

#[test]
fn one_input_or_a_sequence_to_one_or_all_states() {
    let cell = LstmCell::new(&ParamStore::seeded(1).root(), 3, 5);
    let x = normal(&[4, 2, 3], 2);
    let (h, _) = unroll(&cell, &x, &cell.initial(2));
    assert_eq!(many_to_many(&cell, &x).to_vec(), h.to_vec());
    assert_eq!(many_to_one(&cell, &x).to_vec(), h.select(0, -1).to_vec());
    assert_eq!(one_to_one(&cell, &x.select(0, 0)).to_vec(), h.select(0, 0).to_vec());
}

#[test]
fn what_a_cell_is_fed_comes_from_the_state_before() {
    let store = ParamStore::seeded(1);
    let cell = RnnCell::new(&store.root().sub("cell"), 3, 5);
    let read_out = Linear::new(&store.root().sub("read_out"), 5, 3);
    let x = normal(&[2, 3], 2);

    let mut expected = vec![cell.step(&x, &cell.initial(2))];
    for t in 1..4 {
        let h = &expected[t - 1];
        expected.push(cell.step(&(read_out.forward(h) * t as f64), h));
    }
    let h = one_to_many(&cell, &x, 4, |t, h| read_out.forward(h) * t as f64);
    assert_eq!(h.to_vec(), stacked(&expected));
    let (_, last) = decode(&cell, &x, &cell.initial(2), 4, |t, h| read_out.forward(h) * t as f64);
    assert_eq!(last.to_vec(), expected[3].to_vec());
    assert!(h.sum().backward().get(&read_out.weight).is_some(), "gradients go through what was fed");
}

#[test]
fn a_forced_decoder_reads_start_and_all_targets_but_the_last() {
    let store = ParamStore::seeded(1);
    let encoder = LstmCell::new(&store.root().sub("encoder"), 3, 5);
    let decoder = LstmCell::new(&store.root().sub("decoder"), 4, 5);
    let (source, start, targets) = (normal(&[6, 2, 3], 2), normal(&[2, 4], 3), normal(&[4, 2, 4], 4));
    let forced = encoder_decoder(&encoder, &decoder, &source, &start, 4, teacher_forcing(&targets));

    let (_, thought) = unroll(&encoder, &source, &encoder.initial(2));
    let inputs = Tensor::concat(&[&start.unsqueeze(0), &targets.narrow(0, 0, 3)], 0);
    let (expected, _) = unroll(&decoder, &inputs, &thought);
    assert_eq!(forced.to_vec(), expected.to_vec());
    let gradients = forced.sum().backward();
    assert!(gradients.get(&encoder.parameters.weight_ih).is_some(), "gradients reach the encoder");

    let one_fewer = targets.narrow(0, 0, 3);
    let fewer = encoder_decoder(&encoder, &decoder, &source, &start, 4, teacher_forcing(&one_fewer));
    assert_eq!(fewer.to_vec(), expected.to_vec());
}

#[test]
fn scheduled_sampling_reads_targets_as_often_as_it_says() {
    let targets = normal(&[2000, 1, 1], 2);
    let own = Tensor::full(&[1, 1], 9.0);
    let forced = |probability| {
        let mut rng = Rng::new(3);
        let mut feed = scheduled_sampling(&targets, probability, &mut rng, |_, h: &Tensor<f64>| h.clone());
        (1..=2000).filter(|&t| feed(t, &own).item() == targets.select(0, t as isize - 1).item()).count()
    };
    assert_eq!((forced(0.0), forced(1.0)), (0, 2000));
    // Significance 0.001: 3.29 standard deviations of √(2000 · 0.3 · 0.7).
    let third = forced(0.3) as f64;
    assert!((third - 600.0).abs() < 3.29 * 420_f64.sqrt(), "{third}");
}

#[test]
fn a_text_goes_on_with_what_it_said() {
    let store = ParamStore::<f64>::seeded(1);
    let cell = GruCell::new(&store.root().sub("cell"), 6, 5);
    let read_out = Linear::new(&store.root().sub("read_out"), 5, 6);
    let letter = |token| Tensor::one_hot(&ndarray::arr1(&[token]), 6);
    let options = SampleOptions { temperature: 2.0, top_k: Some(4) };
    let mut rng = Rng::new(5);
    let tracked = RefCell::new(false);
    let text = generate(&cell, &[2, 0, 5], 8, letter, |h| {
        *tracked.borrow_mut() |= h.is_tracked();
        sample(&read_out.forward(h).to_vec(), &options, &mut rng)
    })
    .unwrap();
    assert!(!tracked.into_inner(), "no tape");

    let mut rng = Rng::new(5);
    let mut expected = vec![2, 0, 5];
    for _ in 0..8 {
        let read: Vec<Tensor<f64>> = expected.iter().map(|&token| letter(token)).collect();
        let h = many_to_one(&cell, &Tensor::stack(&read.iter().collect::<Vec<_>>(), 0));
        expected.push(sample(&read_out.forward(&h).to_vec(), &options, &mut rng).unwrap());
    }
    assert_eq!(text, expected[3..]);
    assert!(text.iter().any(|token| *token != text[0]), "{text:?}");
}

#[test]
fn a_text_needs_a_prompt_and_a_choice() {
    let cell = GruCell::<f64>::new(&ParamStore::seeded(1).root(), 6, 5);
    let letter = |token| Tensor::one_hot(&ndarray::arr1(&[token]), 6);
    assert_eq!(generate(&cell, &[], 3, letter, |_| Ok(0)), Err(SampleError::EmptyPrompt));
    let choose = |_: &Tensor<f64>| sample(&[f64::NAN], &SampleOptions::default(), &mut Rng::new(0));
    assert!(matches!(generate(&cell, &[1], 3, letter, choose), Err(SampleError::Logit { .. })));
    assert_eq!(generate(&cell, &[1], 0, letter, |_| Ok(0)), Ok(vec![]));
}

fn rnn() -> RnnCell<f64> {
    RnnCell::new(&ParamStore::seeded(1).root(), 3, 5)
}

#[test]
#[should_panic(expected = "a sequence must be (T, N, I) (x [2, 3])")]
fn a_sequence_has_three_axes() {
    many_to_many(&rnn(), &normal(&[2, 3], 2));
}

#[test]
#[should_panic(expected = "the input must be (N, I) or (T, N, I) (x [3])")]
fn an_input_has_a_batch() {
    one_to_one(&rnn(), &normal(&[3], 2));
}

#[test]
#[should_panic(expected = "at least one step")]
fn no_step_is_refused() {
    unroll(&rnn(), &normal(&[0, 2, 3], 2), &rnn().initial(2));
}

#[test]
#[should_panic(expected = "step 3 reads target 3, there are 2")]
fn missing_targets_are_named() {
    one_to_many(&rnn(), &normal(&[2, 3], 2), 5, teacher_forcing(&normal(&[2, 2, 3], 3)));
}

#[test]
#[should_panic(expected = "probability is 1.5")]
fn a_probability_is_at_most_one() {
    let _ = scheduled_sampling(&normal(&[2, 2, 3], 3), 1.5, &mut Rng::new(0), |_, h: &Tensor<f64>| h.clone());
}

#[test]
fn a_mistake_is_reported_at_the_callers_line() {
    let place = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = place.clone();
    let before = std::panic::take_hook();
    let this_thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == this_thread {
            *seen.lock().unwrap() = info.location().map(|l| (l.file().to_string(), l.line()));
        }
    }));
    let wide = normal(&[4, 2, 7], 2);
    let calls: [(&dyn Fn(), u32); 4] = [
        (&|| drop(many_to_one(&rnn(), &wide)), line!()),
        (&|| drop(many_to_many(&rnn(), &wide)), line!()),
        (&|| drop(one_to_many(&rnn(), &wide.select(0, 0), 2, |_, h| h.clone())), line!()),
        (&|| drop(steps(&wide.select(0, 0))), line!()),
    ];
    let places: Vec<_> = (calls.iter())
        .map(|(call, _)| {
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
            place.lock().unwrap().take()
        })
        .collect();
    std::panic::set_hook(before);
    for ((_, line), place) in calls.iter().zip(places) {
        assert_eq!(place, Some((file!().to_string(), *line)));
    }
}
