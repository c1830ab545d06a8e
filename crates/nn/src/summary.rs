//! What a model is made of, as a table.

use std::fmt;

use striate_tensor::{Real, no_grad};

use crate::observe::{LayerCall, layer_calls};
use crate::store::ParamStore;

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's path and type, and the shape of its output.
    pub call: LayerCall,
    /// Numbers that it learns; 0 when the layer was called before.
    pub parameters: usize,
}

/// The layers of a model in the order of their calls: path, type, output shape, parameters. A table when displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// One row per call.
    pub rows: Vec<SummaryRow>,
    /// Numbers in all parameters of the store.
    pub parameters: usize,
    /// Those that are not frozen.
    pub trainable: usize,
}

/// Runs `forward` once, in evaluation mode and without a tape, and tells what each layer gave out.
///
/// The modes are as before afterwards. Like the `torchinfo` package for PyTorch.
///
/// ```
/// use striate_nn::models::mlp::Mlp;
/// use striate_nn::{Module, ParamStore, summary};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let net = Mlp::new(&store.root().sub("mlp"), &[4, 8, 3]);
/// let summary = summary(&store, || net.forward(&Tensor::zeros(&[1, 4])));
/// assert_eq!(summary.rows[0].parameters, 4 * 8 + 8);
/// assert_eq!(summary.parameters, 67);
/// println!("{summary}");
/// ```
pub fn summary<E: Real, R>(store: &ParamStore<E>, forward: impl FnOnce() -> R) -> Summary {
    let (_, calls) = store.in_evaluation(|| no_grad(|| layer_calls(forward)));
    let mut seen: Vec<String> = Vec::new();
    let rows = calls.into_iter().map(|call| {
        let parameters = if seen.contains(&call.path) { 0 } else { own_parameters(store, &call.path) };
        seen.push(call.path.clone());
        SummaryRow { call, parameters }
    });
    let rows = rows.collect();
    let parameters = store.parameters();
    let trainable =
        parameters.iter().filter(|(_, tensor)| tensor.is_tracked()).map(|(_, tensor)| tensor.len()).sum();
    Summary { rows, parameters: parameters.count(), trainable }
}

/// Numbers in the parameters that lie directly at `path`.
fn own_parameters<E: Real>(store: &ParamStore<E>, path: &str) -> usize {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
    let parameters = store.select(&prefix);
    let own = parameters.iter().filter(|(name, _)| !name[prefix.len()..].contains('.'));
    own.map(|(_, tensor)| tensor.len()).sum()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let cells = |row: &SummaryRow| {
            let layer = format!("{} ({})", row.call.path, row.call.kind);
            [layer, format!("{:?}", row.call.shape), row.parameters.to_string()]
        };
        let head = ["layer", "output", "parameters"].map(String::from);
        let table: Vec<[String; 3]> = [head].into_iter().chain(self.rows.iter().map(cells)).collect();
        let [a, b, c] = [0, 1, 2].map(|i| table.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
        for [layer, output, parameters] in &table {
            writeln!(f, "{layer:<a$}  {output:<b$}  {parameters:>c$}")?;
        }
        write!(f, "{} parameters, {} of them trainable", self.parameters, self.trainable)
    }
}
