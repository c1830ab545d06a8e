"""What the Python peers share: the inputs and the line protocol of README.md."""

import argparse
import json
import math
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


class Layer:
    """One operation on x (N, C, S, S), as in `benches/protocol/src/conv.rs`."""

    def __init__(self, sizes, kernel, *, operation="conv", stride=1, padding=0, dilation=1, groups=1):
        self.batch, self.channels, self.features, self.size = sizes
        self.kernel, self.operation = kernel, operation
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    @property
    def x_shape(self):
        return self.batch, self.channels, self.size, self.size

    @property
    def w_shape(self):
        """The weight's shape; none for pooling and upsampling."""
        if self.operation == "conv":
            return self.features, self.channels // self.groups, self.kernel, self.kernel
        if self.operation == "conv_transpose":
            return self.channels, self.features // self.groups, self.kernel, self.kernel
        return None

    def inputs(self):
        """x, and the weight and the bias where there are some."""
        inputs = [fill(INPUT, math.prod(self.x_shape)).reshape(self.x_shape)]
        if self.w_shape is not None:
            scale = math.prod(self.w_shape[1:]) ** -0.5
            inputs.append(fill(INPUT + 1, math.prod(self.w_shape), scale).reshape(self.w_shape))
            inputs.append(fill(INPUT + 2, self.features, scale))
        return inputs


LAYERS = {
    "conv-16x64-64-56-k3": Layer((16, 64, 64, 56), 3, padding=1),
    "conv-16x128-128-28-k3": Layer((16, 128, 128, 28), 3, padding=1),
    "conv-16x256-256-14-k3": Layer((16, 256, 256, 14), 3, padding=1),
    "conv-16x512-512-7-k3": Layer((16, 512, 512, 7), 3, padding=1),
    "conv-4x3-64-224-k7s2": Layer((4, 3, 64, 224), 7, stride=2, padding=3),
    "conv-16x256-64-56-k1": Layer((16, 256, 64, 56), 1),
    "conv-64x1-16-28-k5": Layer((64, 1, 16, 28), 5, padding=2),
    "conv-16x64-64-56-k3d2": Layer((16, 64, 64, 56), 3, padding=2, dilation=2),
    "dw-16x128-56-k3": Layer((16, 128, 128, 56), 3, padding=1, groups=128),
    "convt-8x64-32-64-k2s2": Layer((8, 64, 32, 64), 2, operation="conv_transpose", stride=2),
    "convt-8x64-64-32-k4s2": Layer((8, 64, 64, 32), 4, operation="conv_transpose", stride=2, padding=1),
    "maxpool2-16x64-112": Layer((16, 64, 64, 112), 2, operation="max_pool2"),
    "upsample2-16x64-56": Layer((16, 64, 64, 56), 2, operation="upsample2"),
}


class Recurrent:
    """A sequence layer on x (T, N, I), as in `benches/protocol/src/recurrent.rs`."""

    GATES = {"lstm": 4, "gru": 3, "tanh": 1}

    def __init__(self, kind, batch, steps, input, hidden):
        self.kind, self.batch, self.steps, self.input, self.hidden = kind, batch, steps, input, hidden

    @property
    def name(self):
        return f"rnn/{self.kind}-b{self.batch}t{self.steps}i{self.input}h{self.hidden}"

    def x(self):
        return fill(INPUT, self.steps * self.batch * self.input).reshape(self.steps, self.batch, self.input)

    def parameters(self, seed=INPUT + 1):
        """W_ih, W_hh, b_ih and b_hh, of the seeds from `seed` on."""
        rows = self.GATES[self.kind] * self.hidden
        shapes = (rows, self.input), (rows, self.hidden), (rows,), (rows,)
        scale = self.hidden**-0.5
        return [fill(seed + i, math.prod(shape), scale).reshape(shape) for i, shape in enumerate(shapes)]


