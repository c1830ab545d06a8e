use striate_nn::layers::linear::linear;
use striate_nn::{LayerNorm, LayerNormOptions, Module, Path};
use striate_tensor::{Real, Tensor};

use super::cell::Cell;
use super::options::CellOptions;
use super::parameters::{GRU, Parameters, Sizes, parameters, shift};
use super::shapes::check;

/// One step of a gated recurrent unit with normalised products.
///
/// (r, z) = σ(LN(W_i x) + b_i + LN(W_h h) + b_h), n = tanh(LN(W_in x) + b_in + r ∘ (LN(W_hn h) + b_hn)),
/// h' = (1 − z) ∘ n + z ∘ h for x (N, I) and h (N, H), where W_i, b_i, W_h and b_h are the rows of r and z.
/// LN(a) = γ ∘ (a − mean a) / √(var a + 10⁻⁵), over the 2H features of r and z together and over the H of n. As in
/// [`GruCell`](super::GruCell), z keeps the old state; the paper exchanges z and 1 − z.
///
/// Ba, Kiros and Hinton 2016, supplementary material. PyTorch has none.
///
/// ```
/// use striate_nn::ParamStore;
/// use striate_recurrent::{Cell, LayerNormGruCell};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let cell = LayerNormGruCell::new(&store.root().sub("gru"), 5, 7);
/// assert_eq!(cell.step(&Tensor::ones(&[3, 5]), &cell.initial(3)).shape(), [3, 7]);
/// ```
pub struct LayerNormGruCell<E: Real = f32> {
    /// W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H): the gates r, z, n.
    pub parameters: Parameters<E>,
    /// γ (2H) of r and z in W_ih x, `norm_ih.weight` in the store.
    pub norm_ih: LayerNorm<E>,
    /// γ (2H) of r and z in W_hh h, `norm_hh.weight` in the store.
    pub norm_hh: LayerNorm<E>,
    /// γ (H) of n in W_ih x, `norm_in.weight` in the store.
    pub norm_in: LayerNorm<E>,
    /// γ (H) of n in W_hh h, `norm_hn.weight` in the store.
    pub norm_hn: LayerNorm<E>,
}

impl<E: Real> LayerNormGruCell<E> {
    /// A cell that starts as [`GruCell`](super::GruCell) does, with γ = 1.
    #[track_caller]
    pub fn new(path: &Path<E>, input: usize, hidden: usize) -> Self {
        Self::with(path, input, hidden, CellOptions::default())
    }

    /// A cell with options.
    ///
    /// # Panics
    /// When there is a forget bias.
    #[track_caller]
    pub fn with(path: &Path<E>, input: usize, hidden: usize, options: CellOptions) -> Self {
        let sizes = Sizes { input, hidden, recurrent: hidden };
        let norm = |name, width: usize| {
            LayerNorm::with(&path.sub(name), &[width], LayerNormOptions { bias: false, ..Default::default() })
        };
        LayerNormGruCell {
            parameters: parameters(path, "", GRU, sizes, options),
            norm_ih: norm("norm_ih", 2 * hidden),
            norm_hh: norm("norm_hh", 2 * hidden),
            norm_in: norm("norm_in", hidden),
            norm_hn: norm("norm_hn", hidden),
        }
    }
}

impl<E: Real> Cell<E> for LayerNormGruCell<E> {
    type State = Tensor<E>;

    #[track_caller]
    fn step(&self, x: &Tensor<E>, h: &Tensor<E>) -> Tensor<E> {
        let p = &self.parameters;
        let hidden = p.hidden();
        check("layer_norm_gru_cell", x, p.input(), [("h", h, hidden)]);
        let normalised = |product: Tensor<E>, gates: &LayerNorm<E>, candidate: &LayerNorm<E>| {
            let gates = gates.forward(&product.narrow(1, 0, 2 * hidden));
            let candidate = candidate.forward(&product.narrow(1, 2 * hidden, hidden));
            Tensor::concat(&[&gates, &candidate], 1)
        };
        let of_input = normalised(linear(x, &p.weight_ih, None), &self.norm_ih, &self.norm_in);
        let of_hidden = normalised(linear(h, &p.weight_hh, None), &self.norm_hh, &self.norm_hn);
        let [ir, iz, i_n] = shift(of_input, p.bias_ih.as_ref()).chunk(1);
        let [hr, hz, hn] = shift(of_hidden, p.bias_hh.as_ref()).chunk(1);
        let r = (ir + hr).sigmoid();
        let z = (iz + hz).sigmoid();
        let n = (i_n + r * hn).tanh();
        (1.0 - &z) * n + z * h
    }

    fn initial(&self, batch: usize) -> Tensor<E> {
        Tensor::zeros(&[batch, self.parameters.hidden()])
    }
}
