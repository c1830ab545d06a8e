"""Parameters, buffers and images as functions of their names, so that no file of weights is needed: `golden::fill`."""

import math

import numpy
import torch


def noise(name, shape):
    """Numbers in [−1, 1) that f32 holds exactly, by name and index: a hash of both."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = numpy.arange(math.prod(shape), dtype=numpy.uint32) * numpy.uint32(0x9E3779B9) + numpy.uint32(seed)
    h ^= h >> numpy.uint32(16)
    h *= numpy.uint32(0x85EBCA6B)
    h ^= h >> numpy.uint32(13)
    h *= numpy.uint32(0xC2B2AE35)
    h ^= h >> numpy.uint32(16)
    return torch.from_numpy((h >> numpy.uint32(8)).astype(numpy.float64) / 2**23 - 1).reshape(shape)


def start(name, shape):
    """Weights that keep the size of signals, norms near the identity."""
    u = noise(name, shape)
    if name.endswith("running_mean") or name.endswith("bias"):
        u = 0.125 * u
    elif name.endswith("running_var"):
        u = 1 + 0.5 * u
    elif len(shape) <= 1:
        u = 1 + 0.25 * u
    else:
        u = math.sqrt(6 / math.prod(shape[1:])) * u
    return u.float().double()


def fill(module):
    """The module in double precision, filled, without dropout."""
    module = module.double()
    for part in module.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.copy_(start(name, value.shape))
    return module