RECURRENT = [
    Recurrent("lstm", 32, 100, 128, 256),
    Recurrent("lstm", 16, 50, 64, 64),
    Recurrent("lstm", 1, 200, 64, 128),
    Recurrent("lstm", 32, 200, 128, 256),
    Recurrent("gru", 32, 100, 128, 256),
    Recurrent("tanh", 32, 100, 128, 256),
]
CELL_ROW, CELL = "rnn/lstmcell-b1h256/step", Recurrent("lstm", 1, 1, 256, 256)
CHARACTERS_ROW, CHARACTERS, EMBEDDING = "rnn/charlstm-b32t64h256/step", 65, 128
STACK = [Recurrent("lstm", 32, 64, EMBEDDING, 256), Recurrent("lstm", 32, 64, 256, 256)]


def character_parameters():
    """The embedding, the parameters of both layers, and the head's weight and bias: parameter p has the seed p + 1."""
    first, second = STACK
    scale = second.hidden**-0.5
    return [
        fill(1, CHARACTERS * EMBEDDING).reshape(CHARACTERS, EMBEDDING),
        *first.parameters(seed=2),
        *second.parameters(seed=6),
        fill(10, CHARACTERS * second.hidden, scale).reshape(CHARACTERS, second.hidden),
        fill(11, CHARACTERS, scale),
    ]


def characters():
    """Characters (T, N), and those that follow each (T·N): character i of T + 1 rows of N is 7·i mod 65."""
    batch, steps = STACK[0].batch, STACK[0].steps
    rows = labels((steps + 1) * batch, CHARACTERS).reshape(steps + 1, batch)
    return rows[:-1], rows[1:].ravel()


# The rows of whole models, as in `benches/protocol/src/models.rs`: the shape of x and the number of classes.
CLASSIFIERS = {
    "train/resnet18-cifar-b16": ((16, 3, 32, 32), 10),
    "train/unet-128-b4": ((4, 1, 128, 128), 2),
    "train/lenet-b64": ((64, 1, 28, 28), 10),
    "train/lenet-b1": ((1, 1, 28, 28), 10),
    "infer/resnet18-b1": ((1, 3, 224, 224), 1000),
    "infer/vgg16-b1": ((1, 3, 224, 224), 1000),
    "infer/googlenet-b1": ((1, 3, 224, 224), 1000),
}
LENETS = "train/lenet-b64", "train/lenet-b1"
# The shape of x, the dimensions of the latent space, and the weight of the divergence.
VAES = {"train/vae-b128": ((128, 784), 20, 1.0), "train/convvae-b32": ((32, 1, 64, 64), 10, 4.0)}


def pictures(row):
    """x, and the labels of a training step: one for each picture, or for each pixel of the U-Net's."""
    shape, classes = CLASSIFIERS[row]
    of_labels = (shape[0], *shape[2:]) if "unet" in row else shape[:1]
    return fill(INPUT, math.prod(shape)).reshape(shape), labels(math.prod(of_labels), classes).reshape(of_labels)


def vae_inputs(row):
    """x, pixels in [0, 1), and the noise of the first two steps, of variance 1; later steps draw their own."""
    shape, latent, _ = VAES[row]
    sizes = shape[0], latent
    noise = [fill(INPUT + step, math.prod(sizes), 3**0.5).reshape(sizes) for step in (1, 2)]
    return fill(INPUT, math.prod(shape), 0.5).reshape(shape) + 0.5, noise


def lowered(step, parameters, losses):
    """A training row whose check are the loss before the first step and by how much that lowers it."""
    before, after = (float(loss) for loss in losses)
    return step, parameters, [before, before - after]


def model_parameters(shapes):
    """What a model's parameters start with, by name, sorted: parameter p has the seed p + 1. Norms' weights stay 1."""
    values = {}
    for place, (name, shape) in enumerate(sorted(shapes.items())):
        if len(shape) > 1:
            scale = (3 / math.prod(shape[1:])) ** 0.5
        elif name.endswith("bias"):
            scale = 0.1
        else:
            continue
        values[name] = fill(place + 1, math.prod(shape), scale).reshape(shape)
    return values


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
