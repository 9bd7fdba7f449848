"""ConvNeXt: a ResNet that has learned from transformers — 7×7 depthwise, LayerNorm, GELU, layer scale.

Z. Liu et al., *A ConvNet for the 2020s*, 2022 (arXiv:2201.03545).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INPUT_SHAPE = (3, 64, 64)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of a `(B, C, H, W)` tensor."""

    def forward(self, input: Tensor) -> Tensor:
        channels_last = super().forward(input.permute(0, 2, 3, 1))
        return channels_last.permute(0, 3, 1, 2)


class Block(nn.Module):
    """Depthwise 7×7 in space, then an MLP over the channels, scaled and added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand = nn.Linear(channels, 4 * channels)
        self.project = nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.depthwise(x).permute(0, 2, 3, 1)
        out = self.project(F.gelu(self.expand(self.norm(out))))
        return x + (self.scale * out).permute(0, 3, 1, 2)


def build() -> nn.Module:
    channels = 40
    stem = nn.Conv2d(INPUT_SHAPE[0], channels, 4, stride=4)
    layers: list[nn.Module] = [stem, ChannelNorm(channels, eps=1e-6)]
    for width, depth in ((40, 2), (80, 2), (160, 4), (320, 1)):
        if width != channels:
            layers += [ChannelNorm(channels, eps=1e-6), nn.Conv2d(channels, width, 2, stride=2)]
            channels = width
        layers += [Block(channels) for _ in range(depth)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(channels, eps=1e-6)]
    return nn.Sequential(*layers, nn.Linear(channels, 10))
