"""Pooling, unpooling and upsampling."""

import torch
import torch.nn.functional as F

from .record import Golden, normal, positive

NAN, INF = torch.nan, torch.inf


def maxima(g):
    image = normal(2, 2, 7, 9)
    for case, kernel, options in [
        ("halving", 2, {}),
        ("halving, ceil", 2, dict(ceil_mode=True)),
        ("overlapping, padded", 3, dict(stride=2, padding=1)),
        ("overlapping, padded, ceil", 3, dict(stride=2, padding=1, ceil_mode=True)),
        ("uneven", (3, 2), dict(stride=(1, 3), padding=(1, 0))),
        ("apart", 2, dict(stride=(3, 4))),
        ("dilated", (2, 3), dict(stride=(2, 1), padding=(1, 1), dilation=(3, 2))),
        ("dilated, ceil", 2, dict(stride=3, padding=1, dilation=2, ceil_mode=True)),
    ]:
        g(f"max_pool2d, {case}", lambda x: F.max_pool2d(x, kernel, **options), image)
        indices = lambda x: F.max_pool2d(x, kernel, return_indices=True, **options)[1]
        g(f"max_pool2d indices, {case}", indices, image)
    wide = normal(1, 1, 5, 70)
    g("max_pool2d, wide halving", lambda x: F.max_pool2d(x, 2), wide)
    g("max_pool2d, wide overlapping", lambda x: F.max_pool2d(x, 3, 2, 1), wide)
    g("max_pool2d, wide, stride 1", lambda x: F.max_pool2d(x, 3, 1, 1), wide)
    g("max_pool2d, wide, stride 3", lambda x: F.max_pool2d(x, 3, 3, 1), wide)
    g("max_pool2d, wide, stride 4", lambda x: F.max_pool2d(x, 5, 4, 2), wide)
    row, volume = normal(2, 3, 11), normal(1, 2, 5, 4, 7)
    g("max_pool1d", lambda x: F.max_pool1d(x, 3, 2, 1), row)
    g("max_pool1d indices", lambda x: F.max_pool1d(x, 3, 2, 1, return_indices=True)[1], row)
    g("max_pool3d", lambda x: F.max_pool3d(x, (2, 3, 2), (2, 1, 3), (1, 1, 0)), volume)
    indices = lambda x: F.max_pool3d(x, (2, 3, 2), (2, 1, 3), (1, 1, 0), return_indices=True)[1]
    g("max_pool3d indices", indices, volume)

    rows = [
        [2, 2, 1, 1, -INF, -INF, NAN, 3, NAN, NAN, INF, NAN],
        [2, 2, 1, 3, -INF, -INF, 4, NAN, 1, NAN, INF, INF],
        [0, 0, 0, 0, -INF, -INF, 4, NAN, 1, NAN, INF, INF],
    ]
    special = torch.tensor(rows, dtype=torch.float32).reshape(1, 1, 3, 12)
    for case, arguments in [("halving", (2,)), ("overlapping", (3, 1, 1))]:
        g(f"max_pool2d, special, {case}", lambda x: F.max_pool2d(x, *arguments), special)
        indices = lambda x: F.max_pool2d(x, *arguments, return_indices=True)[1]
        g(f"max_pool2d indices, special, {case}", indices, special)
    g("adaptive_max_pool2d indices, special", lambda x: F.adaptive_max_pool2d(x, (2, 5), True)[1], special)
    return image, row, volume


