"""A network of 914 k parameters, found by a search of zen_resnet.

Score 1.8195 by ensemble@f592713a4c, nsga2-de, seed 0. Genotype:

    SuperConvK3BNRELU(3,32,1,1)SuperResK1K5K1(32,16,2,16,1)SuperResK1K3K1(16,24,1,8,8)SuperResK1K3K1(24,496,2,
    80,1)SuperResK1K3K1(496,168,2,56,1)SuperResK3K3(168,56,2,104,3)SuperConvK1BNRELU(56,8,1,1)
"""

from __future__ import annotations

from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)
STEM, TAIL = 32, 8

# residual blocks: "KXKX" is k×k, k×k; "K1KXK1" is 1×1, k×k, 1×1, twice a sub-layer
# kind, k, stride, channels, bottleneck, sub-layers
BLOCKS = (
    ("K1KXK1", 5, 2, 16, 16, 1),
    ("K1KXK1", 3, 1, 24, 8, 8),
    ("K1KXK1", 3, 2, 496, 80, 1),
    ("K1KXK1", 3, 2, 168, 56, 1),
    ("KXKX", 3, 2, 56, 104, 3),
)


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs, eps=1e-3)]


class Residual(nn.Module):
    """ReLU of the sum of a body and a shortcut."""

    def __init__(self, body: list[nn.Module], shortcut: list[nn.Module]) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)
        self.shortcut = nn.Sequential(*shortcut)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.shortcut(x) + self.body(x))
        return x


def body(kind: str, k: int, stride: int, inputs: int, outputs: int, narrow: int) -> list[nn.Module]:
    if kind == "KXKX":
        return [*conv_bn(inputs, narrow, k, stride), nn.ReLU(), *conv_bn(narrow, outputs, k)]
    middle = [nn.ReLU(), *conv_bn(narrow, narrow, k, stride), nn.ReLU()]
    return [*conv_bn(inputs, narrow, 1), *middle, *conv_bn(narrow, outputs, 1)]


def super_block(
    kind: str, k: int, stride: int, inputs: int, outputs: int, narrow: int, sub_layers: int
) -> list[nn.Module]:
    """The first residual block strides and has a convolution as its shortcut, the others the input itself."""
    projection = [nn.Conv2d(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs, eps=1e-3)]
    layers: list[nn.Module] = [Residual(body(kind, k, stride, inputs, outputs, narrow), projection)]
    for _ in range(1, sub_layers * (1 if kind == "KXKX" else 2)):
        layers.append(Residual(body(kind, k, 1, outputs, outputs, narrow), []))
    return layers


def build(num_classes: int = 100) -> nn.Module:
    layers, width = [*conv_bn(3, STEM, 3), nn.ReLU()], STEM
    for kind, k, stride, channels, bottleneck, sub_layers in BLOCKS:
        layers += super_block(kind, k, stride, width, channels, bottleneck, sub_layers)
        width = channels
    layers += [*conv_bn(width, TAIL, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(TAIL, num_classes))
