"""Small networks for the proxies' tests."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHAPE = (3, 8, 8)


def small_net() -> nn.Sequential:
    """conv-BN-ReLU, pool, conv, global average, linear."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    )


class Functional(nn.Module):
    """`small_net` without modules for what has no weights, convolutions on bare parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(4, 3, 3, 3))
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Parameter(torch.randn(6, 4, 3, 3))
        self.bias = nn.Parameter(torch.zeros(6))
        self.head = nn.Parameter(torch.randn(5, 6))
        self.head_bias = nn.Parameter(torch.zeros(5))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 5)."""
        x = F.max_pool2d(F.relu(self.norm(F.conv2d(x, self.first, padding=1))), 2)
        x = F.relu(F.conv2d(x, self.second, self.bias, stride=2, padding=1))
        return F.linear(x.mean((2, 3)), self.head, self.head_bias)


class Returns(nn.Module):
    """A network with its output wrapped by a function."""

    def __init__(self, network: nn.Module, wrap: Any) -> None:
        super().__init__()
        self.network, self.wrap = network, wrap

    def forward(self, x: Tensor) -> Any:
        """Whatever `wrap` makes of the output."""
        return self.wrap(self.network(x))


class Attention(nn.Module):
    """Patches, a class token, one transformer layer, the token's linear head."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.layer = nn.TransformerEncoderLayer(
            width, 2, 16, activation="gelu", batch_first=True, dropout=0.1
        )
        self.head = nn.Linear(width, 5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 5)."""
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = self.layer(torch.cat([self.token.expand(len(x), -1, -1), tokens], 1))
        logits: Tensor = self.head(tokens[:, 0])
        return logits


class Blind(nn.Module):
    """A network whose output does not depend on its input."""

    def __init__(self) -> None:
        super().__init__()
        self.network = small_net()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 5)."""
        out: Tensor = self.network(x * 0)
        return out
