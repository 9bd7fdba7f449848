"""SqueezeNet: squeeze the channels, then expand them twice; the head is a convolution, not a linear layer.

F. Iandola et al., *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters*, 2016 (arXiv:1602.07360).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INPUT_SHAPE = (3, 64, 64)


class Fire(nn.Module):
    """A 1×1 squeeze feeds a 1×1 and a 3×3 expansion."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


def build() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(INPUT_SHAPE[0], 64, 3, stride=2, padding=1),
        nn.ReLU(),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        nn.MaxPool2d(3, stride=2, ceil_mode=True),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        nn.MaxPool2d(3, stride=2, ceil_mode=True),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        nn.Dropout(),
        nn.Conv2d(512, 10, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
