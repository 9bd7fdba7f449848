"""Convolutional families without residual sums: plain ones, VGG, LeNet, SqueezeNet, Inception, DenseNet."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fxscore.spaces.wild.choices import CLASSES, Choices
from fxscore.spaces.wild.layers import (
    Parallel,
    activation,
    classifier,
    conv,
    conv_unit,
    halve,
    halved,
    head,
    norm,
    stem,
)
from fxscore.spaces.wild.registry import COURSE, family
from fxscore.spaces.wild.stages import grown, halving_blocks, network


@family("plain", *COURSE, "kernel")
def plain(c: Choices) -> nn.Module:
    """One convolution a block."""
    return network(c, _plain_block)


def _plain_block(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(*conv_unit(c, inputs, outputs, c.kernel, stride))


@family("vgg", "width", "growth", "depth", "stages", "kernel", "down", "norm", "activation", "hidden")
def vgg(c: Choices) -> nn.Module:
    """Stages of convolutions, a pool behind each, fully connected layers (Simonyan 2014)."""
    layers: list[nn.Module] = []
    inputs, width, side = 1, c.width, c.side
    for _ in range(c.stages):
        for _ in range(-(-c.depth // c.stages)):
            layers += conv_unit(c, inputs, width, c.kernel)
            inputs = width
        layers += halve(c, width)
        side, width = halved(side, 2), grown(c, width)
    return nn.Sequential(*layers, nn.Flatten(), *classifier(c, inputs * side * side))


@family("lenet", "width", "growth", "stages", "kernel", "down", "norm", "activation", "hidden")
def lenet(c: Choices) -> nn.Module:
    """Unpadded convolutions, each halved by a pool or its stride, then fully connected layers (LeCun 1998)."""
    layers: list[nn.Module] = []
    inputs, width, side = 1, c.width, c.side
    for _ in range(c.stages):
        if side < c.kernel + 1:
            break
        stride = 2 if c.down == "stride" else 1
        layers += [nn.Conv2d(inputs, width, c.kernel, stride), norm(c, width), activation(c)]
        side = (side - c.kernel) // 2 + 1 if stride == 2 else (side - c.kernel + 1) // 2
        layers += [] if stride == 2 else [nn.AvgPool2d(2) if c.down == "avg" else nn.MaxPool2d(2)]
        inputs, width = width, grown(c, width)
    return nn.Sequential(*layers, nn.Flatten(), *classifier(c, inputs * side * side))


@family("all_conv", "width", "growth", "depth", "kernel", "strides", "stem", "norm", "activation")
def all_conv(c: Choices) -> nn.Module:
    """Convolutions alone: strides in place of pools, a 1×1 convolution to the classes (Springenberg 2014)."""
    *layers, pool, flat, linear = network(c, _plain_block)
    last = nn.Conv2d(linear.in_features, CLASSES, 1)  # type: ignore[arg-type]
    return nn.Sequential(*layers, last, pool, flat)


@family("squeezenet", *COURSE, "kernel", "ratio")
def squeezenet(c: Choices) -> nn.Module:
    """Fire blocks: 1×1 to few channels, then 1×1 and k×k beside each other (Iandola 2016)."""
    return network(c, _fire)


def _fire(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    squeezed = max(1, outputs // (1 + c.ratio))
    half = outputs // 2
    wide = nn.Sequential(*conv_unit(c, squeezed, half, c.kernel))
    narrow = nn.Sequential(*conv_unit(c, squeezed, outputs - half, 1))
    return nn.Sequential(*conv_unit(c, inputs, squeezed, 1, stride), Parallel(narrow, wide))


@family("inception", *COURSE, "kernel", "ratio")
def inception(c: Choices) -> nn.Module:
    """1×1, k×k, two k×k and a pool beside each other (Szegedy 2014)."""
    return network(c, _inception_block)


def _inception_block(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    part, inner = max(1, outputs // 4), max(1, outputs // (2 * c.ratio))
    point = nn.Sequential(*conv_unit(c, inputs, outputs - 3 * part, 1, stride))
    once = nn.Sequential(*conv_unit(c, inputs, inner, 1), *conv_unit(c, inner, part, c.kernel, stride))
    twice = nn.Sequential(
        *conv_unit(c, inputs, inner, 1),
        *conv_unit(c, inner, part, c.kernel),
        *conv_unit(c, part, part, c.kernel, stride),
    )
    pooled = nn.Sequential(nn.AvgPool2d(3, stride, 1), *conv_unit(c, inputs, part, 1))
    return Parallel(point, once, twice, pooled)


class DenseLayer(nn.Module):
    """The input and what a body makes of it, concatenated."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C + growth, H, W)."""
        return torch.cat([x, self.body(x)], 1)


@family("densenet", *COURSE, "kernel", "ratio")
def densenet(c: Choices) -> nn.Module:
    """Each layer adds `width` channels to all before it; transitions halve channels and map (Huang 2016)."""
    layers, side = stem(c, 2 * c.width)
    channels, halving = 2 * c.width, halving_blocks(c)
    for place in range(c.depth):
        if place in halving and side >= 4:
            fewer = max(1, int(channels * c.growth / 2))
            layers += [norm(c, channels), activation(c), conv(c, channels, fewer, 1), *halve(c, fewer)]
            channels, side = fewer, halved(side, 2)
        layers.append(DenseLayer(nn.Sequential(*_dense_body(c, channels))))
        channels += c.width
    return nn.Sequential(*layers, norm(c, channels), activation(c), *head(c, channels, side))


def _dense_body(c: Choices, channels: int) -> list[nn.Module]:
    inner = c.ratio * c.width
    point = [norm(c, channels), activation(c), conv(c, channels, inner, 1)]
    return [*point, norm(c, inner), activation(c), conv(c, inner, c.width, c.kernel)]
