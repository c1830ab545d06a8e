//! What a recurrent network reads and says when: the five shapes of the notes' figure 20.
//!
//! | shape | reads | says | example | function |
//! |---|---|---|---|---|
//! | one to one | x | h | a classifier of pictures | [`one_to_one`] |
//! | one to many | x | h_1, …, h_T | a caption for a picture | [`one_to_many`] |
//! | many to one | x_1, …, x_T | h_T | the mood of a text | [`many_to_one`] |
//! | many to many, aligned | x_1, …, x_T | h_1, …, h_T | a label for each word | [`many_to_many`] |
//! | many to many, encoder and decoder | x_1, …, x_S | h_1, …, h_T | a translation | [`encoder_decoder`] |
//!
//! All start from the cell's [initial](Cell::initial) state, and give hidden states, which a read-out of the program's
//! own turns into what it says. [`decode`] and [`unroll`] start from any state.

use striate_compute::rng::Rng;
use striate_tensor::shape::{ShapeError, expect};
use striate_tensor::{Real, Tensor, no_grad};

use crate::cells::{Cell, State};
use crate::sampling::SampleError;
use crate::unroll::{decode, steps, unroll};

/// A step from the initial state, which makes a layer like any other: x (N, I) to h (N, H).
///
/// # Panics
/// When the cell does not take x.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{RnnCell, one_to_one};
/// use striate_tensor::Tensor;
///
/// let cell = RnnCell::new(&ParamStore::<f32>::seeded(0).root(), 3, 5);
/// assert_eq!(one_to_one(&cell, &Tensor::ones(&[2, 3])).shape(), [2, 5]);
/// ```
#[track_caller]
pub fn one_to_one<E: Real, C: Cell<E>>(cell: &C, x: &Tensor<E>) -> Tensor<E> {
    cell.step(x, &initial(cell, x)).hidden().clone()
}

/// A sequence of hidden states (T, N, H) from one input x (N, I), and from what `feed` makes of the states.
///
/// h_1 = f(h_0, x), h_(t+1) = f(h_t, feed(t, h_t)) for t = 1, …, `steps` − 1: see [`decode`].
///
/// # Panics
/// When there is no step, or the cell does not take an input.
///
/// ```
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_recurrent::{LstmCell, one_to_many};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = LstmCell::new(&store.root().sub("cell"), 3, 5);
/// let read_out = Linear::new(&store.root().sub("read_out"), 5, 3);
/// let picture = Tensor::ones(&[2, 3]);
/// let h = one_to_many(&cell, &picture, 4, |_, h| read_out.forward(h));
/// assert_eq!(read_out.forward(&h).shape(), [4, 2, 3]);
/// ```
#[track_caller]
pub fn one_to_many<E: Real, C: Cell<E>>(
    cell: &C,
    x: &Tensor<E>,
    steps: usize,
    feed: impl FnMut(usize, &Tensor<E>) -> Tensor<E>,
) -> Tensor<E> {
    decode(cell, x, &initial(cell, x), steps, feed).0
}

/// The hidden state after a whole sequence: x (T, N, I) to h_T (N, H).
///
/// # Panics
/// When x is not (T, N, I), or the cell does not take it.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{GruCell, many_to_one};
/// use striate_tensor::Tensor;
///
/// let cell = GruCell::new(&ParamStore::<f32>::seeded(0).root(), 3, 5);
/// assert_eq!(many_to_one(&cell, &Tensor::ones(&[4, 2, 3])).shape(), [2, 5]);
/// ```
#[track_caller]
pub fn many_to_one<E: Real, C: Cell<E>>(cell: &C, x: &Tensor<E>) -> Tensor<E> {
    last_state(cell, x).hidden().clone()
}

