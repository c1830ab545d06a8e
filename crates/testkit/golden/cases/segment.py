"""Networks that label every pixel: torchvision's layout on ResNet, and the papers' as modules of PyTorch."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.models import resnet, vgg
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.fcn import FCN, FCNHead

from .record import Golden

CLASSES = 3
WIDTHS = [4, 8, 16, 32, 32]


def fcn_resnet():
    body = models.ResNet(resnet.Bottleneck, [1, 2, 1, 2], replace_stride_with_dilation=[False, True, True])
    body = IntermediateLayerGetter(body, {"layer4": "out", "layer3": "aux"})
    return FCN(body, FCNHead(2048, CLASSES), FCNHead(1024, CLASSES))


def features(convolutions, batch_norm):
    """VGG's convolutions, four wide."""
    layers = [layer for count, width in zip(convolutions, WIDTHS) for layer in [*[width] * count, "M"]]
    return vgg.make_layers(layers, batch_norm=batch_norm)


class Fcn(nn.Module):
    """Long, Shelhamer and Darrell 2015, with the croppings of their Caffe models."""

    def __init__(self, steps, upsampling="transposed"):
        super().__init__()
        self.features = features([1, 1, 2, 1, 2], False)
        self.features[0].padding = (100, 100)
        for part in self.features:
            if isinstance(part, nn.MaxPool2d):
                part.ceil_mode = True
        self.classifier = nn.ModuleDict({"0": nn.Linear(32 * 7 * 7, 24), "3": nn.Linear(24, 24)})
        self.score_fr = nn.Conv2d(24, CLASSES, 1)
        self.steps, self.upsampling = steps, upsampling
        for (name, factor), skip in zip(steps, [32, 16]):
            if name != steps[-1][0]:
                setattr(self, f"score_pool{4 if skip == 32 else 3}", nn.Conv2d(skip, CLASSES, 1))
        if upsampling == "transposed":
            for name, factor in steps:
                setattr(self, name, nn.ConvTranspose2d(CLASSES, CLASSES, 2 * factor, factor, bias=False))

    def up(self, name, factor, x):
        if self.upsampling == "transposed":
            return getattr(self, name)(x)
        if self.upsampling == "nails":
            return F.conv_transpose2d(x, torch.ones(CLASSES, 1, 1, 1).to(x), stride=factor, output_padding=factor - 1, groups=CLASSES)
        return F.interpolate(x, scale_factor=factor, mode=self.upsampling)

    def forward(self, x):
        size, pools, y = x.shape[2:], [], x
        for part in self.features:
            y = part(y)
            if isinstance(part, nn.MaxPool2d):
                pools.append(y)
        y = F.relu(F.conv2d(y, self.classifier["0"].weight.reshape(24, 32, 7, 7), self.classifier["0"].bias))
        y = F.relu(F.conv2d(y, self.classifier["3"].weight.reshape(24, 24, 1, 1), self.classifier["3"].bias))
        y = self.score_fr(y)
        # Crops of a kernel of 2f, and of one of f.
        crops = {1: [19], 2: [5, 27], 3: [5, 9, 31]} if self.upsampling == "transposed" else {1: [3], 2: [6, 3], 3: [6, 12, 3]}
        crops = crops[len(self.steps)]
        for (name, factor), at, pool in zip(self.steps[:-1], crops, [4, 3]):
            y = self.up(name, factor, y)
            finer = getattr(self, f"score_pool{pool}")(pools[pool - 1])
            y = y + finer[:, :, at : at + y.shape[2], at : at + y.shape[3]]
        y, at = self.up(*self.steps[-1], y), crops[-1]
        return y[:, :, at : at + size[0], at : at + size[1]]


