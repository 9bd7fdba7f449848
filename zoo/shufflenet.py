"""ShuffleNetV2: half of the channels work, the other half passes by, then the two are shuffled.

N. Ma et al., *ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design*, 2018
(arXiv:1807.11164).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 64, 64)


def pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def depthwise(channels: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels, channels, 3, stride, padding=1, groups=channels, bias=False)
    return [conv, nn.BatchNorm2d(channels)]


def shuffle_channels(x: Tensor, groups: int = 2) -> Tensor:
    """Interleave the channels of the groups: 1 2 3 | a b c becomes 1 a 2 b 3 c."""
    batch, channels, height, width = x.shape
    grouped = x.view(batch, groups, channels // groups, height, width)
    return grouped.transpose(1, 2).reshape(batch, channels, height, width)


class Unit(nn.Module):
    """The stride-1 unit: split, work on one half, join, shuffle."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.work = nn.Sequential(*pointwise(half, half), *depthwise(half, 1), *pointwise(half, half))

    def forward(self, x: Tensor) -> Tensor:
        passing, working = x.chunk(2, dim=1)
        return shuffle_channels(torch.cat([passing, self.work(working)], dim=1))


class DownUnit(nn.Module):
    """The stride-2 unit: both branches read the whole input, so the channels grow."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(*depthwise(inputs, 2), *pointwise(inputs, half))
        self.right = nn.Sequential(*pointwise(inputs, half), *depthwise(half, 2), *pointwise(half, half))

    def forward(self, x: Tensor) -> Tensor:
        return shuffle_channels(torch.cat([self.left(x), self.right(x)], dim=1))


def build() -> nn.Module:
    channels = 24
    stem = nn.Conv2d(INPUT_SHAPE[0], channels, 3, stride=2, padding=1, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(channels), nn.ReLU()]
    for width, repeats in ((64, 3), (128, 5), (256, 3)):
        layers += [DownUnit(channels, width), *(Unit(width) for _ in range(repeats))]
        channels = width
    layers += [*pointwise(channels, 512), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(512, 10))
