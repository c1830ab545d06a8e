"""Convolution and transposed convolution: operations, and layers by name."""

import torch.nn.functional as F
from torch import nn

from .layers import layer
from .record import Golden, normal


def operations():
    g = Golden("conv")
    image = normal(2, 4, 7, 9)
    for case, w, options in [
        ("3x3", (5, 4, 3, 3), dict(padding=1)),
        ("same, even kernel", (5, 4, 4, 2), dict(padding="same")),
        ("strided", (5, 4, 3, 5), dict(stride=(2, 3), padding=(1, 2))),
        ("dilated", (5, 4, 3, 2), dict(dilation=(2, 3), padding=(2, 1))),
        ("grouped", (6, 2, 3, 3), dict(groups=2, stride=2)),
        ("depthwise", (8, 1, 3, 3), dict(groups=4, padding=1)),
        ("1x1", (3, 4, 1, 1), {}),
        ("all", (6, 2, 2, 3), dict(stride=(3, 2), padding=(1, 3), dilation=(1, 2), groups=2)),
    ]:
        g(f"conv2d, {case}", lambda x, w, b: F.conv2d(x, w, b, **options), image, normal(*w), normal(w[0]))
    g("conv2d, no bias", lambda x, w: F.conv2d(x, w, padding=2), image, normal(3, 4, 3, 3))
    row, volume = normal(2, 3, 11), normal(2, 2, 4, 5, 3)
    strided = lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=3, dilation=2)
    g("conv1d", strided, row, normal(4, 3, 4), normal(4))
    uneven = lambda x, w, b: F.conv3d(x, w, b, stride=(1, 2, 1), padding=(1, 0, 2))
    g("conv3d", uneven, volume, normal(3, 2, 2, 3, 2), normal(3))
    for case, w, options in [
        ("doubling", (4, 3, 2, 2), dict(stride=2)),
        ("k4 s2", (4, 3, 4, 4), dict(stride=2, padding=1)),
        ("output padding", (4, 3, 3, 2), dict(stride=(3, 2), padding=(1, 0), output_padding=(2, 1))),
        ("dilated, grouped", (4, 3, 3, 2), dict(stride=(2, 1), dilation=(2, 3), groups=2, padding=1)),
    ]:
        f = lambda x, w, b: F.conv_transpose2d(x, w, b, **options)
        g(f"conv_transpose2d, {case}", f, image, normal(*w), normal(w[1] * options.get("groups", 1)))
    f = lambda x, w, b: F.conv_transpose1d(x, w, b, stride=3, padding=1, output_padding=1)
    g("conv_transpose1d", f, row, normal(3, 2, 4), normal(2))
    f = lambda x, w, b: F.conv_transpose3d(x, w, b, stride=(2, 1, 2), padding=(0, 1, 1))
    g("conv_transpose3d", f, volume, normal(2, 3, 2, 3, 3), normal(3))
    g.write()


def layers():
    g = Golden("conv_layers")
    image = normal(2, 4, 5, 6)
    for mode in ["zeros", "reflect", "replicate", "circular"]:
        layer(g, f"conv2d, {mode}", nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 1), groups=2, padding_mode=mode), image)
    layer(g, "conv2d, no bias", nn.Conv2d(4, 3, 3, bias=False), image)
    layer(g, "conv1d, circular, same", nn.Conv1d(3, 2, 4, padding="same", padding_mode="circular"), normal(2, 3, 7))
    layer(g, "conv3d, reflect", nn.Conv3d(2, 3, 2, padding=1, padding_mode="reflect"), normal(1, 2, 3, 4, 3))
    layer(g, "conv_transpose2d", nn.ConvTranspose2d(4, 3, (3, 4), stride=2, padding=1, output_padding=1), image)
    layer(g, "conv_transpose1d", nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2), normal(2, 4, 5))
    layer(g, "conv_transpose3d", nn.ConvTranspose3d(2, 1, 2, dilation=2), normal(1, 2, 2, 3, 2))
    g.write()


def write():
    operations()
    layers()
