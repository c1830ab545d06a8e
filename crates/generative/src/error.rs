use thiserror::Error;

/// What does not fit in a call of this crate.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GenerativeError {
    /// A number is NaN or infinite.
    #[error("{what} must be finite, is {value} at {index:?}")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// Where in the array.
        index: Vec<usize>,
        /// The number there.
        value: f64,
    },
    /// There are too few samples.
    #[error("{what} needs at least {needed} samples, there are {found}")]
    Samples {
        /// What needs them.
        what: &'static str,
        /// How many it needs.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// More components than the data has directions, or none.
    #[error("the number of components must be 1 to {most} for this data, is {components}")]
    Components {
        /// How many were asked for.
        components: usize,
        /// How many there can be.
        most: usize,
    },
    /// An array has another shape.
    #[error("{what} must be {expected}, is {shape:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape it must have, in words.
        expected: String,
        /// The shape it has.
        shape: Vec<usize>,
    },
    /// A size is 0.
    #[error("{what} must be at least 1, is 0")]
    Zero {
        /// Which size.
        what: &'static str,
    },
    /// Pictures that convolutions cannot halve as often as there are layers.
    #[error(
        "{layers} convolutions of stride 2 take pictures whose sides are multiples of {multiple}, not {height} × {width}"
    )]
    Sides {
        /// Layers of stride 2.
        layers: usize,
        /// What the sides must be multiples of.
        multiple: usize,
        /// The height that came.
        height: usize,
        /// The width that came.
        width: usize,
    },
    /// An option has no meaningful value.
    #[error("{name} must be {rule}, is {value}")]
    Option {
        /// Which option.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
        /// What it is.
        value: f64,
    },
    /// A number that the decoder's distribution never gives.
    #[error("x is {value} at {index:?}: {likelihood} needs {support}")]
    Support {
        /// The decoder's distribution.
        likelihood: &'static str,
        /// The numbers that it gives.
        support: String,
        /// Where in x.
        index: Vec<usize>,
        /// The number there.
        value: f64,
    },
    /// A factor that does not vary.
    #[error("factor {factor} has one value alone")]
    ConstantFactor {
        /// Which factor.
        factor: usize,
    },
}
