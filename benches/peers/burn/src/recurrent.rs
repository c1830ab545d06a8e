//! Recurrent layers, a character model's training step, and one step of an LSTM.

use burn_core::module::{Module, Param};
use burn_nn::loss::CrossEntropyLossConfig;
use burn_nn::{
    Embedding, EmbeddingConfig, GateController, Gru, GruConfig, Linear, LinearConfig, Lstm, LstmConfig,
    LstmState, Rnn, RnnConfig,
};
use burn_optim::{AdamConfig, GradientsParams};
use burn_tensor::{Device, Gradients, Int, Tensor, TensorData};
use protocol::data::summary;
use protocol::recurrent::{
    CELL, CELL_ROW, CHARACTERS, CHARACTERS_ROW, EMBEDDING, Kind, LAYERS, Layer, Parameter, STACK,
    character_parameters, characters,
};
use protocol::{Prepare, Row, recurrent_rows};

use crate::{device, tensor, values};

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    let mut rows = recurrent_rows(LAYERS, prepare);
    rows.push((CHARACTERS_ROW.into(), Box::new(character_model)));
    rows.push((CELL_ROW.into(), Box::new(cell)));
    rows
}

trait Net: 'static {
    fn new(layer: &Layer, device: &Device) -> Self;

    /// In PyTorch's order.
    fn gates(&mut self) -> Vec<&mut GateController>;

    /// y (T, N, H) for x (T, N, I)
    fn run(&self, x: Tensor<3>) -> Tensor<3>;
}

impl Net for Lstm {
    fn new(layer: &Layer, device: &Device) -> Self {
        LstmConfig::new(layer.input, layer.hidden, true).with_batch_first(false).init(device)
    }

    fn gates(&mut self) -> Vec<&mut GateController> {
        let forget = self.forget_gate.as_mut().expect("not coupled");
        vec![&mut self.input_gate, forget, &mut self.cell_gate, &mut self.output_gate]
    }

    fn run(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x, None).0
    }
}

impl Net for Gru {
    fn new(layer: &Layer, device: &Device) -> Self {
        GruConfig::new(layer.input, layer.hidden, true).init(device)
    }

    fn gates(&mut self) -> Vec<&mut GateController> {
        vec![&mut self.reset_gate, &mut self.update_gate, &mut self.new_gate]
    }

    fn run(&self, x: Tensor<3>) -> Tensor<3> {
        // The only one that takes (N, T, I) alone.
        self.forward(x.swap_dims(0, 1), None).swap_dims(0, 1)
    }
}

impl Net for Rnn {
    fn new(layer: &Layer, device: &Device) -> Self {
        RnnConfig::new(layer.input, layer.hidden, true).with_batch_first(false).init(device)
    }

    fn gates(&mut self) -> Vec<&mut GateController> {
        vec![&mut self.gate]
    }

    fn run(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x, None).0
    }
}

/// burn's layer with these parameters: W_ih, W_hh, b_ih, b_hh.
fn net<N: Net>(layer: &Layer, parameters: &[Parameter], device: &Device) -> N {
    let mut net = N::new(layer, device);
    start(net.gates(), parameters, device);
    net
}

/// Gives each gate its rows of W_ih, W_hh, b_ih and b_hh.
fn start(gates: Vec<&mut GateController>, parameters: &[Parameter], device: &Device) {
    let count = gates.len();
    let [w_ih, w_hh, b_ih, b_hh] = parameters else { panic!("two weights and two biases") };
    for (index, gate) in gates.into_iter().enumerate() {
        let rows = |parameter: &Parameter| {
            let size = parameter.values.len() / count;
            let shape = [&[parameter.shape[0] / count], &parameter.shape[1..]].concat();
            Parameter {
                name: String::new(),
                shape,
                values: parameter.values[index * size..][..size].to_vec(),
            }
        };
        start_linear(&mut gate.input_transform, &rows(w_ih), &rows(b_ih), device);
        start_linear(&mut gate.hidden_transform, &rows(w_hh), &rows(b_hh), device);
    }
}

/// burn's weights are (inputs, outputs).
fn start_linear(linear: &mut Linear, weight: &Parameter, bias: &Parameter, device: &Device) {
    let [outputs, inputs] = weight.shape[..] else { panic!("a weight is a matrix") };
    let transposed = (0..inputs * outputs).map(|i| weight.values[i % outputs * inputs + i / outputs]);
    linear.weight = parameter(transposed.collect(), [inputs, outputs], device);
    linear.bias = Some(parameter(bias.values.clone(), [outputs], device));
}

fn parameter<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(tensor(values, shape, device))
}

fn prepare(layer: &Layer, backward: bool) -> Row {
    match layer.kind {
        Kind::Lstm => prepare_net::<Lstm>(layer, backward),
        Kind::Gru => prepare_net::<Gru>(layer, backward),
        Kind::Tanh => prepare_net::<Rnn>(layer, backward),
    }
}

