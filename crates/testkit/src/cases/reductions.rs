//! Reductions along axes, softmax and running sums.

use striate_tensor::ops::VarOptions;

use crate::Case;
use crate::gradcheck::values;

const BIASED: VarOptions = VarOptions { correction: 0.0, keepdim: false };
const UNBIASED: VarOptions = VarOptions { correction: 1.0, keepdim: true };

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    let x = || vec![values(&[3, 4, 5], 1)];
    vec![
        case("sum", "mean of outer axes", x(), |x| x[0].mean_dim(&[0, -1], true)),
        case("var", "all, unbiased", x(), |x| x[0].var()),
        case("var", "middle, biased", x(), |x| x[0].var_dim(&[1], BIASED)),
        case("var", "outer axes, kept", x(), |x| x[0].var_dim(&[2, 0], UNBIASED)),
        case("std", "all", x(), |x| x[0].std()),
        case("std", "last, kept", x(), |x| x[0].std_dim(&[-1], UNBIASED)),
        case("amax", "all", x(), |x| x[0].max()),
        case("amax", "last", x(), |x| x[0].amax(&[-1], false).square()),
        case("amax", "outer axes, kept", x(), |x| x[0].amax(&[0, 2], true)),
        case("amin", "all", x(), |x| x[0].min()),
        case("amin", "first", x(), |x| x[0].amin(&[0], false).square()),
        case("gather", "max along the middle", x(), |x| x[0].max_dim(1, false).0.square()),
        case("gather", "min along the last, kept", x(), |x| x[0].min_dim(-1, true).0.square()),
        case("softmax", "last", x(), |x| x[0].softmax(-1)),
        case("softmax", "middle", x(), |x| x[0].softmax(1)),
        case("softmax", "longer than a vector register", vec![values(&[2, 37], 1)], |x| x[0].softmax(1)),
        case("log_softmax", "last", x(), |x| x[0].log_softmax(-1)),
        case("log_softmax", "first", x(), |x| x[0].log_softmax(0)),
        case("log_softmax", "longer than a vector register", vec![values(&[2, 37], 1)], |x| {
            x[0].log_softmax(1)
        }),
        case("logsumexp", "all", x(), |x| x[0].logsumexp(&[], false)),
        case("logsumexp", "middle", x(), |x| x[0].logsumexp(&[1], false)),
        case("logsumexp", "outer axes, kept", x(), |x| x[0].logsumexp(&[0, 2], true)),
        case("cumsum", "last", x(), |x| x[0].cumsum(-1)),
        case("cumsum", "first", x(), |x| x[0].cumsum(0)),
        case("norm", "Euclidean", x(), |x| x[0].norm()),
        case("norm", "Euclidean, last", x(), |x| x[0].norm_dim(2.0, &[-1], true)),
        case("norm", "3, outer axes", x(), |x| x[0].norm_dim(3.0, &[0, 2], false)),
        case("norm", "one half", x(), |x| x[0].norm_dim(0.5, &[1], false)),
        case("abs", "1-norm", x(), |x| x[0].norm_dim(1.0, &[1], false)),
        case("abs", "maximum norm", x(), |x| x[0].norm_dim(f64::INFINITY, &[1], false)),
        case("abs", "minimum norm", x(), |x| x[0].norm_dim(f64::NEG_INFINITY, &[1], true)),
    ]
}
