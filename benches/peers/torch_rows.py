"""PyTorch (eager, CPU) as a peer; see README.md."""

import math

import common

args = common.arguments()
try:
    import torch
    import torch.nn.functional as F
except ImportError:
    common.missing("PyTorch", "pip install torch")

torch.set_num_threads(args.threads)

FUNCTIONS = {"gelu": F.gelu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "add": torch.add, "mul": torch.mul}


def own(array):
    """A copy in PyTorch's own memory, as an operation before it would have left it."""
    return torch.from_numpy(array).clone()


def tensor(seed, shape, scale=1.0):
    return own(common.fill(seed, math.prod(shape), scale).reshape(shape))


def gemm(m, k, n):
    a, b, c = tensor(common.INPUT, (m, k)), tensor(common.INPUT + 1, (k, n)), torch.empty(m, n)

    def step():
        with torch.no_grad():
            torch.mm(a, b, out=c)

    step()
    return step, 0, common.summary(c)


def operation(f, inputs, backward):
    """The step y = f(inputs), and with `backward` the gradients of all inputs from dy."""

    def forward_step():
        with torch.no_grad():
            return (f(*inputs),)

    def both_step():
        y = f(*inputs)
        return (y.detach(), *torch.autograd.grad(y, inputs, dy))

    (y,) = forward_step()
    step = forward_step
    if backward:
        dy, step = tensor(common.GRADIENT, y.shape), both_step
        for x in inputs:
            x.requires_grad_()
    return step, 0, [v for y in step() for v in common.summary(y)]


def elementwise(name, backward):
    inputs = [tensor(common.INPUT + i, (common.ELEMENTS,), 4.0) for i in range(common.ELEMENTWISE[name])]
    return operation(FUNCTIONS[name], inputs, backward)


def conv(layer, backward):
    sides = {"stride": layer.stride, "padding": layer.padding}
    spread = {"dilation": layer.dilation, "groups": layer.groups}
    f = {
        "conv": lambda x, w, b: F.conv2d(x, w, b, **sides, **spread),
        "conv_transpose": lambda x, w, b: F.conv_transpose2d(x, w, b, **sides, **spread),
        "max_pool2": lambda x: F.max_pool2d(x, 2),
        "upsample2": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
    }
    return operation(f[layer.operation], [own(x) for x in layer.inputs()], backward)


def softmax_cross_entropy():
    rows, classes = common.SOFTMAX
    x = tensor(common.INPUT, (rows, classes), 4.0).requires_grad_()
    labels = torch.from_numpy(common.labels(rows, classes))

    def step():
        loss = F.cross_entropy(x, labels)
        return loss.detach(), *torch.autograd.grad(loss, x)

    loss, dx = step()
    return step, 0, [loss, *common.summary(dx)]


def mlp(batch):
    layers = [torch.nn.Linear(i, o) for i, o in zip(common.MLP, common.MLP[1:])]
    net = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), common.mlp_parameters()):
            parameter.copy_(torch.from_numpy(value))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=args.fused or None)
    x = tensor(common.INPUT, (batch, common.MLP[0]))
    labels = torch.from_numpy(common.labels(batch, common.MLP[-1]))

    def step():
        optimiser.zero_grad()
        loss = F.cross_entropy(net(x), labels)
        loss.backward()
        optimiser.step()
        return loss.detach()

    parameters = sum(p.numel() for p in net.parameters())
    return step, parameters, [step(), step()]


rows = {f"mlp-784-512-256-10-b{b}": lambda b=b: mlp(b) for b in common.BATCHES}
if not args.fused:
    for name, shape in common.GEMM.items():
        rows[name] = lambda shape=shape: gemm(*shape)
    for name in common.ELEMENTWISE:
        rows[f"{name}-4m/fwd"] = lambda name=name: elementwise(name, backward=False)
        rows[f"{name}-4m/fb"] = lambda name=name: elementwise(name, backward=True)
    for name, layer in common.LAYERS.items():
        rows[f"{name}/fwd"] = lambda layer=layer: conv(layer, backward=False)
        rows[f"{name}/fb"] = lambda layer=layer: conv(layer, backward=True)
    rows["softmax-ce-4096x1000/fb"] = softmax_cross_entropy

common.serve(args.name or "pytorch", torch.__version__, rows)
