use striate_nn::Init;

use super::parameters::Gates;

/// Options of a cell with gates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellOptions {
    /// Whether b_ih and b_hh are there.
    pub bias: bool,
    /// Where b_ih + b_hh of the forget gate starts, all of it in b_ih: drawn as the other biases when `None`, as in
    /// PyTorch. 1 lets an LSTM remember from the start (Jozefowicz, Zaremba and Sutskever 2015).
    pub forget_bias: Option<f64>,
    /// How each gate's block (H, H) of W_hh starts, such as orthogonal: U(±1/√H) when `None`, as in PyTorch.
    pub recurrent_init: Option<Init>,
}

impl Default for CellOptions {
    fn default() -> Self {
        CellOptions { bias: true, forget_bias: None, recurrent_init: None }
    }
}

impl CellOptions {
    /// # Panics
    /// When a forget bias is asked for without a forget gate or without biases.
    #[track_caller]
    pub(super) fn check(self, gates: Gates) {
        if self.forget_bias.is_some() {
            assert!(gates.forget.is_some(), "forget_bias: the cell has no forget gate");
            assert!(self.bias, "forget_bias: the cell has no bias");
        }
    }
}
