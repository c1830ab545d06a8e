"""Layers: their state before and after, outputs, and gradients of inputs and parameters."""

import torch
from torch import nn

from .record import Golden, normal, positive, weights


def layer(g, case, module, *inputs, training=True):
    """Runs the module on each input in turn; the loss is the sum of Σ c·y over all of them."""
    module = module.double().train(training)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.copy_(positive(*value.shape) if name == "running_var" else normal(*value.shape))
                if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                    value[module.padding_idx] = 0.0
            g.keep(f"{case}:before.{name}", value.float() if value.is_floating_point() else value)
    loss, leaves = 0.0, []
    for i, x in enumerate(inputs):
        if x.is_floating_point():
            g.keep(f"{case}:x{i}", x)
            x = x.double().requires_grad_()
            leaves.append((i, x))
        else:
            g.keep(f"{case}:i{i}", x)
        y = module(x)
        g.keep(f"{case}:y{i}", y)
        loss = loss + (weights(y) * y).sum()
    loss.backward()
    for i, x in leaves:
        g.keep(f"{case}:dx{i}", x.grad)
    for name, parameter in module.named_parameters():
        g.keep(f"{case}:grad.{name}", parameter.grad)
    for name, value in module.named_buffers():
        g.keep(f"{case}:after.{name}", value)


def write():
    g = Golden("linear")
    layer(g, "plain", nn.Linear(5, 3), normal(4, 5))
    layer(g, "no bias", nn.Linear(5, 3, bias=False), normal(4, 5))
    layer(g, "sequence", nn.Linear(5, 3), normal(2, 4, 5))
    layer(g, "vector", nn.Linear(5, 3), normal(5))
    layer(g, "used twice", nn.Linear(7, 9), normal(3, 7), normal(5, 7))
    g.write()

    g = Golden("embedding")
    indices = torch.tensor([[2, 0, 2, 1], [6, 0, 1, 1]])
    layer(g, "plain", nn.Embedding(7, 3), indices)
    layer(g, "padded", nn.Embedding(7, 3, padding_idx=1), indices)
    g.write()

    g = Golden("batch_norm")
    rows, sequence, image = (3 * normal(5, 4) + 1, 3 * normal(3, 4, 7) + 1, 3 * normal(2, 4, 3, 5) + 1)
    places = [("rows", nn.BatchNorm1d, rows), ("sequence", nn.BatchNorm1d, sequence), ("image", nn.BatchNorm2d, image)]
    for place, norm, x in places:
        layer(g, f"{place}, training", norm(4), x)
        layer(g, f"{place}, two steps", norm(4), x, 2 * x - 3)
        layer(g, f"{place}, momentum None", norm(4, momentum=None), x, 2 * x - 3)
        layer(g, f"{place}, evaluation", norm(4), x, training=False)
    layer(g, "image, options", nn.BatchNorm2d(4, eps=0.1, momentum=0.3), image)
    layer(g, "image, plain", nn.BatchNorm2d(4, affine=False), image)
    layer(g, "image, untracked, evaluation", nn.BatchNorm2d(4, track_running_stats=False), image, training=False)
    g.write()

    g = Golden("layer_norm")
    layer(g, "plain", nn.LayerNorm(5), 3 * normal(4, 5) + 1)
    layer(g, "two axes", nn.LayerNorm((3, 5)), 3 * normal(2, 4, 3, 5) + 1)
    layer(g, "not affine", nn.LayerNorm(5, elementwise_affine=False), normal(4, 5))
    layer(g, "no bias, eps", nn.LayerNorm(5, eps=0.1, bias=False), normal(2, 4, 5))
    layer(g, "wide", nn.LayerNorm(37), normal(3, 37))
    g.write()

    g = Golden("group_norm")
    six = 3 * normal(2, 6, 3, 5) + 1
    for groups in [1, 2, 3, 6]:
        layer(g, f"{groups} groups", nn.GroupNorm(groups, 6), six)
    layer(g, "rows", nn.GroupNorm(2, 6), normal(3, 6))
    layer(g, "not affine, eps", nn.GroupNorm(3, 6, eps=0.1, affine=False), six)
    g.write()
