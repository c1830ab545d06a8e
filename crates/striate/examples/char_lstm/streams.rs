//! A text as a recurrent network reads it.

use ndarray::Array2;

use crate::network::Config;
use crate::program::Outcome;

/// A text cut into equally long parts that are read side by side, the state of each going on from window to window.
pub(crate) struct Streams {
    pub(crate) tokens: Vec<usize>,
    pub(crate) batch: usize,
    window: usize,
}

/// Characters (T, N), and what follows each, (T · N).
pub(crate) struct Window {
    pub(crate) x: Array2<usize>,
    pub(crate) y: Vec<usize>,
}

impl Streams {
    pub(crate) fn new(tokens: &[usize], config: &Config) -> Outcome<Self> {
        let Config { batch, window, .. } = *config;
        if tokens.len() <= batch {
            let characters = config.characters;
            return Err(format!(
                "{}: {characters} characters are too few: of the two parts, training and validation, each must have more than --batch, {batch}, and one has {}",
                config.data,
                tokens.len(),
            )
            .into());
        }
        Ok(Streams { tokens: tokens.to_vec(), batch, window })
    }

    /// x of each place and step, and the character after it.
    pub(crate) fn windows(&self) -> impl ExactSizeIterator<Item = Window> {
        let &Streams { ref tokens, batch, window } = self;
        let length = (tokens.len() - 1) / batch;
        (0..length.div_ceil(window)).map(move |index| {
            let start = index * window;
            let steps = window.min(length - start);
            let at = |t, n| tokens[n * length + start + t];
            let x = Array2::from_shape_fn((steps, batch), |(t, n)| at(t, n));
            let y = Array2::from_shape_fn((steps, batch), |(t, n)| at(t + 1, n));
            Window { x, y: y.into_raw_vec_and_offset().0 }
        })
    }
}
