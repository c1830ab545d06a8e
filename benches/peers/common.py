"""What the Python peers share: the inputs and the line protocol of README.md."""

import argparse
import json
import os
import statistics
import sys
import time

GEMM = {
    "gemm-256": (256, 256, 256),
    "gemm-512": (512, 512, 512),
    "gemm-1024": (1024, 1024, 1024),
    "gemm-64x576x12544": (64, 576, 12544),
    "gemm-128x128x3136": (128, 128, 3136),
}
ELEMENTWISE = {"gelu": 1, "sigmoid": 1, "tanh": 1, "add": 2, "mul": 2}  # name: inputs
ELEMENTS = 4 << 20
SOFTMAX = (4096, 1000)
MLP = (784, 512, 256, 10)
BATCHES = (1, 8, 128)
INPUT, GRADIENT = 100, 200


def arguments():
    parser = argparse.ArgumentParser(description="A peer of `cargo xtask bench --peers`; see README.md.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", help="the peer's name in tables")
    parser.add_argument("--fused", action="store_true", help="PyTorch's fused Adam; training rows only")
    return parser.parse_args()


def missing(package, install):
    print(f"{package} is not installed. To run this peer: {install}", file=sys.stderr)
    sys.exit(3)


def fill(seed, n, scale=1.0):
    """n numbers, uniform in [-scale, scale): a 32-bit mix of index and seed, its top 24 bits as a fraction."""
    import numpy as np

    h = np.arange(n, dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    for _ in range(2):
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x045D9F3B)
    h ^= h >> np.uint32(16)
    return ((h >> np.uint32(8)).astype(np.float32) / np.float32(8388608) - np.float32(1)) * np.float32(scale)


def labels(n, classes):
    import numpy as np

    return 7 * np.arange(n, dtype=np.int64) % classes


def mlp_parameters():
    """The MLP's weights (outputs, inputs) and biases, layer after layer."""
    parameters = []
    for layer, (inputs, outputs) in enumerate(zip(MLP, MLP[1:])):
        scale = inputs**-0.5
        parameters.append(fill(2 * layer + 1, inputs * outputs, scale).reshape(outputs, inputs))
        parameters.append(fill(2 * layer + 2, outputs, scale))
    return parameters


def summary(x):
    """The mean of |x|, and the mean of |x|·(i mod 13)."""
    import numpy as np

    x = np.abs(np.asarray(x, dtype=np.float64).ravel())
    return [x.mean(), (x * (np.arange(x.size) % 13)).mean()]


def serve(name, version, rows):
    """`rows` maps a name to a function that returns (step, parameters, check)."""
    assert [float(v) for v in fill(INPUT, 2)] == [0.318325400352478, -0.932750940322876]
    out, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr

    def answer(**fields):
        print(json.dumps({"peer": name, **fields}), file=out, flush=True)

    answer(version=version, rows=list(rows))
    ready = {}
    for line in sys.stdin:
        request = json.loads(line)
        row = request.get("row") or request.get("run")
        if row not in rows:
            answer(row=row, error="no such row")
        elif "row" in request:
            ready[row], parameters, check = rows[row]()
            answer(row=row, parameters=parameters, check=[float(v) for v in check])
        elif row not in ready:
            answer(row=row, error="not made ready")
        else:
            ms, steps = timed(ready[row], request.get("budget_ms", 100) / 1e3)
            answer(row=row, ms=ms, steps=steps)


def timed(step, budget):
    """The median time in milliseconds of the steps that fit into the budget, after one that is not timed."""
    step()
    times = []
    start = time.perf_counter()
    while not times or time.perf_counter() - start < budget:
        before = time.perf_counter()
        step()
        times.append((time.perf_counter() - before) * 1e3)
    return statistics.median_high(times), len(times)
