"""MobileNetV2: thin at the ends, wide in the middle, and the middle is depthwise.

M. Sandler et al., *MobileNetV2: Inverted Residuals and Linear Bottlenecks*, 2018 (arXiv:1801.04381).
"""

from __future__ import annotations

from torch import Tensor, nn

INPUT_SHAPE = (3, 64, 64)

#         expansion, channels, blocks, stride of the first block
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 2, 2), (6, 64, 3, 2), (6, 96, 2, 1), (6, 160, 1, 2))


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    """Expand by 1×1, filter each channel by 3×3, project by a 1×1 without activation."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [*conv_bn(inputs, hidden, 1), nn.ReLU6()] if expansion > 1 else []
        depthwise = [*conv_bn(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6()]
        self.body = nn.Sequential(*expand, *depthwise, *conv_bn(hidden, outputs, 1))
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return x + out if self.has_shortcut else out


def build() -> nn.Module:
    channels = 32
    layers = [*conv_bn(INPUT_SHAPE[0], channels, 3, stride=2), nn.ReLU6()]
    for expansion, width, blocks, stride in STAGES:
        for block in range(blocks):
            layers.append(InvertedResidual(channels, width, stride if block == 0 else 1, expansion))
            channels = width
    layers += [*conv_bn(channels, 640, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Dropout(0.2), nn.Linear(640, 10))
