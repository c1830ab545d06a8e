//! The recurrent rows: sequence layers, a character model's training step, one step of a stream.

use std::rc::Rc;

use crate::data::{GRADIENT, INPUT, fill, labels};
use crate::{Prepare, Row};

/// What a layer computes, as PyTorch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `nn.LSTM`: the gates i, f, g, o.
    Lstm,
    /// `nn.GRU`: the gates r, z, n.
    Gru,
    /// `nn.RNN`
    Tanh,
}

impl Kind {
    /// Blocks of H rows of a weight.
    pub const fn gates(self) -> usize {
        match self {
            Kind::Lstm => 4,
            Kind::Gru => 3,
            Kind::Tanh => 1,
        }
    }
}

/// One layer in one direction on x (T, N, I), from a state of zeros.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// What is computed.
    pub kind: Kind,
    /// N
    pub batch: usize,
    /// T
    pub steps: usize,
    /// I
    pub input: usize,
    /// H
    pub hidden: usize,
}

const fn layer(kind: Kind, [batch, steps, input, hidden]: [usize; 4]) -> Layer {
    Layer { kind, batch, steps, input, hidden }
}

/// The layers of the rows.
pub const LAYERS: [Layer; 6] = [
    layer(Kind::Lstm, [32, 100, 128, 256]),
    layer(Kind::Lstm, [16, 50, 64, 64]),
    layer(Kind::Lstm, [1, 200, 64, 128]),
    layer(Kind::Lstm, [32, 200, 128, 256]),
    layer(Kind::Gru, [32, 100, 128, 256]),
    layer(Kind::Tanh, [32, 100, 128, 256]),
];

/// A parameter with PyTorch's name and shape.
pub struct Parameter {
    /// `weight_ih_l0` and so on.
    pub name: String,
    /// Of a weight (outputs, inputs).
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

impl Parameter {
    fn new(name: impl Into<String>, shape: &[usize], seed: u32, scale: f32) -> Self {
        Parameter {
            name: name.into(),
            shape: shape.to_vec(),
            values: fill(seed, shape.iter().product(), scale),
        }
    }
}

impl Layer {
    /// Kind and sizes.
    pub fn name(&self) -> String {
        let Layer { kind, batch, steps, input, hidden } = self;
        format!("{}-b{batch}t{steps}i{input}h{hidden}", format!("{kind:?}").to_lowercase())
    }

    /// (T, N, I)
    pub fn x_shape(&self) -> [usize; 3] {
        [self.steps, self.batch, self.input]
    }

    /// (T, N, H)
    pub fn y_shape(&self) -> [usize; 3] {
        [self.steps, self.batch, self.hidden]
    }

    /// x
    pub fn x(&self) -> Vec<f32> {
        fill(INPUT, self.x_shape().iter().product(), 1.0)
    }

    /// dL/dy
    pub fn dy(&self) -> Vec<f32> {
        fill(GRADIENT, self.y_shape().iter().product(), 1.0)
    }

    /// W_ih (G·H, I), W_hh (G·H, H), b_ih and b_hh (G·H), uniform within 1/√H: `weight_ih_l0`, ….
    pub fn parameters(&self) -> Vec<Parameter> {
        self.named_parameters("", 0, INPUT + 1)
    }

    /// Those of layer `index` under `prefix`, the first with the seed `seed`, each other with the next one.
    fn named_parameters(&self, prefix: &str, index: usize, seed: u32) -> Vec<Parameter> {
        let (rows, scale) = (self.kind.gates() * self.hidden, 1.0 / (self.hidden as f32).sqrt());
        let shapes: [(&str, &[usize]); 4] = [
            ("weight_ih", &[rows, self.input]),
            ("weight_hh", &[rows, self.hidden]),
            ("bias_ih", &[rows]),
            ("bias_hh", &[rows]),
        ];
        let parameter =
            |((name, shape), seed)| Parameter::new(format!("{prefix}{name}_l{index}"), shape, seed, scale);
        shapes.into_iter().zip(seed..).map(parameter).collect()
    }

