//! Linear regression with an L1 penalty.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// Columns with mean 0 and variance 1, by those of the samples that are learnt from; constant ones become 0.
pub(super) struct Scale {
    mean: Array1<f64>,
    std: Array1<f64>,
}

impl Scale {
    pub(super) fn of(x: ArrayView2<f64>) -> Self {
        let mean = x.mean_axis(Axis(0)).expect("there are samples");
        let std = x.std_axis(Axis(0), 0.0).mapv(|std| if std > 0.0 { std } else { f64::INFINITY });
        Scale { mean, std }
    }

    pub(super) fn apply(&self, x: ArrayView2<f64>) -> Array2<f64> {
        (&x - &self.mean) / &self.std
    }
}

/// w that minimises 1/2N ‖y − X w‖² + λ ‖w‖₁, by coordinate descent: wⱼ ← S(cⱼ − Σᵢ≠ⱼ Gⱼᵢ wᵢ, λ) / Gⱼⱼ with
/// G = XᵀX / N, c = Xᵀy / N, and S(a, λ) = sign(a) max(|a| − λ, 0). Friedman, Hastie and Tibshirani 2010.
pub(super) fn lasso(x: ArrayView2<f64>, y: ArrayView1<f64>, lambda: f64) -> Array1<f64> {
    const SWEEPS: usize = 10_000;
    const TOLERANCE: f64 = 1e-10;
    let n = x.nrows() as f64;
    let (gram, correlation) = (x.t().dot(&x) / n, x.t().dot(&y) / n);
    let mut w = Array1::<f64>::zeros(x.ncols());
    for _ in 0..SWEEPS {
        let mut change: f64 = 0.0;
        for j in 0..w.len() {
            let own = gram[[j, j]];
            if own == 0.0 {
                continue;
            }
            let rest = correlation[j] - gram.row(j).dot(&w) + own * w[j];
            let next = rest.signum() * (rest.abs() - lambda).max(0.0) / own;
            change = change.max((next - w[j]).abs());
            w[j] = next;
        }
        if change < TOLERANCE {
            break;
        }
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn orthogonal_columns_are_shrunk_by_lambda() {
        let x = array![[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [-1.0, -1.0, 0.0]];
        let y = x.dot(&array![2.0, -0.7, 1.0]);
        let w = lasso(x.view(), y.view(), 0.5);
        assert!((w - array![1.5, -0.2, 0.0]).iter().all(|d| d.abs() < 1e-9));
    }

    #[test]
    fn correlated_columns_meet_the_conditions_of_optimality() {
        let x = array![[1.0, 0.9, 0.2], [-0.5, -0.6, 1.0], [0.3, 0.1, -0.7], [-0.8, -0.4, -0.5]];
        let y = array![1.0, 0.5, -0.3, -1.2];
        let lambda = 0.05;
        let w = lasso(x.view(), y.view(), lambda);
        let gradient = x.t().dot(&(&y - &x.dot(&w))) / 4.0;
        for (w, g) in w.iter().zip(gradient) {
            let expected = if *w == 0.0 { g.clamp(-lambda, lambda) } else { lambda * w.signum() };
            assert!((g - expected).abs() < 1e-8, "{w}, {g}");
        }
    }

    #[test]
    fn scaled_columns_have_mean_zero_and_variance_one() {
        let x = array![[1.0, 5.0], [3.0, 5.0]];
        assert_eq!(Scale::of(x.view()).apply(x.view()), array![[-1.0, 0.0], [1.0, 0.0]]);
    }
}
