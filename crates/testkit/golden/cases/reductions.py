"""Sums, moments, norms, softmax and running sums along axes."""

import torch

from .record import Golden, normal


def write():
    g = Golden("reductions")
    x = normal(3, 4, 5)
    g("sum, all", lambda x: x.sum(), x)
    g("sum, outer axes", lambda x: x.sum((0, 2)), x)
    g("sum, middle, kept", lambda x: x.sum(-2, keepdim=True), x)
    g("mean, all", lambda x: x.mean(), x)
    g("mean, outer axes, kept", lambda x: x.mean((0, -1), keepdim=True), x)
    g("sum_to", lambda x: x.sum_to_size(4, 1), x)
    for name in ["var", "std"]:
        f = getattr(torch, name)
        g(f"{name}, all", lambda x: f(x), x)
        for correction in [0, 1, 2]:
            g(f"{name}, middle, correction {correction}", lambda x: f(x, 1, correction=correction), x)
        g(f"{name}, outer axes, kept", lambda x: f(x, (2, 0), correction=1, keepdim=True), x)
    g("var, far from zero", lambda x: x.var(1, correction=0) ** 2, (100 + x).float())

    for p in [0.5, 1.0, 2.0, 3.0, torch.inf, -torch.inf]:
        g(f"norm_dim {p:g}", lambda x: torch.linalg.vector_norm(x, p, 1), x)
    g("norm_dim 2, outer axes, kept", lambda x: torch.linalg.vector_norm(x, 2, (0, 2), True), x)
    g("norm_dim 0", lambda x: torch.linalg.vector_norm(x.detach(), 0, 1), (x > 0) * x)
    g("norm", lambda x: torch.linalg.vector_norm(x), x)

    g("amax, outer axes, kept", lambda x: x.amax((0, 2), True), x)
    g("amin, middle", lambda x: x.amin(1), x)
    g("max_dim, middle", lambda x: x.max(1).values, x)
    g("max_dim, last, kept, indices", lambda x: x.max(-1, True).indices, x)
    g("min_dim, first", lambda x: x.min(0).values, x)
    g("min_dim, first, indices", lambda x: x.min(0).indices, x)
    g("argmax", lambda x: x.argmax(), x)
    g("argmin", lambda x: x.argmin(), x)
    g("argmax_dim, middle", lambda x: x.argmax(1), x)
    g("argmin_dim, last, kept", lambda x: x.argmin(2, True), x)

    wide = 4 * normal(5, 37)
    for name in ["softmax", "log_softmax"]:
        f = getattr(torch, name)
        for axis in [0, 1, 2]:
            g(f"{name}, axis {axis}", lambda x: f(x, axis), 2 * x)
        g(f"{name}, wide", lambda x: f(x, -1), wide)
    g("logsumexp, wide", lambda x: torch.logsumexp(x, 1), wide)
    g("logsumexp, middle, kept", lambda x: torch.logsumexp(x, 1, True), 2 * x)
    g("logsumexp, outer axes", lambda x: torch.logsumexp(x, (0, 2)), 2 * x)
    for axis in [0, 1, 2]:
        g(f"cumsum, axis {axis}", lambda x: x.cumsum(axis), x)
    g.write()
