"""Gains, and the bounds and deviations that initialisers draw with."""

import math

import torch
from torch.nn import init

from .record import Golden

SHAPES = {"matrix": (5, 3), "kernel": (6, 4, 3, 5)}
GAINS = {
    "linear": ("linear", None),
    "sigmoid": ("sigmoid", None),
    "tanh": ("tanh", None),
    "relu": ("relu", None),
    "leaky_relu": ("leaky_relu", 0.2),
}


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


def write():
    g = Golden("init")
    for name, (kind, parameter) in GAINS.items():
        g.keep(f"gain, {name}", numbers(init.calculate_gain(kind, parameter)))
    for shape_name, shape in SHAPES.items():
        fan_in, fan_out = init._calculate_fan_in_and_fan_out(torch.empty(shape))
        for name, (kind, parameter) in GAINS.items():
            gain = init.calculate_gain(kind, parameter)
            xavier = gain * math.sqrt(2.0 / (fan_in + fan_out))
            g.keep(f"xavier, {name}, {shape_name}", numbers([math.sqrt(3.0) * xavier, xavier]))
            for mode, fan in [("fan_in", fan_in), ("fan_out", fan_out)]:
                kaiming = gain / math.sqrt(fan)
                g.keep(f"kaiming, {mode}, {name}, {shape_name}", numbers([math.sqrt(3.0) * kaiming, kaiming]))
    g.write()
