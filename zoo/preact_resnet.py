"""Pre-activation ResNet: norm and ReLU come before each convolution, so the shortcut is a clean identity.

K. He et al., *Identity Mappings in Deep Residual Networks*, 2016 (arXiv:1603.05027).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)


class PreActBlock(nn.Module):
    """BN-ReLU-conv twice; where the shape changes, the shortcut leaves after the first ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        changes = stride > 1 or inputs != outputs
        self.projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.relu(self.bn1(x))
        shortcut = x if self.projection is None else self.projection(out)
        out = self.conv1(out)
        out = self.conv2(torch.relu(self.bn2(out))) + shortcut
        return out


def build() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(INPUT_SHAPE[0], 16, 3, padding=1, bias=False)]
    channels = 16
    for width, stride in ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        layers.append(PreActBlock(channels, width, stride))
        channels = width
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 10))
