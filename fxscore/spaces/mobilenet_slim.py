"""MobileNetV1 and V2 by width and image side, as TF-slim trained them for ImageNet (Howard et al. 2017, Sandler 2018).

Text form: `version=2,width=0.75,side=160`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.layers import Classifier, conv_bn_relu
from fxscore.types import Shape

_PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


@dataclass(frozen=True)
class MobileNet:
    """The version (1 or 2), the width multiplier and the side of the image in pixels."""

    version: int
    width: float
    side: int


class MobileNetSlim(SearchSpace[MobileNet]):
    """The networks of both versions, a thousand classes; every network has its own image size."""

    name = "mobilenet_slim"
    input_shape = (3, 224, 224)
    variables = (
        Variable("version", (1, 2)),
        Variable("width", (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4), ordered=True),
        Variable("side", (96, 128, 160, 192, 224), ordered=True),
    )

    def shape_of(self, genotype: MobileNet) -> Shape:
        """3×side×side."""
        return (3, genotype.side, genotype.side)

    def family_of(self, genotype: MobileNet) -> str:
        """`mobilenet_v1` or `mobilenet_v2`."""
        return f"mobilenet_v{genotype.version}"

    def values_of(self, genotype: MobileNet) -> tuple[Value, ...]:
        """Version, width and side."""
        return (genotype.version, genotype.width, genotype.side)

    def from_values(self, values: tuple[Value, ...]) -> MobileNet:
        """Read what `values_of` gives."""
        return MobileNet(int(values[0]), float(values[1]), int(values[2]))

    def build(self, genotype: MobileNet) -> nn.Module:
        """The network; V2 is torchvision's."""
        if genotype.version == 1:
            return _mobilenet_v1(genotype.width)
        from torchvision.models import mobilenet_v2

        network: nn.Module = mobilenet_v2(width_mult=genotype.width)
        return network


def _mobilenet_v1(width: float) -> nn.Module:
    channels = int(32 * width)
    layers = conv_bn_relu(3, channels, 3, 2)
    for plain, stride in _PAIRS:
        outputs = int(plain * width)
        layers += [
            *conv_bn_relu(channels, channels, 3, stride, channels),
            *conv_bn_relu(channels, outputs, 1),
        ]
        channels = outputs
    return nn.Sequential(*layers, Classifier(channels, 1000))
