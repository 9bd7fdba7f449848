"""ResNeXt: a residual bottleneck whose 3×3 convolution is split into many narrow groups.

S. Xie et al., *Aggregated Residual Transformations for Deep Neural Networks*, 2016 (arXiv:1611.05431).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)
GROUPS = 8


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class Bottleneck(nn.Module):
    """1×1, grouped 3×3, 1×1, beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 2 * width
        self.body = nn.Sequential(
            *conv_bn(inputs, width, 1),
            nn.ReLU(),
            *conv_bn(width, width, 3, stride, GROUPS),
            nn.ReLU(),
            *conv_bn(width, outputs, 1),
        )
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_bn(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def build() -> nn.Module:
    channels = 32
    layers = [*conv_bn(INPUT_SHAPE[0], channels, 3), nn.ReLU()]
    for width, stride in ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        layers.append(Bottleneck(channels, width, stride))
        channels = 2 * width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 10))
