"""Writes the golden files beside this script: values and gradients of PyTorch, which Striate's tests must reproduce.

    python3 crates/testkit/golden/generate.py

needs `pip install torch torchvision safetensors numpy`. The seeds are fixed: one version of PyTorch writes the same
numbers always, up to the last bits of its kernels for one processor or another.
"""

import sys

sys.dont_write_bytecode = True

try:
    import numpy  # noqa: F401
    import safetensors.torch  # noqa: F401
    import torch
    import torchvision  # noqa: F401
except ImportError as error:
    sys.exit(f"{error.name} is missing: pip install torch torchvision safetensors numpy")

from cases import (
    conv,
    elementary,
    generative,
    init,
    kinks,
    layers,
    layout,
    losses,
    mlp,
    optim,
    pooling,
    products,
    recurrent,
    recurrent_layers,
    reductions,
    schedules,
    special,
    vision,
)

FAMILIES = (
    elementary,
    kinks,
    special,
    reductions,
    layout,
    products,
    losses,
    layers,
    optim,
    schedules,
    init,
    mlp,
    pooling,
    conv,
    recurrent,
    recurrent_layers,
    vision,
    generative,
)

torch.set_num_threads(1)
for family in FAMILIES:
    torch.manual_seed(0)
    family.write()
print(f"written with torch {torch.__version__}")
