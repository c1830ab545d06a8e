//! The network, what it needs to be made again, and how it writes.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};
use striate::compute::rng::Rng;
use striate::datasets::Vocabulary;
use striate::nn::{Embedding, Linear, Module, ParamStore, cross_entropy};
use striate::recurrent::{CellOptions, Lstm, SampleError, SampleOptions, SequenceOptions, sample};
use striate::tensor::{Tensor, no_grad};
use striate::train::{Metrics, RunningMean};

use crate::program::Outcome;
use crate::streams::{Streams, Window};

/// What must be the same when a run goes on, and what a checkpoint needs beside its weights.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) data: String,
    /// Number of characters in the text.
    pub(crate) characters: usize,
    pub(crate) vocabulary: String,
    pub(crate) embedding: usize,
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    /// Between the layers.
    pub(crate) dropout: f64,
    pub(crate) batch: usize,
    pub(crate) window: usize,
    pub(crate) lr: f64,
    pub(crate) clip_norm: f64,
    pub(crate) seed: u64,
}

impl Config {
    /// What was read from a file must be a network of a bearable size.
    pub(crate) fn check(&self) -> Result<(), String> {
        const MOST: f64 = (1 << 28) as f64;
        let vocabulary = self.vocabulary.chars().count();
        let sizes = [vocabulary, self.embedding, self.hidden, self.layers];
        let [v, e, h, l] = sizes.map(|size| size as f64);
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(format!("dropout must be in [0, 1), it is {}", self.dropout));
        }
        if sizes.contains(&0) || v * (e + h) + 4.0 * l * h * (e + 2.0 * h) > MOST {
            return Err(format!("sizes must be at least 1, and weights at most {MOST}, they are {sizes:?}"));
        }
        Ok(())
    }

    pub(crate) fn network(&self, store: &ParamStore) -> CharLstm {
        let root = store.root();
        let vocabulary = Vocabulary::new(&self.vocabulary);
        let cell = CellOptions { forget_bias: Some(1.0), ..Default::default() };
        let options =
            SequenceOptions { layers: self.layers, dropout: self.dropout, cell, ..Default::default() };
        CharLstm {
            embedding: Embedding::new(&root.sub("embedding"), vocabulary.len(), self.embedding),
            lstm: Lstm::with(&root.sub("lstm"), self.embedding, self.hidden, options),
            read_out: Linear::new(&root.sub("read_out"), self.hidden, vocabulary.len()),
            vocabulary,
        }
    }
}

/// h and c of both layers.
pub(crate) type LstmState = (Tensor, Tensor);

pub(crate) struct CharLstm {
    pub(crate) vocabulary: Vocabulary,
    embedding: Embedding,
    lstm: Lstm,
    read_out: Linear,
}

impl CharLstm {
    /// Before the first character of as many texts.
    pub(crate) fn start(&self, batch: usize) -> LstmState {
        self.lstm.zero_state(batch)
    }

    /// The mean cross-entropy, in nats, of what follows in a window, and the state after it.
    pub(crate) fn loss(&self, Window { x, y }: &Window, state: &LstmState) -> (Tensor, LstmState) {
        let (h, state) = self.lstm.run(&self.embedding.forward(x), state);
        let logits = self.read_out.forward(&h.flatten(0, 1));
        (cross_entropy(&logits, y), state)
    }

    /// Cross-entropy over a text, without a tape.
    pub(crate) fn evaluate(&self, text: &Streams) -> Metrics {
        let mut mean = RunningMean::default();
        let mut state = self.start(text.batch);
        no_grad(|| {
            for window in text.windows() {
                let (loss, after) = self.loss(&window, &state);
                mean.add(figures(loss.item()), window.y.len());
                state = after;
            }
        });
        mean.means()
    }

    /// `length` characters after a prompt.
    pub(crate) fn write(
        &self,
        prompt: &str,
        length: usize,
        options: &SampleOptions,
        rng: &mut Rng,
    ) -> Outcome<String> {
        let mut tokens = self.vocabulary.encode(prompt).map_err(|error| format!("prompt: {error}"))?;
        if tokens.is_empty() {
            return Err(SampleError::EmptyPrompt.into());
        }
        let mut stream = self.lstm.stream()?;
        no_grad(|| {
            let mut read = |token: usize| -> Outcome<Vec<f32>> {
                let h = stream.step(&self.embedding.forward(&[token]).to_vec())?;
                Ok(self.read_out.forward(&Tensor::from_vec(&[1, h.len()], h.to_vec())).to_vec())
            };
            let mut logits = Vec::new();
            for &token in &tokens {
                logits = read(token)?;
            }
            for _ in 0..length {
                let token = sample(&logits, options, rng)?;
                tokens.push(token);
                logits = read(token)?;
            }
            Ok(self.vocabulary.decode(&tokens))
        })
    }
}

/// Loss in nats, and in the unit that texts are compared in.
pub(crate) fn figures(nats: f64) -> [(&'static str, f64); 2] {
    [("loss", nats), (BITS, nats / LN_2)]
}

pub(crate) const BITS: &str = "bits_per_character";
