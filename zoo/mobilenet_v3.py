"""MobileNetV3 (small): inverted residuals with squeeze-and-excite gates and hard-swish.

A. Howard et al., *Searching for MobileNetV3*, 2019 (arXiv:1905.02244), table 2.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

INPUT_SHAPE = (3, 64, 64)


class Block(NamedTuple):
    """One row of the paper's table."""

    kernel: int
    hidden: int
    outputs: int
    gated: bool
    activation: type[nn.Module]
    stride: int


BLOCKS = (
    Block(3, 16, 16, True, nn.ReLU, 2),
    Block(3, 72, 24, False, nn.ReLU, 2),
    Block(3, 88, 24, False, nn.ReLU, 1),
    Block(5, 96, 40, True, nn.Hardswish, 2),
    Block(5, 240, 40, True, nn.Hardswish, 1),
    Block(5, 120, 48, True, nn.Hardswish, 1),
    Block(5, 288, 96, True, nn.Hardswish, 2),
    Block(5, 576, 96, True, nn.Hardswish, 1),
)


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class SqueezeExcite(nn.Module):
    """Multiply each channel by a gate computed from the mean of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(8, channels // 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.ReLU(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.gate(x)
        return x * gate


class InvertedResidual(nn.Module):
    """Expand, filter each channel, gate, project; with a shortcut where the shape allows it."""

    def __init__(self, inputs: int, block: Block) -> None:
        super().__init__()
        layers = [*conv_bn(inputs, block.hidden, 1), block.activation()]
        layers += [*conv_bn(block.hidden, block.hidden, block.kernel, block.stride, groups=block.hidden)]
        layers += [block.activation()]
        if block.gated:
            layers.append(SqueezeExcite(block.hidden))
        self.body = nn.Sequential(*layers, *conv_bn(block.hidden, block.outputs, 1))
        self.has_shortcut = block.stride == 1 and inputs == block.outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return x + out if self.has_shortcut else out


def build() -> nn.Module:
    channels = 16
    layers = [*conv_bn(INPUT_SHAPE[0], channels, 3, stride=2), nn.Hardswish()]
    for block in BLOCKS:
        layers.append(InvertedResidual(channels, block))
        channels = block.outputs
    layers += [*conv_bn(channels, 576, 1), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(576, 512), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(512, 10))
