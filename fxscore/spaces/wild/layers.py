"""Layers that the families of `wild` share: normalisation, activation, gates, stems, heads, maps to tokens."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fxscore.spaces.layers import Residual, SqueezeExcitation
from fxscore.spaces.wild.choices import CLASSES, Choices

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(c: Choices) -> nn.Module:
    """The network's activation."""
    return ACTIVATIONS[c.activation]()


def norm(c: Choices, channels: int) -> nn.Module:
    """The network's normalisation of maps (N, C, H, W)."""
    if c.norm == "batch":
        return nn.BatchNorm2d(channels)
    if c.norm == "none":
        return nn.Identity()
    # A group of one channel on a map of one pixel would always give zero.
    return nn.GroupNorm(
        fitting(min(8, max(1, channels // 2)), channels) if c.norm == "group" else 1, channels
    )


def vector_norm(c: Choices, channels: int) -> nn.Module:
    """The network's normalisation of vectors (N, C)."""
    return nn.BatchNorm1d(channels) if c.norm == "batch" else norm(c, channels)


def fitting(wanted: int, channels: int) -> int:
    """The largest divisor of `channels` that is at most `wanted`."""
    return next(count for count in range(min(wanted, channels), 0, -1) if channels % count == 0)


def conv(c: Choices, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1; it has a bias where no normalisation follows."""
    shared = fitting(groups, math.gcd(inputs, outputs))
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=shared, bias=c.norm == "none")


def conv_norm(
    c: Choices, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution and normalisation."""
    return [conv(c, inputs, outputs, kernel, stride, groups), norm(c, outputs)]


def conv_unit(
    c: Choices, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution, normalisation, activation."""
    return [*conv_norm(c, inputs, outputs, kernel, stride, groups), activation(c)]


def gate(c: Choices, channels: int) -> list[nn.Module]:
    """The network's attention over channels, if it has one."""
    if c.gate == "se":
        return [SqueezeExcitation(channels, max(1, channels // 4), activation(c))]
    return [EfficientAttention(channels)] if c.gate == "eca" else []


class EfficientAttention(nn.Module):
    """Scale every channel by a gate that a 1-d convolution over the channels' means computes (ECA, Wang 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        means = F.adaptive_avg_pool2d(x, 1).flatten(1)
        scale: Tensor = torch.sigmoid(self.mix(means[:, None])[:, 0])
        return x * scale[:, :, None, None]


def around(c: Choices, body: nn.Module, inputs: int, outputs: int, stride: int) -> nn.Module:
    """The sum of a body and its input, projected where the shapes differ; the body alone where sums are off."""
    if not c.residual:
        return body
    if inputs == outputs and stride == 1:
        return Residual(body)
    return Residual(body, nn.Sequential(*conv_norm(c, inputs, outputs, 1, stride)))


def stem(c: Choices, width: int) -> tuple[list[nn.Module], int]:
    """(layers that see the image, side of the map that they give)."""
    if c.stem.startswith("patch"):
        patch = int(c.stem.removeprefix("patch"))
        cut = nn.Conv2d(1, width, patch, patch, bias=c.norm == "none")
        return [cut, norm(c, width), activation(c)], c.side // patch
    stride = 2 if c.stem == "strided" else 1
    return conv_unit(c, 1, width, 3, stride), halved(c.side, stride)


def halved(side: int, stride: int) -> int:
    """The side of a map after a step of this stride, rounded up as padded convolutions do."""
    return -(-side // stride)


def pool_before(c: Choices) -> nn.Module:
    """The pool that halves a map where blocks do not."""
    return nn.MaxPool2d(2, ceil_mode=True) if c.down == "max" else nn.AvgPool2d(2, ceil_mode=True)


def halve(c: Choices, channels: int) -> list[nn.Module]:
    """A layer of its own that halves a map: a convolution of stride 2, or a pool."""
    return conv_unit(c, channels, channels, 3, 2) if c.down == "stride" else [pool_before(c)]


def head(c: Choices, channels: int, side: int) -> list[nn.Module]:
    """From a map (N, channels, side, side) to (N, classes)."""
    pools: dict[str, list[nn.Module]] = {
        "avg": [nn.AdaptiveAvgPool2d(1)],
        "max": [nn.AdaptiveMaxPool2d(1)],
        "flatten": [],
    }
    features = channels * side * side if c.pool == "flatten" else channels
    return [*pools[c.pool], nn.Flatten(), *classifier(c, features)]


def classifier(c: Choices, features: int) -> list[nn.Module]:
    """From (N, features) to (N, classes), by a hidden layer where one was chosen."""
    if not c.hidden:
        return [nn.Linear(features, CLASSES)]
    return [nn.Linear(features, c.hidden), activation(c), nn.Linear(c.hidden, CLASSES)]


class Parallel(nn.Module):
    """Branches beside each other, their maps concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, sum of the branches' channels, H', W')."""
        return torch.cat([branch(x) for branch in self.branches], 1)
