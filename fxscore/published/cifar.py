"""Networks for CIFAR-10 and CIFAR-100 as their authors' code builds them, by their papers' numbers.

Where pytorchcv has the network, it is taken from there (`zoo`); what no package has in the form that was trained is
written here, and torchvision's networks with other stems are in `fxscore.published.stems`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fxscore.errors import ModelRefError
from fxscore.spaces.layers import Residual, conv_bn, conv_bn_relu

INPUT_SHAPE = (3, 32, 32)
_VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def zoo(family: str, **options: Any) -> nn.Module:
    """A CIFAR network of pytorchcv (Sémery, MIT).

    Args:
        family: the module `pytorchcv.models.FAMILY_cifar`.
        options: of its `get_FAMILY_cifar`: `num_classes`, `blocks` and others.
    """
    import importlib

    module = importlib.import_module(f"pytorchcv.models.{family}_cifar")
    network: nn.Module = getattr(module, f"get_{family}_cifar")(**options)
    return network


def lenet(classes: int = 10) -> nn.Module:
    """LeNet-5 with ReLU and max pooling."""
    features = [
        nn.Conv2d(3, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
    head = [nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)]
    return nn.Sequential(*features, nn.Flatten(), *head)


def alexnet(classes: int = 10) -> nn.Module:
    """AlexNet's convolutions, a stem of kernel 11 and stride 4, one linear layer."""
    features: list[nn.Module] = [nn.Conv2d(3, 64, 11, 4, 5), nn.ReLU(), nn.MaxPool2d(2)]
    features += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
    for inputs, outputs in ((192, 384), (384, 256), (256, 256)):
        features += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*features, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, classes))


def vgg(
    depth: int, classes: int = 10, norm: bool = True, bias: bool = True, hidden: tuple[int, ...] = ()
) -> nn.Module:
    """VGG with a pooling behind each of five stages, so that one pixel of 512 channels is left.

    Args:
        depth: 11, 13, 16 or 19, as ImageNet's network with its three linear layers is called.
        classes: the number of logits.
        norm: BatchNorm behind each convolution.
        bias: of the convolutions.
        hidden: widths of linear layers with ReLU before the last.
    """
    layers: list[nn.Module] = []
    channels = 3
    for stage, count in enumerate(_VGG[depth]):
        width = min(64 * 2**stage, 512)
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=bias)]
            layers += [nn.BatchNorm2d(width), nn.ReLU()] if norm else [nn.ReLU()]
            channels = width
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), *_perceptron((512, *hidden), classes))


def _perceptron(widths: tuple[int, ...], classes: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return [*layers, nn.Linear(widths[-1], classes)]


class PaddedShortcut(nn.Module):
    """Every `stride`-th pixel, and zeros for the channels that are new: a shortcut without parameters."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C + new, H / stride, W / stride)."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def resnet(depth: int, width: int = 1, classes: int = 10) -> nn.Module:
    """ResNet-(6n + 2): basic blocks of 16, 32, 64 times `width` channels, a stem of 16, bare shortcuts."""
    layers, channels = conv_bn_relu(3, 16, 3), 16
    for stage in range(3):
        outputs = 16 * width * 2**stage
        for block in range((depth - 2) // 6):
            layers += [_basic(channels, outputs, 2 if stage and not block else 1), nn.ReLU()]
            channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def _basic(inputs: int, outputs: int, stride: int) -> nn.Module:
    body = nn.Sequential(*conv_bn_relu(inputs, outputs, 3, stride), *conv_bn(outputs, outputs, 3))
    same = stride == 1 and inputs == outputs
    return Residual(body, None if same else PaddedShortcut(outputs - inputs, stride))


class GatherExcite(nn.Module):
    """GE-θ+ of full extent: a depthwise convolution over the whole map, BatchNorm, two conv1×1, a sigmoid gate."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.gather = nn.Conv2d(channels, channels, side, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.squeeze = nn.Conv2d(channels, channels // 16, 1, bias=False)
        self.excite = nn.Conv2d(channels // 16, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, side, side) to the same shape."""
        return x * torch.sigmoid(self.excite(F.relu(self.squeeze(self.norm(self.gather(x))))))


def _attention(kind: str, channels: int, side: int) -> list[nn.Module]:
    from timm.layers.cbam import CbamModule  # not among timm.layers' own names (seen in 1.0.31)
    from timm.layers.squeeze_excite import SEModule

    if kind == "none":
        return []
    if kind == "se":
        return [SEModule(channels, rd_channels=channels // 16)]
    if kind == "cbam":
        return [CbamModule(channels, rd_channels=channels // 16, mlp_bias=True)]
    if kind == "ge":
        return [GatherExcite(channels, side)]
    raise ModelRefError(f"attention={kind!r} is none of none, se, cbam, ge")


def resnext29(attention: str = "none", cardinality: int = 16, classes: int = 10) -> nn.Module:
    """ResNeXt-29, 64 channels a group, with attention behind each block's body.

    Args:
        attention: `none`, `se`, `cbam` or `ge`, each of a sixteenth of the channels.
        cardinality: groups of the 3×3 convolutions.
        classes: the number of logits.
    """
    layers, channels = conv_bn_relu(3, 64, 3), 64
    for stage in range(3):
        outputs, inner = 256 * 2**stage, cardinality * 64 * 2**stage
        for block in range(3):
            stride = 2 if stage and not block else 1
            body = [*conv_bn_relu(channels, inner, 1), *conv_bn_relu(inner, inner, 3, stride, cardinality)]
            body += [*conv_bn(inner, outputs, 1), *_attention(attention, outputs, 32 >> stage)]
            shortcut = None if block else nn.Sequential(*conv_bn(channels, outputs, 1, stride))
            layers += [Residual(nn.Sequential(*body), shortcut), nn.ReLU()]
            channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
