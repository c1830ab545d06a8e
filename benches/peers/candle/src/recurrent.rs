//! Recurrent layers, a character model's training step, and one step of an LSTM.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rnn::{GRU, GRUConfig, GRUState, LSTM, LSTMConfig, LSTMState, RNN};
use candle_nn::{AdamW, Module, Optimizer, ParamsAdamW, VarBuilder, embedding, linear, loss};
use protocol::recurrent::{
    CELL, CELL_ROW, CHARACTERS, CHARACTERS_ROW, EMBEDDING, Kind, LAYERS, Layer, Parameter, STACK,
    character_parameters, characters,
};
use protocol::{Prepare, Row, recurrent_rows};

use crate::{forward, forward_backward, summaries, tensor, variables};

/// candle has no RNN without gates, so that row is missing.
pub(crate) fn rows() -> Vec<(String, Prepare)> {
    let layers = LAYERS.into_iter().filter(|layer| layer.kind != Kind::Tanh);
    let mut rows =
        recurrent_rows(layers, |layer, backward| prepare(layer, backward).expect("candle computes it"));
    rows.push((CHARACTERS_ROW.into(), Box::new(|| character_model().expect("candle computes it"))));
    rows.push((CELL_ROW.into(), Box::new(|| cell().expect("candle computes it"))));
    rows
}

fn tensors(parameters: Vec<Parameter>) -> Result<(Vec<String>, Vec<Tensor>)> {
    let mut names = Vec::new();
    let mut tensors = Vec::new();
    for Parameter { name, shape, values } in parameters {
        names.push(name);
        tensors.push(tensor(values, &shape)?);
    }
    Ok((names, tensors))
}

/// Where candle's layers find their parameters.
fn builder(names: Vec<String>, tensors: &[Tensor]) -> VarBuilder<'static> {
    let tensors = names.into_iter().zip(tensors.iter().cloned()).collect();
    VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)
}

/// y (T, N, H) for x (T, N, I); candle takes (N, T, I).
fn run<N: RNN>(net: &N, x: &Tensor, h: fn(&N::State) -> &Tensor) -> Result<Tensor> {
    let states = net.seq(&x.transpose(0, 1)?)?;
    Tensor::stack(&states.iter().map(h).collect::<Vec<_>>(), 0)
}

type Run = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

fn net(layer: &Layer, parameters: VarBuilder) -> Result<Run> {
    match layer.kind {
        Kind::Lstm => {
            let net = LSTM::new(layer.input, layer.hidden, LSTMConfig::default(), parameters)?;
            Ok(Box::new(move |x| run(&net, x, LSTMState::h)))
        }
        Kind::Gru => {
            let net = GRU::new(layer.input, layer.hidden, GRUConfig::default(), parameters)?;
            Ok(Box::new(move |x| run(&net, x, GRUState::h)))
        }
        Kind::Tanh => unreachable!("candle has none"),
    }
}

fn prepare(layer: &Layer, backward: bool) -> Result<Row> {
    let (names, parameters) = tensors(layer.parameters())?;
    let mut inputs = vec![tensor(layer.x(), &layer.x_shape())?];
    inputs.extend(parameters);
    if backward {
        inputs = variables(&inputs)?;
    }
    let net = net(layer, builder(names, &inputs[1..]))?;
    let call = move |inputs: &[Tensor]| net(&inputs[0]);
    if backward {
        forward_backward(inputs, tensor(layer.dy(), &layer.y_shape())?, call)
    } else {
        forward(inputs, call)
    }
}

fn character_model() -> Result<Row> {
    let [Layer { batch, steps, hidden, .. }, _] = STACK;
    let (names, parameters) = tensors(character_parameters())?;
    let variables = parameters.iter().map(Var::from_tensor).collect::<Result<Vec<_>>>()?;
    let parameters: Vec<Tensor> = variables.iter().map(|variable| variable.as_tensor().clone()).collect();
    let count = parameters.iter().map(Tensor::elem_count).sum();
    let root = builder(names, &parameters);
    let embedding = embedding(CHARACTERS, EMBEDDING, root.pp("embedding"))?;
    let mut stack = Vec::new();
    for (layer_idx, layer) in STACK.into_iter().enumerate() {
        let config = LSTMConfig { layer_idx, ..Default::default() };
        stack.push(LSTM::new(layer.input, layer.hidden, config, root.pp("lstm"))?);
    }
    let head = linear(hidden, CHARACTERS, root.pp("head"))?;
    let options = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() };
    let mut adam = AdamW::new(variables, options)?;
    let indices = |values: Vec<usize>, shape: &[usize]| {
        let values: Vec<u32> = values.into_iter().map(|value| value as u32).collect();
        Tensor::from_vec(values, shape, &Device::Cpu)
    };
    let (x, next) = characters();
    let (x, next) = (indices(x, &[steps, batch])?, indices(next, &[steps * batch])?);
    let mut step = move || {
        let mut y = embedding.forward(&x)?;
        for lstm in &stack {
            y = run(lstm, &y, LSTMState::h)?;
        }
        let logits = head.forward(&y.reshape(((), hidden))?)?;
        let loss = loss::cross_entropy(&logits, &next)?;
        adam.backward_step(&loss)?;
        Ok::<f64, candle_core::Error>(loss.to_scalar::<f32>()?.into())
    };
    let check = vec![step()?, step()?];
    let step = move || {
        step().expect("as in the first step");
    };
    Ok(Row { step: Box::new(step), parameters: count, check })
}

fn cell() -> Result<Row> {
    let (names, parameters) = tensors(CELL.parameters())?;
    let lstm = LSTM::new(CELL.input, CELL.hidden, LSTMConfig::default(), builder(names, &parameters))?;
    let x = tensor(CELL.x(), &[1, CELL.input])?;
    let mut state = lstm.zero_state(1)?;
    let mut step = move || {
        state = lstm.step(&x, &state)?;
        Ok::<Tensor, candle_core::Error>(state.h().clone())
    };
    let check = summaries(&[step()?, step()?])?;
    let step = move || drop(step().expect("as in the first step"));
    Ok(Row { step: Box::new(step), parameters: 0, check })
}
