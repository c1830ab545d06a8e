use thiserror::Error;

/// What does not fit in a call of this crate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecurrentError {
    /// An array has another shape than the sizes of the layer ask for.
    #[error("{what} must be {expected:?}, is {shape:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape it must have.
        expected: Vec<usize>,
        /// The shape it has.
        shape: Vec<usize>,
    },
    /// An input has another number of axes, or of features.
    #[error("x must be {expected} with {features} features, is {shape:?}")]
    Input {
        /// The axes it must have, in words.
        expected: &'static str,
        /// The features that the layer takes.
        features: usize,
        /// The shape it has.
        shape: Vec<usize>,
    },
    /// An array has another number of axes, or of rows.
    #[error("{what} must be {expected}, is {shape:?}")]
    Axes {
        /// Which array.
        what: &'static str,
        /// The axes it must have, in words.
        expected: &'static str,
        /// The shape it has.
        shape: Vec<usize>,
    },
    /// A length is 0, or more than there are steps.
    #[error("lengths must be 1 to {steps}, sequence {sequence} has {length}")]
    Length {
        /// Which sequence of the batch.
        sequence: usize,
        /// Its length.
        length: usize,
        /// Steps of the padded input.
        steps: usize,
    },
    /// Another number of lengths than sequences.
    #[error("there must be a length for each of {batch} sequences, there are {lengths}")]
    Lengths {
        /// Sequences in the batch.
        batch: usize,
        /// Lengths given.
        lengths: usize,
    },
    /// The numbers of sequences at each step are 0 somewhere, or grow.
    #[error("batch sizes must be positive and must not grow, step {step} has {size} after {before}")]
    BatchSizes {
        /// Which step.
        step: usize,
        /// Sequences at this step.
        size: usize,
        /// Sequences at the step before.
        before: usize,
    },
    /// Another number of directions than one or two.
    #[error("there must be one direction or two, there are {directions}")]
    Directions {
        /// How many there are.
        directions: usize,
    },
    /// An LSTM without c.
    #[error("the state of an LSTM needs c beside h")]
    NoCell,
    /// Some biases, but not all.
    #[error("every direction must have both biases, or none of them any")]
    Biases,
    /// A stream through layers that read sequences in both directions.
    #[error("layers that read in both directions need whole sequences, not a stream")]
    Bidirectional,
    /// A layer has no unit.
    #[error("there must be at least one hidden unit")]
    Hidden,
    /// There is no step or no sequence.
    #[error("{what} is empty: there must be at least one step and one sequence")]
    Empty {
        /// Which argument.
        what: &'static str,
    },
}