    /// Multiplications and additions of the products with x and h. The gradients of x and h take as many, and those of
    /// the weights.
    pub fn operations(&self) -> usize {
        2 * self.steps * self.batch * self.kind.gates() * self.hidden * (self.input + self.hidden)
    }
}

/// The rows of some layers, without and with gradients, which `prepare` makes ready. The check is the summary of y and,
/// with gradients, those of dx, dW_ih, dW_hh, db_ih, db_hh.
pub fn recurrent_rows(
    layers: impl IntoIterator<Item = Layer>,
    prepare: impl Fn(&Layer, bool) -> Row + 'static,
) -> Vec<(String, Prepare)> {
    let prepare = Rc::new(prepare);
    let both = layers.into_iter().flat_map(|layer| [(layer, false), (layer, true)]);
    let rows = both.map(|(layer, backward)| {
        let prepare = prepare.clone();
        let name = format!("rnn/{}/{}", layer.name(), if backward { "fb" } else { "fwd" });
        (name, Box::new(move || prepare(&layer, backward)) as Prepare)
    });
    rows.collect()
}

/// The row of [`CELL`]: h' and c' from x and the h and c of the step before, without gradients. The check are the
/// summaries of the first h and of the second, both from the same x.
pub const CELL_ROW: &str = "rnn/lstmcell-b1h256/step";
/// The layer that a stream goes through, step by step.
pub const CELL: Layer = layer(Kind::Lstm, [1, 1, 256, 256]);

/// The row of the character model's training step: forward, mean cross-entropy, backward, Adam (lr 1e-3). The check is
/// the loss before and after the first step.
pub const CHARACTERS_ROW: &str = "rnn/charlstm-b32t64h256/step";
/// How many characters there are.
pub const CHARACTERS: usize = 65;
/// Numbers of a character's embedding.
pub const EMBEDDING: usize = 128;
/// The model's LSTM layers, one above the other.
pub const STACK: [Layer; 2] =
    [layer(Kind::Lstm, [32, 64, EMBEDDING, 256]), layer(Kind::Lstm, [32, 64, 256, 256])];

/// `embedding.weight` (65, 128) within 1, `lstm.weight_ih_l0` and so on, `head.weight` (65, 256) and `head.bias` within
/// 1/√256: parameter p has the seed p + 1.
pub fn character_parameters() -> Vec<Parameter> {
    let [first, second] = STACK;
    let mut parameters = vec![Parameter::new("embedding.weight", &[CHARACTERS, EMBEDDING], 1, 1.0)];
    parameters.extend(first.named_parameters("lstm.", 0, 2));
    parameters.extend(second.named_parameters("lstm.", 1, 6));
    let scale = 1.0 / (second.hidden as f32).sqrt();
    parameters.push(Parameter::new("head.weight", &[CHARACTERS, second.hidden], 10, scale));
    parameters.push(Parameter::new("head.bias", &[CHARACTERS], 11, scale));
    parameters
}

/// Characters (T, N), and those that follow each: character i of T + 1 rows of N is 7·i mod 65.
pub fn characters() -> (Vec<usize>, Vec<usize>) {
    let [Layer { batch, steps, .. }, _] = STACK;
    let all = labels((steps + 1) * batch, CHARACTERS);
    (all[..steps * batch].to_vec(), all[batch..].to_vec())
}

/// Multiplications and additions of the character model's forward pass; the gradients take twice as many.
pub fn character_operations() -> usize {
    let [first, second] = STACK;
    let head = 2 * second.steps * second.batch * second.hidden * CHARACTERS;
    first.operations() + second.operations() + head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_kind_and_sizes() {
        let rows = recurrent_rows(LAYERS, |_, _| unreachable!("only names are looked at"));
        let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..2], ["rnn/lstm-b32t100i128h256/fwd", "rnn/lstm-b32t100i128h256/fb"]);
        assert_eq!(names[10], "rnn/tanh-b32t100i128h256/fwd");
    }

    #[test]
    fn parameters_are_pytorchs() {
        let shapes = |parameters: Vec<Parameter>| -> Vec<(String, Vec<usize>)> {
            parameters.into_iter().map(|p| (p.name, p.shape)).collect()
        };
        let gru = shapes(LAYERS[4].parameters());
        assert_eq!(gru[1], ("weight_hh_l0".into(), vec![768, 256]));
        let model = shapes(character_parameters());
        assert_eq!(model.len(), 11);
        assert_eq!(model[5], ("lstm.weight_ih_l1".into(), vec![1024, 256]));
    }

    #[test]
    fn a_character_is_followed_by_that_of_the_next_step() {
        let (x, next) = characters();
        assert_eq!((x.len(), next.len()), (64 * 32, 64 * 32));
        assert_eq!(x[32..], next[..63 * 32]);
    }

    #[test]
    fn operations_count_products_and_sums() {
        assert_eq!(LAYERS[0].operations(), 2 * 100 * 32 * 1024 * (128 + 256));
        assert_eq!(character_operations(), 2 * 64 * 32 * (1024 * (128 + 256 + 256 + 256) + 256 * 65));
    }
}
