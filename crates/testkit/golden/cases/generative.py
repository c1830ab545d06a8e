"""Generative models: the diagonal Gaussian, penalties, the bound of variational auto-encoders with its gradients, PCA."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence

from .fill import fill, noise
from .record import Golden, normal, weights

BATCH = 4
LATENT = 3
CLASSES = 3
CONDITION = 2


def gaussians():
    """What `Gaussian` gives for each dimension, and the penalties of auto-encoders."""
    g = Golden("gaussians")

    def of(mean, log_variance):
        return Normal(mean, (log_variance / 2).exp())

    four = [normal(3, 4) for _ in range(4)]
    g("log_density", lambda m, v, x: of(m, v).log_prob(x), *four[:3])
    g("entropy", lambda m, v: of(m, v).entropy() + 0 * m, *four[:2])
    g("kl", lambda m, v, n, w: kl_divergence(of(m, v), of(n, w)), *four)
    g("kl_from_standard_normal", lambda m, v: kl_divergence(of(m, v), Normal(0.0, 1.0)), *four[:2])

    def expected_log_density(m, v, n, w):
        p, q = of(m, v), of(n, w)
        return -p.entropy() - kl_divergence(p, q)

    g("expected_log_density", expected_log_density, *four)

    g("l1_sparsity", lambda h: h.abs().sum(1).mean(), normal(5, 3))

    def kl_sparsity(h):
        target = Bernoulli(torch.tensor(0.1, dtype=h.dtype))
        return kl_divergence(target, Bernoulli(h.mean(0))).sum()

    g("kl_sparsity", kl_sparsity, torch.sigmoid(normal(5, 3)))

    def contraction(x, w, u):
        jacobian = torch.func.vmap(torch.func.jacrev(lambda x: torch.tanh(torch.sigmoid(x @ w) @ u)))(x)
        return jacobian.square().sum() / len(x)

    g("contraction", contraction, normal(3, 5), normal(5, 4), normal(4, 2))
    g.write()


def dense_layers(widths, end):
    """fc1, fc2, … with tanh after each, but for the last one of a decoder."""
    layers = {}
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        layers[f"fc{i + 1}"] = nn.Linear(inputs, outputs)
        layers[f"tanh{i + 1}"] = nn.Tanh()
    if end == "linear":
        layers.popitem()
    return layers


class Dense(nn.Module):
    """Hidden layers of 6 and 5 units."""

    def __init__(self, shape, features, parameters, code):
        super().__init__()
        size = shape[1:].numel()
        self.encoder = nn.ModuleDict(dense_layers([features * size, 6, 5], "tanh"))
        self.decoder = nn.ModuleDict(dense_layers([code, 5, 6, parameters * size], "linear"))
        self.out = (parameters, *shape[1:])
        self.width = 5

    def encode(self, x):
        x = x.flatten(1)
        for name, layer in self.encoder.items():
            if name.startswith(("fc", "tanh")):
                x = layer(x)
        return x

    def decode(self, z):
        for name, layer in self.decoder.items():
            z = layer(z)
        return z.unflatten(1, self.out)


class Convolutional(nn.Module):
    """Convolutions to 3 and 4 channels, and 6 units."""

    def __init__(self, shape, features, parameters, code):
        super().__init__()
        channels, self.map = shape[0], (4, shape[1] // 4, shape[2] // 4)
        size = 4 * self.map[1] * self.map[2]
        self.encoder = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(features, 3, 4, 2, 1),
                "conv2": nn.Conv2d(3, 4, 4, 2, 1),
                "fc": nn.Linear(size, 6),
            }
        )
        self.decoder = nn.ModuleDict(
            {
                "fc1": nn.Linear(code, 6),
                "fc2": nn.Linear(6, size),
                "conv1": nn.ConvTranspose2d(4, 3, 4, 2, 1),
                "conv2": nn.ConvTranspose2d(3, parameters, 4, 2, 1),
            }
        )
        self.width = 6

    def encode(self, x):
        layers = self.encoder
        x = F.silu(layers["conv2"](F.silu(layers["conv1"](x))))
        return F.silu(layers["fc"](x.flatten(1)))

    def decode(self, z):
        layers = self.decoder
        h = layers["fc2"](F.silu(layers["fc1"](z))).unflatten(1, self.map)
        return layers["conv2"](F.silu(layers["conv1"](F.silu(h))))


def make(network, likelihood, shape, condition=0):
    """The network with heads for the mean and the logarithm of the variance."""
    one_hot = CLASSES if likelihood == "categorical" else 1
    times = {"categorical": CLASSES, "predicted": 2}.get(likelihood, 1)
    net = network(shape, one_hot * shape[0] + condition, times * shape[0], LATENT + condition)
    net.encoder["mean"] = nn.Linear(net.width, LATENT)
    net.encoder["log_variance"] = nn.Linear(net.width, LATENT)
    if likelihood == "shared":
        net.decoder.register_parameter("log_variance", nn.Parameter(torch.zeros(())))
    return fill(net)


def data(likelihood, shape):
    u = noise("x", (BATCH, *shape))
    return {"bernoulli": (u + 1) / 2, "categorical": ((u + 1) / 2 * CLASSES).floor()}.get(likelihood, u)


def bound(net, likelihood, x, y=None):
    """E_q ln p(x|z) and the divergences of the dimensions, means over the batch."""
    features = x
    if likelihood == "categorical":
        features = F.one_hot(x.long(), CLASSES).to(x.dtype).movedim(-1, 1).flatten(1, 2)
    if y is not None:
        planes = y.reshape(*y.shape, *[1] * (x.dim() - 2)).expand(*y.shape, *x.shape[2:])
        features = torch.cat([features, planes], 1)
    h = net.encode(features)
    mean, log_variance = net.encoder["mean"](h), net.encoder["log_variance"](h)
    q = Normal(mean, (log_variance / 2).exp())
    z = mean + q.stddev * 2 * noise("noise", (BATCH, LATENT))
    out = net.decode(z if y is None else torch.cat([z, y], 1))
    if likelihood == "bernoulli":
        p = Bernoulli(logits=out, validate_args=False)
    elif likelihood == "categorical":
        p = Categorical(logits=out.unflatten(1, (CLASSES, -1)).movedim(1, -1))
    elif likelihood == "fixed":
        p = Normal(out, 0.3**0.5)
    elif likelihood == "shared":
        p = Normal(out, (net.decoder.log_variance / 2).exp())
    else:
        mean, log_variance = out.chunk(2, 1)
        p = Normal(mean, (log_variance / 2).exp())
    return p.log_prob(x).sum() / BATCH, kl_divergence(q, Normal(0.0, 1.0)).mean(0)


OBJECTIVES = {
    "elbo": lambda likely, kl: -likely + kl.sum(),
    "beta": lambda likely, kl: -likely + 4 * kl.sum(),
    "free_bits": lambda likely, kl: -likely + kl.clamp(min=kl.mean().item()).sum(),
    "capacity": lambda likely, kl: -likely + 30 * (kl.sum() - 1.5).abs(),
}


def elbos():
    g = Golden("elbos")
    dense, convolutional = torch.Size((2, 3)), torch.Size((2, 8, 4))
    for likelihood in ["bernoulli", "fixed", "shared", "predicted", "categorical"]:
        for name, network, shape in [("dense", Dense, dense), ("convolutional", Convolutional, convolutional)]:
            elbo(g, f"{name}, {likelihood}", make(network, likelihood, shape), likelihood, data(likelihood, shape))
    for name, network, shape in [("dense", Dense, dense), ("convolutional", Convolutional, convolutional)]:
        for likelihood in ["bernoulli", "categorical"]:
            net = make(network, likelihood, shape, CONDITION)
            case = f"conditional {name}, {likelihood}"
            elbo(g, case, net, likelihood, data(likelihood, shape), noise("y", (BATCH, CONDITION)))
    g.write()


def elbo(g, case, net, likelihood, x, y=None):
    """The terms, each objective's loss, and Σ c·d for each gradient d of the loss."""
    likely, kl = bound(net, likelihood, x, y)
    g.keep(f"{case}:log_likelihood", likely)
    g.keep(f"{case}:kl", kl)
    for objective, loss in OBJECTIVES.items():
        net.zero_grad()
        value = loss(*bound(net, likelihood, x, y))
        value.backward()
        g.keep(f"{case}:{objective}.loss", value)
        for name, parameter in net.named_parameters():
            g.keep(f"{case}:{objective}.grad.{name}", (weights(parameter) * parameter.grad).sum())


def pca():
    """The first components by the singular value decomposition, with the entry of largest magnitude positive."""
    g = Golden("pca")
    for case, shape, count in [("tall", (20, 6), 4), ("wide", (5, 9), 3)]:
        x = (normal(*shape) * torch.tensor(2.0).pow(-torch.arange(shape[1]))).double()
        x = x @ torch.linalg.qr(normal(shape[1], shape[1]).double()).Q + 1.0
        x = x.float()
        centred = x.double() - x.double().mean(0)
        _, values, rows = torch.linalg.svd(centred, full_matrices=False)
        rows = rows[:count]
        rows = rows * rows.gather(1, rows.abs().argmax(1, keepdim=True)).sign()
        g.keep(f"{case}:x", x)
        g.keep(f"{case}:components", rows)
        g.keep(f"{case}:variance", values[:count] ** 2 / (shape[0] - 1))
        g.keep(f"{case}:ratio", values[:count] ** 2 / (values**2).sum())
        g.keep(f"{case}:codes", centred @ rows.T)
    g.write()


def write():
    gaussians()
    elbos()
    pca()
