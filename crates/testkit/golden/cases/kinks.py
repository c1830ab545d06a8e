"""Gradients where a function has a kink, a tie or a zero: pure conventions."""

import torch
import torch.nn.functional as F

from .record import Golden, hard_sigmoid, softplus

NAN = torch.nan


def numbers(*values):
    return torch.tensor(values, dtype=torch.float32)


def write():
    g = Golden("kinks")
    around = numbers(-1.0, -0.0, 0.0, 1.0)
    for name in ["relu", "gelu", "silu", "softplus"]:
        g(name, getattr(F, name), around)
    g("relu6", F.relu6, numbers(-1.0, 0.0, 3.0, 6.0, 7.0))
    g("hard_sigmoid", hard_sigmoid, numbers(-4.0, -3.0, 0.0, 3.0, 4.0))
    g("softplus, large", softplus, numbers(19.9, 20.0, 20.1))
    g("leaky_relu", lambda x: F.leaky_relu(x, 0.2), around)
    g("elu", F.elu, around)
    g("prelu", F.prelu, around, numbers(0.25))
    g("abs", torch.abs, around)
    g("clamp", lambda x: x.clamp(-1.0, 1.0), numbers(-2.0, -1.0, 0.0, 1.0, 2.0))
    g("sqrt", torch.sqrt, numbers(0.0, 4.0))
    for p in [0.0, 1.0, 2.0, 3.0, 0.5]:
        g(f"powf {p:g}", lambda x: x**p, numbers(0.0, 2.0))
    g("pow", torch.pow, numbers(0.0, 0.0, 0.0, 2.0, 1.0), numbers(0.0, 2.0, 1.0, 0.0, 3.0))
    g("maximum", torch.maximum, numbers(1.0, 2.0, 3.0), numbers(2.0, 2.0, 1.0))
    g("minimum", torch.minimum, numbers(1.0, 2.0, 3.0), numbers(2.0, 2.0, 1.0))

    ties = numbers(2.0, 5.0, 5.0, 1.0, 5.0, 1.0, 3.0, 3.0, 1.0, 1.0, 3.0, 2.0).reshape(3, 4)
    g("max", lambda x: x.max(), ties)
    g("min", lambda x: x.min(), ties)
    for name in ["amax", "amin"]:
        f = getattr(torch, name)
        g(f"{name}, last", lambda x: f(x, -1), ties)
        g(f"{name}, first, kept", lambda x: f(x, 0, True), ties)
        g(f"{name}, both", lambda x: f(x, (0, 1)), ties)
    for name in ["max", "min"]:
        f = getattr(torch, name)
        for axis in [0, 1]:
            g(f"{name}_dim, axis {axis}", lambda x: f(x, axis).values, ties)
            g(f"{name}_dim indices, axis {axis}", lambda x: f(x, axis).indices, ties)
    with_nan = numbers(2.0, NAN, 5.0, 1.0, 5.0, 1.0, 3.0, 3.0, NAN, 1.0, NAN, 2.0).reshape(3, 4)
    for name in ["max", "min"]:
        f = getattr(torch, name)
        g(f"{name}_dim of NaN", lambda x: f(x, 1).values, with_nan)
        g(f"{name}_dim indices of NaN", lambda x: f(x, 1).indices, with_nan)
    g("argmax of NaN", lambda x: x.argmax(1), with_nan)
    g("argmin of NaN", lambda x: x.argmin(1), with_nan)
    g("amax of NaN", lambda x: x.detach().amax(1), with_nan)
    g("maximum of NaN", lambda a, b: torch.maximum(a, b).detach(), with_nan, with_nan.flip(1))
    g("minimum of NaN", lambda a, b: torch.minimum(a, b).detach(), with_nan, with_nan.flip(1))

    zeros = numbers(0.0, 0.0, 0.0, 3.0, 0.0, -4.0).reshape(2, 3)
    for p in [1.0, 2.0, 3.0, torch.inf]:
        g(f"norm_dim {p:g}, zeros", lambda x: torch.linalg.vector_norm(x, p, 1), zeros)
    g("norm, zeros", lambda x: torch.linalg.vector_norm(x), numbers(0.0, 0.0))
    tied = numbers(3.0, -3.0, 1.0, 1.0, -1.0, 2.0).reshape(2, 3)
    g("norm_dim inf, ties", lambda x: torch.linalg.vector_norm(x, torch.inf, 1), tied)
    g("norm_dim -inf, ties", lambda x: torch.linalg.vector_norm(x, -torch.inf, 1), tied)
    g("std of equals", lambda x: x.std(1), numbers(2.0, 2.0, 2.0, 1.0, 2.0, 4.0).reshape(2, 3))

    masked = numbers(1.0, -torch.inf, 3.0, -torch.inf, 0.5, 0.25).reshape(2, 3)
    for name in ["softmax", "log_softmax"]:
        f = getattr(torch, name)
        g(f"{name}, masked", lambda x: f(x, 1).masked_fill(x.isinf(), 0.0), masked)
    g("logsumexp, masked", lambda x: torch.logsumexp(x, 1), masked)
    large = numbers(1e4, 1e4 - 1, -1e4, -1e4, -1e4 + 2, -1e4).reshape(2, 3)
    for name in ["softmax", "log_softmax", "logsumexp"]:
        f = getattr(torch, name)
        g(f"{name}, large", lambda x: f(x, 1), large)
    infinite = numbers(-torch.inf, -torch.inf, torch.inf, 1.0).reshape(2, 2)
    g("logsumexp, infinite", lambda x: torch.logsumexp(x, 1).detach(), infinite)
    g.write()
