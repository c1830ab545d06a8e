use striate_tensor::{Real, Tensor};

use crate::cells::State;
use crate::kernels::Kind;

/// What tells the sequence layers apart: what they compute and what they carry. [`Lstm`](crate::Lstm) and its siblings
/// are [`SequenceLayer`](crate::SequenceLayer)s of one each.
pub trait Architecture: sealed::Architecture + Send + Sync + 'static {
    /// h, or (h, c), of all layers and directions: (L·D, N, H).
    type State<E: Real>: LayerState<E>;
    /// The layer's type, for messages and summaries.
    const LAYER: &'static str;
    /// What the kernels compute.
    const KIND: Kind;
}

/// A state that sequence layers carry: h, or (h, c).
pub trait LayerState<E: Real>: State<E> + sealed::LayerState {
    /// The state of h and c.
    fn join(h: Tensor<E>, c: Option<Tensor<E>>) -> Self;
    /// c, where there is one.
    fn cell(&self) -> Option<&Tensor<E>>;
}

mod sealed {
    use striate_tensor::{Real, Tensor};

    pub trait Architecture {}
    impl Architecture for super::TanhArchitecture {}
    impl Architecture for super::ReluArchitecture {}
    impl Architecture for super::LstmArchitecture {}
    impl Architecture for super::GruArchitecture {}

    pub trait LayerState {}
    impl<E: Real> LayerState for Tensor<E> {}
    impl<E: Real> LayerState for (Tensor<E>, Tensor<E>) {}
}

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
pub struct TanhArchitecture;
/// h' = max(0, W_ih x + b_ih + W_hh h + b_hh)
pub struct ReluArchitecture;
/// Input, forget and output gate about a cell.
pub struct LstmArchitecture;
/// Reset and update gate.
pub struct GruArchitecture;

impl Architecture for TanhArchitecture {
    type State<E: Real> = Tensor<E>;
    const LAYER: &'static str = "Rnn";
    const KIND: Kind = Kind::Tanh;
}

impl Architecture for ReluArchitecture {
    type State<E: Real> = Tensor<E>;
    const LAYER: &'static str = "ReluRnn";
    const KIND: Kind = Kind::Relu;
}

impl Architecture for LstmArchitecture {
    type State<E: Real> = (Tensor<E>, Tensor<E>);
    const LAYER: &'static str = "Lstm";
    const KIND: Kind = Kind::Lstm;
}

impl Architecture for GruArchitecture {
    type State<E: Real> = Tensor<E>;
    const LAYER: &'static str = "Gru";
    const KIND: Kind = Kind::Gru;
}

impl<E: Real> LayerState<E> for Tensor<E> {
    fn join(h: Tensor<E>, _: Option<Tensor<E>>) -> Self {
        h
    }
    fn cell(&self) -> Option<&Tensor<E>> {
        None
    }
}

impl<E: Real> LayerState<E> for (Tensor<E>, Tensor<E>) {
    fn join(h: Tensor<E>, c: Option<Tensor<E>>) -> Self {
        (h, c.expect("a state with a cell"))
    }
    fn cell(&self) -> Option<&Tensor<E>> {
        Some(&self.1)
    }
}