class ConvNorm(nn.Module):
    def __init__(self, channels, features):
        super().__init__()
        self.conv = nn.Conv2d(channels, features, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(features)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


def reflected(x, multiple):
    """Mirrored at its end up to a multiple of a size."""
    return F.pad(x, (0, -x.shape[3] % multiple, 0, -x.shape[2] % multiple), mode="reflect")


class SegNet(nn.Module):
    def __init__(self):
        super().__init__()
        convolutions = [1, 2, 1, 1, 2]
        self.features = features(convolutions, True)
        blocks = []
        for count, width, last in zip(convolutions, WIDTHS, [WIDTHS[0], *WIDTHS]):
            widths = [*[width] * count, last]
            blocks.append(nn.ModuleList([ConvNorm(a, b) for a, b in zip(widths, widths[1:])]))
        self.decoder = nn.ModuleList(blocks)
        self.score = nn.Conv2d(WIDTHS[0], CLASSES, 3, padding=1)

    def forward(self, x):
        y, pools = reflected(x, 32), []
        for part in self.features:
            if isinstance(part, nn.MaxPool2d):
                y, winners = F.max_pool2d(y, 2, return_indices=True)
                pools.append(winners)
            else:
                y = part(y)
        for block, winners in zip(reversed(self.decoder), reversed(pools)):
            y = F.max_unpool2d(y, winners, 2)
            for part in block:
                y = part(y)
        return self.score(y)[:, :, : x.shape[2], : x.shape[3]]


class Level(nn.Module):
    def __init__(self, channels, features, padded, norm):
        super().__init__()
        for i, before in [(1, channels), (2, features)]:
            setattr(self, f"conv{i}", nn.Conv2d(before, features, 3, padding=int(padded), bias=norm is None))
            setattr(self, f"norm{i}", norm(features) if norm else nn.Identity())

    def convolve(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    """Ronneberger, Fischer and Brox 2015; `up` gives the map of a level from the map below it and pooling's winners."""

    def __init__(self, depth, channels, norm=nn.BatchNorm2d, padded=True, up="transposed", skips=None):
        super().__init__()
        widths = [4 << level for level in range(depth + 1)]
        self.depth, self.padded, self.kind = depth, padded, up
        self.skips = skips or [True] * depth
        self.encoder = nn.ModuleList([Level(a, b, padded, norm) for a, b in zip([channels, *widths], widths)])
        self.decoder = nn.ModuleList()
        for width, skip in zip(widths, self.skips):
            level = Level(2 * width if skip else width, width, padded, norm)
            level.up = nn.ConvTranspose2d(2 * width, width, 2, 2) if up == "transposed" else nn.Conv2d(2 * width, width, 1)
            self.decoder.append(level)
        self.head = nn.Conv2d(4, CLASSES, 1)

    def doubled(self, level, x, winners):
        x = level.up(x)
        if self.kind == "transposed":
            return x
        return F.max_unpool2d(x, winners, 2) if self.kind == "unpool" else F.interpolate(x, scale_factor=2, mode=self.kind)

    def forward(self, x):
        y, maps = reflected(x, 2**self.depth) if self.padded else x, []
        for level in self.encoder[:-1]:
            y = level.convolve(y)
            pooled, winners = F.max_pool2d(y, 2, return_indices=True)
            maps.append((y, winners))
            y = pooled
        y = self.encoder[-1].convolve(y)
        for level, (map_, winners), skip in list(zip(self.decoder, maps, self.skips))[::-1]:
            y = self.doubled(level, y, winners)
            if skip:
                at = (map_.shape[2] - y.shape[2]) // 2
                y = torch.cat([map_[:, :, at : at + y.shape[2], at : at + y.shape[3]], y], 1)
            y = level.convolve(y)
        y = self.head(y)
        return y[:, :, : x.shape[2], : x.shape[3]] if self.padded else y


def write(network):
    g = Golden("segment")
    network(g, "fcn_resnet", fcn_resnet(), (2, 3, 35, 27), heads=[0.5])
    fcn32s, fcn16s = [("upscore", 32)], [("upscore2", 2), ("upscore16", 16)]
    fcn8s = [("upscore2", 2), ("upscore_pool4", 2), ("upscore8", 8)]
    network(g, "fcn32s", Fcn(fcn32s), (2, 3, 33, 58))
    network(g, "fcn16s", Fcn(fcn16s), (2, 3, 33, 58))
    network(g, "fcn8s", Fcn(fcn8s), (2, 3, 33, 58))
    network(g, "fcn8s, nearest", Fcn(fcn8s, "nearest"), (2, 3, 33, 58))
    network(g, "fcn16s, bilinear", Fcn(fcn16s, "bilinear"), (2, 3, 33, 58))
    network(g, "fcn8s, nails", Fcn(fcn8s, "nails"), (2, 3, 33, 58))
    network(g, "segnet", SegNet(), (2, 3, 33, 58))
    network(g, "unet", UNet(3, 1), (2, 1, 21, 30))
    network(g, "unet, valid", UNet(2, 3, norm=None, padded=False), (1, 3, 44, 52))
    group = lambda features: nn.GroupNorm(2, features)
    network(g, "unet, bilinear, no skip at 1", UNet(2, 2, group, up="bilinear", skips=[True, False]), (2, 2, 16, 13))
    instance = lambda features: nn.GroupNorm(features, features)
    network(g, "unet, nearest", UNet(1, 3, instance, up="nearest"), (2, 3, 9, 8))
    network(g, "unet, unpooling, no skips", UNet(2, 3, up="unpool", skips=[False, False]), (2, 3, 15, 12))
    g.write()
