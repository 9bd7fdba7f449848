"""torchvision's networks for ImageNet with a stem for images of 32×32, as they were trained on CIFAR."""

from __future__ import annotations

from typing import Any

from torch import nn

INPUT_SHAPE = (3, 32, 32)
_STEM_WIDTHS = {"densenet121": 64, "densenet161": 96, "densenet169": 64}
_MOBILE = [
    [1, 16, 1, 1],
    [6, 24, 2, 1],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]


def _torchvision(name: str, **options: Any) -> Any:
    from torchvision import models

    return models.get_model(name, weights=None, **options)


def _stem(width: int) -> nn.Conv2d:
    return nn.Conv2d(3, width, 3, padding=1, bias=False)


def resnet(name: str, classes: int = 10, pool: bool = True) -> nn.Module:
    """A ResNet whose stem is a 3×3 convolution of stride 1; `pool` keeps the max pooling behind it."""
    network = _torchvision(name, num_classes=classes)
    network.conv1 = _stem(64)
    network.maxpool = network.maxpool if pool else nn.Identity()
    return network  # type: ignore[no-any-return]


def densenet(name: str, classes: int = 10) -> nn.Module:
    """A DenseNet whose stem is a 3×3 convolution of stride 1; the max pooling behind it stays."""
    network = _torchvision(name, num_classes=classes)
    network.features.conv0 = _stem(_STEM_WIDTHS[name])
    return network  # type: ignore[no-any-return]


def vgg(name: str, classes: int = 10) -> nn.Module:
    """A VGG whose linear layers begin at one pixel of 512 channels."""
    network = _torchvision(name, num_classes=classes)
    network.avgpool, network.classifier[0] = nn.AdaptiveAvgPool2d(1), nn.Linear(512, 4096)
    return network  # type: ignore[no-any-return]


def mobilenet_v2(classes: int = 10) -> nn.Module:
    """MobileNetV2 with stride 1 in the stem and in the second stage."""
    network = _torchvision("mobilenet_v2", num_classes=classes, inverted_residual_setting=_MOBILE)
    network.features[0][0] = _stem(32)
    return network  # type: ignore[no-any-return]


def googlenet(classes: int = 10) -> nn.Module:
    """GoogLeNet whose stem is one 3×3 convolution to 192 channels."""
    from torchvision.models.googlenet import BasicConv2d

    network = _torchvision("googlenet", num_classes=classes, aux_logits=False, init_weights=False)
    network.conv1 = BasicConv2d(3, 192, kernel_size=3, padding=1)
    for name in ("maxpool1", "conv2", "conv3", "maxpool2"):
        setattr(network, name, nn.Identity())
    network.maxpool3, network.maxpool4 = nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(3, 2, 1)
    return network  # type: ignore[no-any-return]


def inception_v3(classes: int = 10) -> nn.Module:
    """Inception v3 whose stem is one 3×3 convolution to 192 channels."""
    from torchvision.models.inception import BasicConv2d

    network = _torchvision("inception_v3", num_classes=classes, aux_logits=False, init_weights=False)
    network.Conv2d_1a_3x3 = BasicConv2d(3, 192, kernel_size=3, padding=1)
    for name in ("Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"):
        setattr(network, name, nn.Identity())
    return network  # type: ignore[no-any-return]
