"""Layers that several spaces share: convolution-BatchNorm pairs and inverted residual blocks."""

from __future__ import annotations

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
    """Scale every channel by a gate: global average, conv1×1, SiLU, conv1×1, sigmoid."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.activation = nn.SiLU()
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
