"""Layers that several spaces share: convolutions with their BatchNorm, residual sums, zeros, heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution without bias that keeps the size at stride 1, and its BatchNorm."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def conv_bn_relu(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """`conv_bn` and a ReLU."""
    return [*conv_bn(inputs, outputs, kernel, stride, groups), nn.ReLU()]


def relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, a convolution without bias, BatchNorm."""
    return nn.Sequential(nn.ReLU(), *conv_bn(inputs, outputs, kernel, stride))


class Residual(nn.Module):
    """The sum of a body and a shortcut (the input itself where there is none)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to what the body gives."""
        kept: Tensor = x if self.shortcut is None else self.shortcut(x)
        changed: Tensor = self.body(x)
        return changed + kept


class SqueezeExcitation(nn.Module):
    """Scale every channel by a gate: global average, conv1×1, an activation (SiLU), conv1×1, sigmoid."""

    def __init__(self, channels: int, squeezed: int, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.activation = activation or nn.SiLU()
        self.excite = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        scale: Tensor = self.gate(self.excite(self.activation(self.squeeze(self.pool(x)))))
        return scale * x


class Classifier(nn.Module):
    """Global average pooling, dropout and one linear layer: (N, C, H, W) to (N, classes)."""

    def __init__(self, channels: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, classes)."""
        features = self.pool(x).flatten(1)
        if self.dropout is not None:
            features = self.dropout(features)
        logits: Tensor = self.linear(features)
        return logits


class Zero(nn.Module):
    """Zeros in the shape that another edge would give."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.outputs = None if inputs == outputs else outputs
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.outputs is None:
            return x.mul(0.0)
        return x[:, :1].mul(0.0).expand(-1, self.outputs, -1, -1)


class FactorizedReduction(nn.Module):
    """ReLU, two strided conv1×1 on grids one pixel apart, each half the width, and BatchNorm."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.pad = nn.ConstantPad2d((0, 1, 0, 1), 0)
        self.even = nn.Conv2d(inputs, outputs // 2, 1, stride, bias=False)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        x = self.relu(x)
        shifted = self.pad(x)[:, :, 1:, 1:]
        reduced: Tensor = self.norm(torch.cat([self.even(x), self.odd(shifted)], 1))
        return reduced