def averages(g, image, row, volume):
    for case, arguments in [
        ("halving", (2,)),
        ("halving, ceil", (2, None, 0, True)),
        ("padded", (3, 2, 1)),
        ("padded, ceil", (3, 2, 1, True)),
        ("padded, ceil, inside", (3, 2, 1, True, False)),
        ("uneven, inside", ((3, 2), (1, 3), (1, 1), False, False)),
        ("apart", (2, (3, 4))),
        ("divisor", (3, 2, 1, True, True, 5)),
    ]:
        g(f"avg_pool2d, {case}", lambda x: F.avg_pool2d(x, *arguments), image)
    g("avg_pool1d", lambda x: F.avg_pool1d(x, 4, 3, 2), row)
    g("avg_pool3d", lambda x: F.avg_pool3d(x, (2, 3, 2), (2, 1, 3), (1, 1, 0), True, False), volume)
    for name in ["avg", "max"]:
        for axes, x, sizes in [(1, row, (4,)), (2, image, (3, 4)), (2, image, (8, 2)), (3, volume, (2, 4, 3))]:
            f = getattr(F, f"adaptive_{name}_pool{axes}d")
            g(f"adaptive_{name}_pool{axes}d {sizes[0]}", lambda x: f(x, sizes), x)
    g("adaptive_max_pool2d indices", lambda x: F.adaptive_max_pool2d(x, (3, 4), True)[1], image)
    g("global_avg_pool", lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1), image)
    g("global_max_pool", lambda x: F.adaptive_max_pool2d(x, 1).flatten(1), image)

    g("lp_pool2d 2", lambda x: F.lp_pool2d(x, 2.0, 2), image)
    g("lp_pool2d 3, ceil", lambda x: F.lp_pool2d(x, 3.0, (3, 2), 2, True), positive(2, 2, 6, 7))
    g("lp_pool2d, zeros", lambda x: F.lp_pool2d(x, 2.0, 2), torch.tensor([[[[0.0, 0, 3], [0, 0, 4]]]]))
    g("lp_pool1d 1.5", lambda x: F.lp_pool1d(x, 1.5, 3, 2), positive(2, 3, 9))
    g("lp_pool3d 2", lambda x: F.lp_pool3d(x, 2.0, 2, 1), volume)


def unpooled(g, image, row, volume):
    _, places = F.max_pool2d(image[..., :6, :8], 2, return_indices=True)
    small = normal(*places.shape)
    g("max_unpool2d", lambda x, i: F.max_unpool2d(x, i, 2), small, places)
    _, places = F.max_pool2d(image, 2, return_indices=True)
    g("max_unpool2d, sized", lambda x, i: F.max_unpool2d(x, i, 2, output_size=(7, 9)), small, places)
    values, places = F.max_pool2d(image, 3, 2, 1, return_indices=True)
    g("max_unpool2d, overlapping", lambda x, i: F.max_unpool2d(x, i, 3, 2, 1), values, places)
    values, places = F.max_pool1d(row, 3, 2, return_indices=True)
    g("max_unpool1d", lambda x, i: F.max_unpool1d(x, i, 3, 2), values, places)
    values, places = F.max_pool3d(volume, (2, 2, 3), return_indices=True)
    g("max_unpool3d", lambda x, i: F.max_unpool3d(x, i, (2, 2, 3), output_size=(5, 4, 7)), values, places)


def nails(x, f):
    y = x.new_zeros(*x.shape[:2], *[n * f for n in x.shape[2:]])
    y[(..., *[slice(None, None, f)] * (x.dim() - 2))] = x
    return y


def upsampled(g):
    inputs = {1: normal(2, 3, 5), 2: normal(2, 2, 3, 5), 3: normal(2, 1, 2, 3, 2)}
    for axes, mode in [(1, "linear"), (2, "bilinear"), (3, "trilinear")]:
        x = inputs[axes]
        for case, to in [
            ("factor 2", dict(scale_factor=2)),
            ("factor 3", dict(scale_factor=3)),
            ("larger", dict(size=(7, 8, 3)[:axes])),
            ("smaller", dict(size={1: (3,), 2: (2, 3), 3: (1, 2, 1)}[axes])),
        ]:
            g(f"nearest {axes}d, {case}", lambda x: F.interpolate(x, mode="nearest", **to), x)
            for align in [False, True]:
                f = lambda x: F.interpolate(x, mode=mode, align_corners=align, **to)
                g(f"linear {axes}d, {case}, {align}".lower(), f, x)
        g(f"bed_of_nails {axes}d", lambda x: nails(x, 3), x)
    for r in [2, 3]:
        g(f"pixel_shuffle {r}", lambda x: F.pixel_shuffle(x, r), normal(2, 2 * r * r, 2, 3))
        g(f"pixel_unshuffle {r}", lambda x: F.pixel_unshuffle(x, r), normal(2, 2, 2 * r, 3 * r))


def write():
    g = Golden("pooling")
    inputs = maxima(g)
    averages(g, *inputs)
    unpooled(g, *inputs)
    upsampled(g)
    g.write()
