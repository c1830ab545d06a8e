"""PyTorch (eager, CPU) as a peer; see README.md."""

import math

import common

args = common.arguments()
try:
    import torch
    import torch.nn.functional as F
except ImportError:
    common.missing("PyTorch", "pip install torch torchvision")

import torch_models

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


def load(module, values):
    """Gives a module's parameters, in PyTorch's order, these values."""
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(torch.from_numpy(value))


SEQUENCES = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "tanh": torch.nn.RNN}


def recurrent(layer, backward):
    net = SEQUENCES[layer.kind](layer.input, layer.hidden)
    load(net, layer.parameters())
    return operation(lambda x, *_: net(x)[0], [own(layer.x()), *net.parameters()], backward)


def cell():
    net = torch.nn.LSTMCell(common.CELL.input, common.CELL.hidden)
    load(net, common.CELL.parameters())
    x = own(common.CELL.x()[0])
    state = None

    def step():
        nonlocal state
        with torch.inference_mode():
            state = net(x, state)
            return state[0]

    return step, 0, [v for _ in range(2) for v in common.summary(step())]


class CharacterModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        hidden = common.STACK[0].hidden
        self.embedding = torch.nn.Embedding(common.CHARACTERS, common.EMBEDDING)
        self.lstm = torch.nn.LSTM(common.EMBEDDING, hidden, len(common.STACK))
        self.head = torch.nn.Linear(hidden, common.CHARACTERS)

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0])


def character_model():
    net = CharacterModel()
    load(net, common.character_parameters())
    x, labels = (torch.from_numpy(characters) for characters in common.characters())
    return training(lambda: F.cross_entropy(net(x).flatten(0, 1), labels), net)


def training(loss_of, net):
    """Training steps with Adam."""
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=args.fused or None)

    def step():
        optimiser.zero_grad()
        loss = loss_of()
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step, sum(p.numel() for p in net.parameters()), [step(), step()]


def mlp(batch):
    layers = [torch.nn.Linear(i, o) for i, o in zip(common.MLP, common.MLP[1:])]
    net = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    load(net, common.mlp_parameters())
    x = tensor(common.INPUT, (batch, common.MLP[0]))
    labels = torch.from_numpy(common.labels(batch, common.MLP[-1]))
    return training(lambda: F.cross_entropy(net(x), labels), net)


def start(net):
    """Gives a model the parameters that every peer starts with."""
    parameters = dict(net.named_parameters())
    values = common.model_parameters({name: p.shape for name, p in parameters.items()})
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(torch.from_numpy(value))
    return net


def classifier(row):
    net = start(torch_models.TRAINED[row](common.CLASSIFIERS[row][1]))
    x, labels = common.pictures(row)
    x, labels = own(x), torch.from_numpy(labels)
    return common.lowered(*training(lambda: F.cross_entropy(net(x), labels), net))


def vae(row):
    _, latent, beta = common.VAES[row]
    net = start(torch_models.VAES[row](latent))
    x, noise = common.vae_inputs(row)
    x, given = own(x), iter([own(e) for e in noise])
    return training(lambda: torch_models.negative_elbo(net, x, next(given, None), beta), net)


def look(row):
    """The logits of one picture."""
    net = start(torch_models.SEEING[row](common.CLASSIFIERS[row][1])).eval()
    x = own(common.pictures(row)[0])

    def step():
        with torch.inference_mode():
            return net(x)

    return step, sum(p.numel() for p in net.parameters()), common.summary(step())


rows = {f"mlp-784-512-256-10-b{b}": lambda b=b: mlp(b) for b in common.BATCHES}
rows[common.CHARACTERS_ROW] = character_model
for name in torch_models.TRAINED:
    rows[name] = lambda name=name: classifier(name)
for name in torch_models.VAES:
    rows[name] = lambda name=name: vae(name)
if not args.fused:
    for name, shape in common.GEMM.items():
        rows[name] = lambda shape=shape: gemm(*shape)
    for name in common.ELEMENTWISE:
        rows[f"{name}-4m/fwd"] = lambda name=name: elementwise(name, backward=False)
        rows[f"{name}-4m/fb"] = lambda name=name: elementwise(name, backward=True)
    for name, layer in common.LAYERS.items():
        rows[f"{name}/fwd"] = lambda layer=layer: conv(layer, backward=False)
        rows[f"{name}/fb"] = lambda layer=layer: conv(layer, backward=True)
    for layer in common.RECURRENT:
        rows[f"{layer.name}/fwd"] = lambda layer=layer: recurrent(layer, backward=False)
        rows[f"{layer.name}/fb"] = lambda layer=layer: recurrent(layer, backward=True)
    rows[common.CELL_ROW] = cell
    for name in torch_models.SEEING:
        rows[name] = lambda name=name: look(name)
    rows["softmax-ce-4096x1000/fb"] = softmax_cross_entropy

common.serve(args.name or "pytorch", torch.__version__, rows)
