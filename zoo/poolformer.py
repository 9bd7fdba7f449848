"""PoolFormer: a transformer whose attention is replaced by average pooling, and loses little.

W. Yu et al., *MetaFormer Is Actually What You Need for Vision*, 2021 (arXiv:2111.11418).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 64, 64)


class PoolMixer(nn.Module):
    """The mean of the 3×3 neighbours, less the cell itself (the shortcut around it adds that again)."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.pool(x)
        return pooled - x


class Block(nn.Module):
    """Mix the neighbours, then the channels; both normalised before, scaled, and added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(1, channels)
        self.mix = PoolMixer()
        self.norm2 = nn.GroupNorm(1, channels)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, 4 * channels, 1), nn.GELU(), nn.Conv2d(4 * channels, channels, 1)
        )
        self.scale1 = nn.Parameter(torch.full((channels, 1, 1), 1e-5))
        self.scale2 = nn.Parameter(torch.full((channels, 1, 1), 1e-5))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale1 * self.mix(self.norm1(x))
        x = x + self.scale2 * self.mlp(self.norm2(x))
        return x


def build() -> nn.Module:
    channels = 32
    layers: list[nn.Module] = [nn.Conv2d(INPUT_SHAPE[0], channels, 7, stride=4, padding=2)]
    for width, depth in ((32, 2), (64, 2), (128, 3), (256, 1)):
        if width != channels:
            layers.append(nn.Conv2d(channels, width, 3, stride=2, padding=1))
            channels = width
        layers += [Block(channels) for _ in range(depth)]
    layers += [nn.GroupNorm(1, channels), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 10))
