"""Elementwise functions at zeros, ±1e4, infinities and NaN, and where the exponential over- or underflows."""

import torch
import torch.nn.functional as F

from .record import Golden, hard_sigmoid, softplus

POINTS = [0.0, 1e-38, 1e-30, 1e-8, 1e-4, 0.5, 1.0, 2.0, 5.0, 9.0, 16.0, 17.5, 20.0, 40.0, 87.0, 88.5, 89.5, 104.0]
POINTS += [709.5, 710.0, 746.0, 1e4, 1e18, 3e38, torch.inf]


def write():
    g = Golden("special")
    x = torch.tensor([sign * x for x in POINTS for sign in (1, -1)] + [torch.nan])
    g.keep("x", x)
    functions = {
        name: getattr(torch, name)
        for name in "exp expm1 log log1p erf sin cos square sqrt rsqrt reciprocal abs sign tanh sigmoid".split()
    }
    functions |= {name: getattr(F, name) for name in "relu relu6 silu gelu elu leaky_relu".split()}
    functions["softplus"] = softplus
    functions["log_sigmoid"] = F.logsigmoid
    functions["hard_sigmoid"] = hard_sigmoid
    functions["gelu_tanh"] = lambda x: F.gelu(x, approximate="tanh")
    functions["clamp"] = lambda x: x.clamp(-2.0, 3.0)
    for p in [2.0, 3.0, 0.5, -1.0, 0.0]:
        functions[f"powf {p:g}"] = lambda x, p=p: x**p
    for name, f in functions.items():
        leaf = x.double().requires_grad_()
        y = f(leaf)
        (slope,) = torch.autograd.grad(y.sum(), leaf)
        g.keep(f"{name}:y", y)
        g.keep(f"{name}:dx", slope)
    a = torch.tensor([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, torch.inf, -torch.inf, torch.nan])
    g.keep("a", a)
    for name in ["pow", "div", "maximum", "minimum", "mul"]:
        g.keep(f"{name}:table", getattr(torch, name)(a.double().reshape(-1, 1), a.double()))
    g.write()
