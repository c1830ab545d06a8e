//! Recurrent layers, forward and backward, a character model's training step, and one step of a stream.

use protocol::recurrent::{
    CELL, CELL_ROW, CHARACTERS, CHARACTERS_ROW, EMBEDDING, Kind, LAYERS, Layer, Parameter, STACK,
    character_parameters, characters,
};
use protocol::{Prepare, Row, data, recurrent_rows};
use striate_nn::losses::cross_entropy;
use striate_nn::{Embedding, Linear, Module, ParamStore, Path};
use striate_recurrent::kernels::{self, Stream, Weights};
use striate_recurrent::{Gru, Lstm, Rnn, SequenceOptions};
use striate_tensor::Tensor;

use crate::step::{self, input};

/// All rows.
pub fn rows() -> Vec<(String, Prepare)> {
    let mut rows = recurrent_rows(LAYERS, |layer, backward| step::row(step(layer, backward)));
    rows.push((CHARACTERS_ROW.into(), Box::new(character_model)));
    rows.push((CELL_ROW.into(), Box::new(stream)));
    rows
}

/// A step of a layer: y, and with `backward` the gradients of x and of all parameters.
pub fn step(layer: &Layer, backward: bool) -> Box<dyn Fn() -> Vec<Tensor>> {
    match layer.kind {
        Kind::Lstm => sequence(layer, backward, Lstm::new),
        Kind::Gru => sequence(layer, backward, Gru::new),
        Kind::Tanh => sequence(layer, backward, Rnn::new),
    }
}

fn sequence<M: Module + 'static>(
    layer: &Layer,
    backward: bool,
    new: impl Fn(&Path, usize, usize) -> M,
) -> Box<dyn Fn() -> Vec<Tensor>> {
    let store = ParamStore::seeded(0);
    let net = new(&store.root(), layer.input, layer.hidden);
    let mut x = vec![input(layer.x(), &layer.x_shape()).requires_grad()];
    x.extend(start_from(&store, layer.parameters()));
    let call = move |x: &[Tensor]| net.forward(&x[0]);
    if backward {
        Box::new(step::tracked(x, input(layer.dy(), &layer.y_shape()), call))
    } else {
        Box::new(step::forward(x, call))
    }
}

/// Gives the store's parameters the values of `parameters`, and hands them out in that order.
fn start_from(store: &ParamStore, parameters: Vec<Parameter>) -> Vec<Tensor> {
    let start = |Parameter { name, values, .. }: Parameter| {
        let parameter = store.get(&name).expect("a parameter of that name");
        parameter.update(|array| array.make_mut().copy_from_slice(&values));
        parameter
    };
    parameters.into_iter().map(start).collect()
}

/// A training step of the character model: forward, mean cross-entropy, backward, Adam.
pub fn character_model() -> Row {
    let [Layer { batch, steps, hidden, .. }, _] = STACK;
    let store = ParamStore::seeded(0);
    let root = store.root();
    let embedding = Embedding::new(&root.sub("embedding"), CHARACTERS, EMBEDDING);
    let options = SequenceOptions { layers: STACK.len(), ..Default::default() };
    let lstm = Lstm::with(&root.sub("lstm"), EMBEDDING, hidden, options);
    let head = Linear::new(&root.sub("head"), hidden, CHARACTERS);
    start_from(&store, character_parameters());
    let (x, next) = characters();
    step::training(&store, move || {
        let x = embedding.forward(&x).reshape(&[steps as isize, batch as isize, EMBEDDING as isize]);
        let y = lstm.forward(&x).reshape(&[-1, hidden as isize]);
        cross_entropy(&head.forward(&y), &next)
    })
}

/// A step of a stream through an LSTM, which carries its state.
pub fn stream() -> Row {
    let [ih, hh, bias_ih, bias_hh] = &CELL.parameters()[..] else {
        unreachable!("two weights and two biases")
    };
    let weights = Weights {
        ih: &ih.values,
        hh: &hh.values,
        bias_ih: Some(&bias_ih.values),
        bias_hh: Some(&bias_hh.values),
    };
    let mut stream =
        Stream::new(kernels::Kind::Lstm, CELL.input, CELL.hidden, &weights).expect("weights of that size");
    let x = CELL.x();
    let mut summary = || data::summary(stream.step(&x).expect("x of that size"));
    let check = [summary(), summary()].concat();
    let step = move || {
        stream.step(&x).expect("x of that size");
    };
    Row { step: Box::new(step), parameters: 0, check }
}