/// A hidden state for every step of a sequence: x (T, N, I) to h_1, …, h_T (T, N, H).
///
/// # Panics
/// When x is not (T, N, I) with at least one step, or the cell does not take it.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{GruCell, many_to_many};
/// use striate_tensor::Tensor;
///
/// let cell = GruCell::new(&ParamStore::<f32>::seeded(0).root(), 3, 5);
/// assert_eq!(many_to_many(&cell, &Tensor::ones(&[4, 2, 3])).shape(), [4, 2, 5]);
/// ```
#[track_caller]
pub fn many_to_many<E: Real, C: Cell<E>>(cell: &C, x: &Tensor<E>) -> Tensor<E> {
    unroll(cell, x, &initial(cell, x)).0
}

/// Reads a sequence with one cell and writes another sequence with a second one, which starts from the first one's
/// last state.
///
/// s = (the encoder's state after `source` (S, N, I)), and then the decoder's states from s, of `start` (N, J) and what
/// `feed` makes of them: see [`decode`]. Gives the decoder's hidden states (T, N, H), T = `steps`.
///
/// # Panics
/// When the source is not (S, N, I), there is no step, or a cell does not take an input or the state.
///
/// Cho et al. 2014; Sutskever, Vinyals and Le 2014.
///
/// ```
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_recurrent::{LstmCell, encoder_decoder, teacher_forcing};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let encoder = LstmCell::new(&store.root().sub("encoder"), 3, 8);
/// let decoder = LstmCell::new(&store.root().sub("decoder"), 4, 8);
/// let read_out = Linear::new(&store.root().sub("read_out"), 8, 4);
/// let (source, target) = (Tensor::ones(&[6, 2, 3]), Tensor::ones(&[5, 2, 4]));
/// let start = Tensor::zeros(&[2, 4]);
///
/// // To train, the decoder reads what it should have said; to use it, what it said.
/// let h = encoder_decoder(&encoder, &decoder, &source, &start, 5, teacher_forcing(&target));
/// let loss = (read_out.forward(&h) - &target).square().mean();
/// assert!(!loss.backward().is_empty());
/// let h = encoder_decoder(&encoder, &decoder, &source, &start, 9, |_, h| read_out.forward(h));
/// assert_eq!(h.shape(), [9, 2, 8]);
/// ```
#[track_caller]
pub fn encoder_decoder<E: Real, C: Cell<E>, D: Cell<E, State = C::State>>(
    encoder: &C,
    decoder: &D,
    source: &Tensor<E>,
    start: &Tensor<E>,
    steps: usize,
    feed: impl FnMut(usize, &Tensor<E>) -> Tensor<E>,
) -> Tensor<E> {
    decode(decoder, start, &last_state(encoder, source), steps, feed).0
}

/// Feeds a decoder what it should have said: `targets` y_1, y_2, … (T, N, I), whatever its states.
///
/// x_(t+1) = y_t. The last target is only said and never read, so there may be one fewer than steps.
/// Williams and Zipser 1989.
///
/// # Panics
/// While decoding, when there are fewer targets.
#[track_caller]
pub fn teacher_forcing<E: Real>(targets: &Tensor<E>) -> impl FnMut(usize, &Tensor<E>) -> Tensor<E> {
    let targets: Vec<Tensor<E>> = steps(targets).collect();
    move |t, _| target(&targets, t)
}

/// [Teacher forcing](teacher_forcing) at a step with `probability`, and else what `feed` makes of the state.
///
/// One draw decides for the whole batch. A probability that falls from 1 to 0 while training leads from reading the
/// truth to reading what the network itself says. Bengio, Vinyals, Jaitly and Shazeer 2015.
///
/// # Panics
/// When the probability is not in [0, 1]; while decoding, when there are fewer targets.
///
/// ```
/// use striate_compute::rng::Rng;
/// use striate_nn::ParamStore;
/// use striate_recurrent::{RnnCell, one_to_many, scheduled_sampling};
/// use striate_tensor::Tensor;
///
/// let cell = RnnCell::new(&ParamStore::<f32>::seeded(0).root(), 3, 3);
/// let (x, targets) = (Tensor::ones(&[2, 3]), Tensor::ones(&[4, 2, 3]));
/// let mut rng = Rng::new(0);
/// let half = scheduled_sampling(&targets, 0.5, &mut rng, |_, h| h.clone());
/// assert_eq!(one_to_many(&cell, &x, 4, half).shape(), [4, 2, 3]);
/// ```
#[track_caller]
pub fn scheduled_sampling<E: Real>(
    targets: &Tensor<E>,
    probability: f64,
    rng: &mut Rng,
    mut feed: impl FnMut(usize, &Tensor<E>) -> Tensor<E>,
) -> impl FnMut(usize, &Tensor<E>) -> Tensor<E> {
    assert!((0.0..=1.0).contains(&probability), "scheduled_sampling: probability is {probability}");
    let targets: Vec<Tensor<E>> = steps(targets).collect();
    move |t, h| if rng.uniform() < probability { target(&targets, t) } else { feed(t, h) }
}

