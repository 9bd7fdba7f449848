"""ConvMixer: patches, then a depthwise convolution for space and a pointwise one for channels, repeated.

A. Trockman, J. Z. Kolter, *Patches Are All You Need?*, 2022 (arXiv:2201.09792).
"""

from __future__ import annotations

from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)


class Residual(nn.Module):
    """A body beside a shortcut."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return x + out


def build(channels: int = 96, depth: int = 6, kernel: int = 5, patch: int = 2) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(INPUT_SHAPE[0], channels, patch, stride=patch)]
    layers += [nn.GELU(), nn.BatchNorm2d(channels)]
    for _ in range(depth):
        depthwise = nn.Conv2d(channels, channels, kernel, padding="same", groups=channels)
        layers += [Residual(depthwise, nn.GELU(), nn.BatchNorm2d(channels))]
        layers += [nn.Conv2d(channels, channels, 1), nn.GELU(), nn.BatchNorm2d(channels)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
