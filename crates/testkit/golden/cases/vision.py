"""Networks for images: logits, the loss and its gradients, and the names and shapes of what they learn."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.models import resnet, vgg

from . import segment
from .fill import fill, noise
from .record import Golden, weights

CLASSES = 5


def network(g, case, module, shape, heads=()):
    """Logits in evaluation and in training, the loss Σ c·y of all outputs, and Σ c·d for each gradient d."""
    module = fill(module)
    x = noise("x", shape).requires_grad_()
    g.keep(f"{case}:eval", rows(outputs_of(module.eval()(x))[0]))
    outputs = outputs_of(module.train()(x))
    g.keep(f"{case}:train", rows(outputs[0]))
    loss = sum(a * (weights(y) * y).sum() for a, y in zip([1, *heads], outputs, strict=True))
    loss.backward()
    g.keep(f"{case}:loss", loss)
    g.keep(f"{case}:dx", (weights(x) * x.grad).sum())
    for name, parameter in module.named_parameters():
        g.keep(f"{case}:grad.{name}", (weights(parameter) * parameter.grad).sum())


def outputs_of(y):
    """The logits and those of auxiliary heads, the first one first."""
    if isinstance(y, torch.Tensor):
        return [y]
    return list(y.values()) if isinstance(y, dict) else [y.logits, y.aux_logits1, y.aux_logits2]


def rows(y):
    """Logits as they are, maps of them as Σ c·y along each row."""
    return (weights(y) * y).sum(-1) if y.dim() == 4 else y


def small_vgg(convolutions, batch_norm):
    """A VGG of an eighth of the width with 32 hidden units."""
    widths = [8, 16, 32, 64, 64]
    layers = [layer for count, width in zip(convolutions, widths) for layer in [*[width] * count, "M"]]
    net = models.VGG(vgg.make_layers(layers, batch_norm=batch_norm), CLASSES, init_weights=False)
    net.classifier = hidden(net.classifier, 64 * 7 * 7)
    return net


def hidden(classifier, inputs):
    """The same layers, 32 wide."""
    widths = iter([(inputs, 32), (32, 32), (32, CLASSES)])
    return nn.Sequential(*[nn.Linear(*next(widths)) if isinstance(part, nn.Linear) else part for part in classifier])


def small_alexnet():
    net = models.AlexNet(CLASSES)
    net.classifier = hidden(net.classifier, 256 * 6 * 6)
    return net


class CifarBlock(resnet.BasicBlock):
    """A block whose shortcut has no parameters, or that has none."""

    def __init__(self, channels, features, stride, residual):
        super().__init__(channels, features, stride)
        self.residual = residual

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.residual:
            x = x[:, :, :: self.stride, :: self.stride]
            y = y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return F.relu(y)


class CifarResNet(nn.Module):
    """6n + 2 layers; torchvision has none of these."""

    def __init__(self, n, residual=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for stage, width in enumerate([16, 32, 64]):
            blocks = []
            for block in range(n):
                blocks.append(CifarBlock(channels, width, 2 if stage and not block else 1, residual))
                channels = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean([2, 3]))


def classify():
    g = Golden("classify")
    network(g, "alexnet", small_alexnet(), (2, 3, 63, 71))
    network(g, "vgg", small_vgg([1, 2, 2, 3, 2], False), (2, 3, 32, 65))
    network(g, "vgg_bn", small_vgg([1, 1, 2, 2, 2], True), (3, 3, 64, 39))
    googlenet = models.GoogLeNet(CLASSES, init_weights=False, transform_input=True)
    network(g, "googlenet", googlenet, (3, 3, 64, 49), heads=[0.3, 0.3])
    network(g, "resnet18", models.resnet18(num_classes=CLASSES), (3, 3, 64, 49))
    network(g, "bottleneck", models.ResNet(resnet.Bottleneck, [1, 2, 1, 1], CLASSES), (3, 3, 49, 64))
    network(g, "resnet14", CifarResNet(2), (3, 3, 13, 10))
    network(g, "plain14", CifarResNet(2, residual=False), (3, 3, 13, 10))
    g.write()


def digest(module):
    """A hash of the names and shapes of all parameters and buffers, in the order of their names."""
    h = 0x811C9DC5
    for name, value in sorted(module.state_dict().items()):
        for byte in f"{name} {list(value.shape)}\n".encode():
            h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def zoo():
    """How many numbers each network learns, and the hash of names and shapes."""
    g = Golden("zoo")
    names = ["alexnet", "googlenet", *[f"resnet{n}" for n in (18, 34, 50, 101, 152)]]
    names += [f"vgg{n}{norm}" for n in (11, 13, 16, 19) for norm in ("", "_bn")]
    for name in names:
        options = dict(init_weights=False) if name == "googlenet" else {}
        with torch.device("meta"):
            net = models.get_model(name, weights=None, **options)
            if name.startswith("vgg"):
                net.classifier = hidden(net.classifier, 512 * 7 * 7)
        count = sum(parameter.numel() for parameter in net.parameters())
        g.keep(f"{name}:count", torch.tensor(count))
        g.keep(f"{name}:digest", torch.tensor(digest(net)))
    for name in ["fcn_resnet50", "fcn_resnet101"]:
        with torch.device("meta"):
            net = models.get_model(name, weights=None, weights_backbone=None, aux_loss=True)
        g.keep(f"{name}:count", torch.tensor(sum(parameter.numel() for parameter in net.parameters())))
        g.keep(f"{name}:digest", torch.tensor(digest(net)))
    g.write()


def write():
    classify()
    segment.write(network)
    zoo()