fn prepare_net<N: Net>(layer: &Layer, backward: bool) -> Row {
    let device = device(backward);
    let mut net: N = net(layer, &layer.parameters(), &device);
    let x = tensor(layer.x(), layer.x_shape(), &device);
    if !backward {
        let check = summary(&values(&net.run(x.clone()))).into();
        let step = move || drop(net.run(x.clone()));
        return Row { step: Box::new(step), parameters: 0, check };
    }
    let x = x.require_grad();
    let dy = tensor(layer.dy(), layer.y_shape(), &device);
    let mut step = move || {
        let y = net.run(x.clone());
        // A backward pass starts at 1: that of Σ y·dy hands dy on to y.
        let mut gradients = (y.clone() * dy.clone()).sum().backward();
        let dx = x.grad_remove(&mut gradients).expect("x is tracked");
        let linears = |gate: &mut GateController| {
            [&gate.input_transform, &gate.hidden_transform].map(|linear| of_linear(linear, &mut gradients))
        };
        let gates: Vec<_> = net.gates().into_iter().map(linears).collect();
        (y, dx, gates)
    };
    let (y, dx, gates) = step();
    let mut check = [summary(&values(&y)), summary(&values(&dx))].concat();
    // In PyTorch's layout: the gates' rows below one another.
    let weight = |i: usize| Tensor::cat(gates.iter().map(|gate| gate[i].0.clone().transpose()).collect(), 0);
    let bias = |i: usize| Tensor::cat(gates.iter().map(|gate| gate[i].1.clone()).collect(), 0);
    check.extend([weight(0), weight(1)].iter().flat_map(|dw| summary(&values(dw))));
    check.extend([bias(0), bias(1)].iter().flat_map(|db| summary(&values(db))));
    Row { step: Box::new(move || drop(step())), parameters: 0, check }
}

fn of_linear(linear: &Linear, gradients: &mut Gradients) -> (Tensor<2>, Tensor<1>) {
    let dw = linear.weight.val().grad_remove(gradients).expect("the weight is tracked");
    let bias = linear.bias.as_ref().expect("a bias").val();
    (dw, bias.grad_remove(gradients).expect("the bias is tracked"))
}

fn character_model() -> Row {
    let [Layer { batch, steps, hidden, .. }, _] = STACK;
    let device = device(true);
    let parameters = character_parameters();
    let mut embedding: Embedding = EmbeddingConfig::new(CHARACTERS, EMBEDDING).init(&device);
    embedding.weight = parameter(parameters[0].values.clone(), [CHARACTERS, EMBEDDING], &device);
    let layers = STACK.iter().zip(parameters[1..].chunks_exact(4));
    let stack: Vec<Lstm> = layers.map(|(layer, parameters)| net(layer, parameters, &device)).collect();
    let mut head = LinearConfig::new(hidden, CHARACTERS).init(&device);
    start_linear(&mut head, &parameters[9], &parameters[10], &device);

    let (x, next) = characters();
    let indices = |values: Vec<usize>| values.into_iter().map(|value| value as i64).collect::<Vec<_>>();
    let x = Tensor::<2, Int>::from_data(TensorData::new(indices(x), [steps, batch]), &device);
    let next = Tensor::<1, Int>::from_data(TensorData::new(indices(next), [steps * batch]), &device);
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    let mut adam = AdamConfig::new().with_epsilon(1e-8).init();
    let model = (embedding, stack, head);
    let parameters = model.num_params();
    let mut model = Some(model);
    let mut step = move || {
        let before = model.take().expect("the step before left it");
        let (embedding, stack, head) = &before;
        let y = stack.iter().fold(embedding.forward(x.clone()), |y, lstm| lstm.run(y));
        let logits = head.forward(y.reshape([steps * batch, hidden]));
        let loss = cross_entropy.forward(logits, next.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(adam.step(1e-3, before, gradients));
        f64::from(values(&loss)[0])
    };
    let check = vec![step(), step()];
    let step = move || {
        step();
    };
    Row { step: Box::new(step), parameters, check }
}

fn cell() -> Row {
    let device = device(false);
    let lstm: Lstm = net(&CELL, &CELL.parameters(), &device);
    let x = tensor(CELL.x(), CELL.x_shape(), &device);
    let mut state = Some(LstmState::initial([CELL.batch, CELL.hidden], &device));
    let mut step = move || {
        let (y, after) = lstm.forward(x.clone(), state.take());
        state = Some(after);
        y
    };
    let check = [step(), step()].iter().flat_map(|y| summary(&values(y))).collect();
    let step = move || drop(step());
    Row { step: Box::new(step), parameters: 0, check }
}
