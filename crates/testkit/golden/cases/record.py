"""Calls a function on leaves, differentiates a weighted sum of what it returns, and keeps all of it by name."""

from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parent.parent


def normal(*shape):
    """Numbers that f32 holds exactly, so that one file serves both precisions."""
    return torch.randn(shape, dtype=torch.float32)


def positive(*shape):
    return normal(*shape).abs() + 0.2


def hard_sigmoid(x):
    """`F.hardsigmoid`, whose own gradient in f64 is that of 1/6 rounded to f32."""
    return torch.nn.functional.relu6(x + 3) / 6


def softplus(x):
    """`F.softplus` without its jump to a straight line at 20, where ln(1 + eˣ) − x is still 2e-9."""
    return torch.nn.functional.softplus(x, threshold=100)


def weights(y):
    """c in the loss Σ c·y, as `golden::weights`: never 0, exact in every precision."""
    i = torch.arange(y.numel(), dtype=torch.float64)
    return ((7 * i % 11 - 4.5) / 4).reshape(y.shape).to(y.dtype)


class Golden:
    def __init__(self, name):
        self.name = name
        self.tensors = {}

    def keep(self, name, tensor):
        assert name not in self.tensors, name
        self.tensors[name] = torch.as_tensor(tensor).detach().clone().contiguous()

    def __call__(self, case, f, *inputs):
        """Keeps the inputs as x0, x1, … (integers as i0, i1, …), f's value as y and gradients as dx0, dx1, …"""
        leaves, arguments, integers = [], [], 0
        for x in inputs:
            if x.is_floating_point():
                self.keep(f"{case}:x{len(leaves)}", x)
                leaves.append(x.double().requires_grad_())
                arguments.append(leaves[-1])
            else:
                self.keep(f"{case}:i{integers}", x)
                integers += 1
                arguments.append(x)
        y = f(*arguments)
        self.keep(f"{case}:y", y)
        if y.requires_grad:
            (weights(y) * y).sum().backward()
            for i, x in enumerate(leaves):
                if x.grad is not None:
                    self.keep(f"{case}:dx{i}", x.grad)

    def write(self):
        save_file(self.tensors, FOLDER / f"{self.name}.safetensors")