/// Goes on with a text: `steps` tokens after `prompt`, each chosen from the state and read in its turn.
///
/// The cell reads `embed(token)` (1, I) of the prompt's tokens and then of its own; `choose` is given h (1, H) and says
/// the next token, as [`sample`](crate::sample) does from a read-out of h. Runs without a tape.
///
/// # Errors
/// When the prompt is empty, or what `choose` gives.
///
/// # Panics
/// When the cell does not take what `embed` gives.
///
/// ```
/// use ndarray::arr1;
/// use striate_compute::rng::Rng;
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_recurrent::{LstmCell, SampleOptions, generate, sample};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = LstmCell::new(&store.root().sub("cell"), 26, 8);
/// let read_out = Linear::new(&store.root().sub("read_out"), 8, 26);
/// let options = SampleOptions { temperature: 0.8, top_k: Some(5) };
/// let mut rng = Rng::new(0);
///
/// let letter = |token| Tensor::one_hot(&arr1(&[token]), 26);
/// let text = generate(&cell, &[7, 4], 10, letter, |h| {
///     sample(&read_out.forward(h).to_vec(), &options, &mut rng)
/// })?;
/// assert_eq!(text.len(), 10);
/// # Ok::<(), striate_recurrent::SampleError>(())
/// ```
pub fn generate<E: Real, C: Cell<E>>(
    cell: &C,
    prompt: &[usize],
    steps: usize,
    embed: impl Fn(usize) -> Tensor<E>,
    mut choose: impl FnMut(&Tensor<E>) -> Result<usize, SampleError>,
) -> Result<Vec<usize>, SampleError> {
    if prompt.is_empty() {
        return Err(SampleError::EmptyPrompt);
    }
    no_grad(|| {
        let read = |state: C::State, token: &usize| cell.step(&embed(*token), &state);
        let mut state = prompt.iter().fold(cell.initial(1), read);
        let mut text = Vec::with_capacity(steps);
        for _ in 0..steps {
            let token = choose(state.hidden())?;
            text.push(token);
            state = read(state, &token);
        }
        Ok(text)
    })
}

/// s_0 for as many sequences as x, (N, I) or (T, N, I), has.
#[track_caller]
fn initial<E: Real, C: Cell<E>>(cell: &C, x: &Tensor<E>) -> C::State {
    let ([batch, _] | [_, batch, _]) = *x.shape() else {
        let rule = "the input must be (N, I) or (T, N, I)";
        return expect(Err(ShapeError::new("initial", rule, &[("x", x.shape())])));
    };
    cell.initial(batch)
}

/// s_T after x (T, N, I).
#[track_caller]
fn last_state<E: Real, C: Cell<E>>(cell: &C, x: &Tensor<E>) -> C::State {
    let mut state = initial(cell, x);
    for x in steps(x) {
        state = cell.step(&x, &state);
    }
    state
}

/// y_t, which step t + 1 reads.
#[track_caller]
fn target<E: Real>(targets: &[Tensor<E>], t: usize) -> Tensor<E> {
    let Some(target) = targets.get(t - 1) else {
        panic!("teacher_forcing: step {t} reads target {t}, there are {}", targets.len());
    };
    target.clone()
}
