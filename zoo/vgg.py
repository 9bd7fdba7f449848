"""A plain stack of 3×3 convolutions, halved five times: no branch, no shortcut.

K. Simonyan, A. Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, 2014
(arXiv:1409.1556), with batch normalisation.
"""

from __future__ import annotations

from torch import nn

INPUT_SHAPE = (3, 32, 32)
WIDTHS = ((32,), (64,), (128, 128), (256, 256), (256, 256))


def conv_bn_relu(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]


def build() -> nn.Module:
    layers: list[nn.Module] = []
    channels = INPUT_SHAPE[0]
    for stage in WIDTHS:
        for width in stage:
            layers += conv_bn_relu(channels, width)
            channels = width
        layers.append(nn.MaxPool2d(2))
    classifier = [nn.Flatten(), nn.Linear(channels, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 10)]
    return nn.Sequential(*layers, *classifier)
