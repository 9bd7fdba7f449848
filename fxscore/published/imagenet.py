"""Networks for ImageNet that neither timm nor torchvision has by name."""

from __future__ import annotations

from torch import nn

INPUT_SHAPE = (3, 224, 224)


def resnext152(groups: int = 32, width_per_group: int = 4) -> nn.Module:
    """ResNeXt-152, 32×4d: ResNet-152's depths with ResNeXt's blocks."""
    from torchvision.models.resnet import Bottleneck, ResNet

    network: nn.Module = ResNet(Bottleneck, [3, 8, 36, 3], groups=groups, width_per_group=width_per_group)
    return network
