"""Inception: look at the same map through four windows at once, and lay the answers side by side.

C. Szegedy et al., *Going Deeper with Convolutions*, 2014 (arXiv:1409.4842), with batch normalisation and two
3×3 convolutions in place of the 5×5 (arXiv:1512.00567).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 64, 64)


def conv_bn_relu(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


class Inception(nn.Module):
    """Four branches with fields of view 1, 3, 5 and a pool; each yields `width` channels."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.point = conv_bn_relu(inputs, width, 1)
        self.small = nn.Sequential(conv_bn_relu(inputs, width // 2, 1), conv_bn_relu(width // 2, width, 3))
        self.large = nn.Sequential(
            conv_bn_relu(inputs, width // 2, 1),
            conv_bn_relu(width // 2, width, 3),
            conv_bn_relu(width, width, 3),
        )
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_bn_relu(inputs, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.point(x), self.small(x), self.large(x), self.pool(x)], dim=1)


def build() -> nn.Module:
    return nn.Sequential(
        conv_bn_relu(INPUT_SHAPE[0], 32, 3, stride=2),
        conv_bn_relu(32, 64, 3),
        nn.MaxPool2d(3, stride=2, padding=1),
        Inception(64, 24),
        Inception(96, 32),
        nn.MaxPool2d(3, stride=2, padding=1),
        Inception(128, 40),
        Inception(160, 48),
        Inception(192, 56),
        nn.MaxPool2d(3, stride=2, padding=1),
        Inception(224, 64),
        Inception(256, 80),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(320, 10),
    )
