"""Functions of one number and of two, arithmetic with broadcasting, and comparisons, away from kinks."""

import torch
import torch.nn.functional as F

from .record import Golden, hard_sigmoid, normal, positive


def write():
    g = Golden("elementary")
    for name in ["exp", "expm1", "erf", "sin", "cos", "square", "reciprocal", "abs", "tanh", "sigmoid"]:
        g(name, getattr(torch, name), normal(7, 9))
    for name in ["log", "log1p", "sqrt", "rsqrt"]:
        g(name, getattr(torch, name), positive(7, 9))
    g("sign, times x", lambda x: x.sign() * x, normal(7, 9))
    for p in [3.0, 2.0, 1.0, 0.0, -1.0]:
        g(f"powf {p:g}", lambda x: x**p, normal(7, 9))
    for p in [0.5, -0.5, -1.7]:
        g(f"powf {p:g}", lambda x: x**p, positive(7, 9))
    g("pow, same shape", torch.pow, positive(3, 5), normal(3, 5))
    g("pow, column to a row", torch.pow, positive(3, 1), normal(5))
    g("clamp, both limits", lambda x: x.clamp(-0.5, 0.75), normal(7, 9))
    g("clamp, lower limit", lambda x: x.clamp(min=-0.25), normal(7, 9))
    g("clamp, upper limit", lambda x: x.clamp(max=0.25), normal(7, 9))

    for name in ["relu", "relu6", "softplus", "silu", "gelu"]:
        g(name, getattr(F, name), 3 * normal(7, 9))
    g("log_sigmoid", F.logsigmoid, 3 * normal(7, 9))
    g("hard_sigmoid", hard_sigmoid, 3 * normal(7, 9))
    g("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), 3 * normal(7, 9))
    g("leaky_relu 0.2", lambda x: F.leaky_relu(x, 0.2), normal(7, 9))
    g("elu 1.3", lambda x: F.elu(x, 1.3), normal(7, 9))
    g("prelu, one slope", F.prelu, normal(4, 3), normal(1))
    g("prelu, channels", F.prelu, normal(2, 3, 5), normal(3))

    g("add, row", torch.add, normal(3, 5), normal(5))
    g("add, both broadcast", torch.add, normal(3, 1, 2), normal(4, 1))
    g("sub, column", torch.sub, normal(3, 5), normal(3, 1))
    g("mul, same shape", torch.mul, normal(3, 5), normal(3, 5))
    g("mul, number of rank 0", torch.mul, normal(3, 5), normal())
    g("div, row by column", torch.div, normal(5), positive(3, 1))
    g("affine", lambda x: 1.0 - x * 2.5 + 0.5, normal(3, 5))
    g("number over x", lambda x: 2.0 / x, positive(3, 5))
    g("maximum, column", torch.maximum, normal(3, 5), normal(3, 1))
    g("minimum, row", torch.minimum, normal(5), normal(3, 5))

    points = torch.tensor([0.0, -0.0, 1.0, -1.0, torch.inf, -torch.inf, torch.nan, 1e-30])
    for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
        compare = getattr(torch, name)
        g(name, lambda a, b: compare(a, b).double(), points.reshape(-1, 1), points)
    g("is_nan", lambda x: x.isnan().double(), points)
    g("is_finite", lambda x: x.isfinite().double(), points)
    g.write()
