"""DenseNet-BC: each layer reads the outputs of all the layers before it.

G. Huang et al., *Densely Connected Convolutional Networks*, 2017 (arXiv:1608.06993).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)
GROWTH = 12


def norm_relu_conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), conv)


class DenseLayer(nn.Module):
    """A 1×1 bottleneck, then a 3×3 convolution whose few channels are appended to the input."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.bottleneck = norm_relu_conv(inputs, 4 * GROWTH, kernel=1)
        self.conv = norm_relu_conv(4 * GROWTH, GROWTH, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(self.bottleneck(x))], dim=1)


def build() -> nn.Module:
    channels = 2 * GROWTH
    layers: list[nn.Module] = [nn.Conv2d(INPUT_SHAPE[0], channels, 3, padding=1, bias=False)]
    for stage in range(3):
        if stage > 0:  # a transition halves the channels and the resolution
            layers += [norm_relu_conv(channels, channels // 2, kernel=1), nn.AvgPool2d(2)]
            channels //= 2
        for _ in range(6):
            layers.append(DenseLayer(channels))
            channels += GROWTH
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 10))
