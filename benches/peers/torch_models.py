"""The models of the rows of whole models in PyTorch, with the names of Striate's parameters."""

import sys

import torch
import torch.nn.functional as F
from torch import nn

try:
    from torchvision import models
except ImportError:
    models = None
    print("left out, the rows of torchvision's networks: pip install torchvision", file=sys.stderr)


def resnet18_cifar(classes):
    net = models.resnet18(num_classes=classes)
    net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    net.maxpool = nn.Identity()
    return net


class LeNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.conv2 = nn.Conv2d(16, 32, 5, padding=2)
        self.fc1 = nn.Linear(32 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Level(nn.Module):
    def __init__(self, channels, features):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, features, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(features)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(features)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self, classes, depth=4, width=16):
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(Level(a, b) for a, b in zip([1, *widths], widths))
        self.decoder = nn.ModuleList()
        for features in widths[:-1]:
            level = Level(2 * features, features)
            level.up = nn.ConvTranspose2d(2 * features, features, 2, 2)
            self.decoder.append(level)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        maps = []
        for level in self.encoder[:-1]:
            maps.append(level(x))
            x = F.max_pool2d(maps[-1], 2)
        x = self.encoder[-1](x)
        for level, skip in zip(reversed(self.decoder), reversed(maps)):
            x = level(torch.cat([skip, level.up(x)], 1))
        return self.head(x)


class Vae(nn.Module):
    def __init__(self, latent):
        super().__init__()
        self.encoder = nn.ModuleDict({"fc1": nn.Linear(784, 400), **heads(400, latent)})
        self.decoder = nn.ModuleDict({"fc1": nn.Linear(latent, 400), "fc2": nn.Linear(400, 784)})

    def encode(self, x):
        return F.relu(self.encoder["fc1"](x))

    def decode(self, z):
        return self.decoder["fc2"](F.relu(self.decoder["fc1"](z)))


class ConvVae(nn.Module):
    WIDTHS = 1, 32, 32, 64, 64

    def __init__(self, latent):
        super().__init__()
        halving = [nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(self.WIDTHS, self.WIDTHS[1:])]
        doubling = [nn.ConvTranspose2d(b, a, 4, 2, 1) for a, b in zip(self.WIDTHS, self.WIDTHS[1:])][::-1]
        self.encoder = nn.ModuleDict({**numbered(halving), "fc": nn.Linear(1024, 256), **heads(256, latent)})
        linear = {"fc1": nn.Linear(latent, 256), "fc2": nn.Linear(256, 1024)}
        self.decoder = nn.ModuleDict({**linear, **numbered(doubling)})

    def encode(self, x):
        for name in numbered(self.WIDTHS[1:]):
            x = F.relu(self.encoder[name](x))
        return F.relu(self.encoder["fc"](x.flatten(1)))

    def decode(self, z):
        y = self.decoder["fc2"](F.relu(self.decoder["fc1"](z))).unflatten(1, (64, 4, 4))
        for name in numbered(self.WIDTHS[1:]):
            y = self.decoder[name](F.relu(y))
        return y


def heads(width, latent):
    return {"mean": nn.Linear(width, latent), "log_variance": nn.Linear(width, latent)}


def numbered(layers):
    return {f"conv{number}": layer for number, layer in enumerate(layers, 1)}


def negative_elbo(net, x, noise, beta):
    """−ELBO, summed over pixels and averaged over the batch; noise is drawn where none is given."""
    features = net.encode(x)
    mean, log_variance = net.encoder["mean"](features), net.encoder["log_variance"](features)
    std = (0.5 * log_variance).exp()
    logits = net.decode(mean + std * (torch.randn_like(std) if noise is None else noise))
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return (reconstruction + beta * divergence) / len(x)


TRAINED = {"train/unet-128-b4": UNet, "train/lenet-b64": LeNet, "train/lenet-b1": LeNet}
SEEING = {}
VAES = {"train/vae-b128": Vae, "train/convvae-b32": ConvVae}
if models is not None:
    TRAINED["train/resnet18-cifar-b16"] = resnet18_cifar
    SEEING["infer/resnet18-b1"] = lambda classes: models.resnet18(num_classes=classes)
    SEEING["infer/vgg16-b1"] = lambda classes: models.vgg16(num_classes=classes, init_weights=False)
    SEEING["infer/googlenet-b1"] = lambda classes: models.googlenet(
        num_classes=classes, aux_logits=False, init_weights=False
    )
