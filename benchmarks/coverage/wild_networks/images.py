"""Convolutional networks for images: pytorchcv, efficientnet-pytorch, geffnet, resnest and kornia."""

from __future__ import annotations

from typing import Any

import geffnet
from efficientnet_pytorch import EfficientNet
from pytorchcv import model_provider
from resnest import torch as resnest
from torch import nn

from benchmarks.coverage.wild_networks.recipe import image, table


def _pytorchcv(name: str, size: int) -> nn.Module:
    """A network whose last pool takes any map, so that a small image does."""
    network = model_provider.get_model(name, in_size=(size, size))
    for part in network.modules():
        if isinstance(getattr(part, "final_pool", None), nn.AvgPool2d):
            part.final_pool = nn.AdaptiveAvgPool2d(1)
    return network


def _pairs(pairs: dict[str, tuple[str, str]], size: int) -> dict[str, tuple[Any, ...]]:
    return {
        kind: (_pytorchcv, {"name": plain, "size": size}, {"name": other})
        for kind, (plain, other) in pairs.items()
    }


_IMAGENET = {
    "airnet": ("airnet50_1x64d_r16", "airnet50_1x64d_r2"),
    "bagnet": ("bagnet9", "bagnet17"),
    "bam_resnet": ("bam_resnet18", "bam_resnet34"),
    "cbam_resnet": ("cbam_resnet18", "cbam_resnet34"),
    "condensenet": ("condensenet74_c4_g4", "condensenet74_c8_g8"),
    "darknet": ("darknet_ref", "darknet_tiny"),
    "diaresnet": ("diaresnet10", "diaresnet12"),
    "dicenet": ("dicenet_wd5", "dicenet_wd2"),
    "diracnet": ("diracnet18v2", "diracnet34v2"),
    "dla": ("dla34", "dla46c"),
    "drn": ("drnd22", "drnd38"),
    "fishnet": ("fishnet99", "fishnet150"),
    "ibn_resnet": ("ibn_resnet50", "ibn_resnet101"),
    "igcv3": ("igcv3_wd4", "igcv3_wd2"),
    "isqrtcovresnet": ("isqrtcovresnet18", "isqrtcovresnet34"),
    "menet": ("menet108_8x1_g3", "menet128_8x1_g4"),
    "mixnet": ("mixnet_s", "mixnet_m"),
    "octresnet": ("octresnet10_ad2", "octresnet50b_ad2"),
    "preresnet": ("preresnet10", "preresnet12"),
    "resattnet": ("resattnet56", "resattnet92"),
    "resnesta": ("resnestabc14", "resnestabc26"),
    "resneta": ("resneta10", "resneta18"),
    "selecsls": ("selecsls42", "selecsls60"),
    "sharesnet": ("sharesnet18", "sharesnet34"),
    "shufflenet": ("shufflenet_g1_wd4", "shufflenet_g3_wd4"),
    "sknet": ("sknet50", "sknet101"),
    "sparsenet": ("sparsenet121", "sparsenet161"),
    "squeezenext": ("sqnxt23_w1", "sqnxt23v5_w1"),
    "squeezeresnet": ("squeezeresnet_v1_1", "squeezeresnet_v1_0"),
    "vovnet": ("vovnet27s", "vovnet39"),
    "hardnet": ("hardnet39ds", "hardnet68ds"),
    "proxylessnas": ("proxylessnas_cpu", "proxylessnas_gpu"),
    "resnet_narrow": ("resnet18_wd4", "resnet18_wd2"),
    "xdensenet": ("xdensenet121_2", "xdensenet161_2"),
    "espnetv2": ("espnetv2_wd2", "espnetv2_w1"),
    "hrnet": ("hrnet_w18_small_v1", "hrnet_w18_small_v2"),
    "tresnet": ("tresnet_m", "tresnet_l"),
}
_CIFAR = {
    "resnext_cifar": ("resnext20_16x4d_cifar10", "resnext20_32x2d_cifar10"),
    "pyramidnet_cifar": ("pyramidnet110_a48_cifar10", "pyramidnet110_a84_cifar10"),
    "densenet_cifar": ("densenet40_k12_cifar10", "densenet40_k12_bc_cifar10"),
    "ror_cifar": ("ror3_56_cifar10", "ror3_110_cifar10"),
    "shakeshake_cifar": ("shakeshakeresnet20_2x16d_cifar10", "shakeshakeresnet26_2x32d_cifar10"),
    "diaresnet_cifar": ("diaresnet20_cifar10", "diaresnet56_cifar10"),
    "seresnet_cifar": ("seresnet20_cifar10", "seresnet56_cifar10"),
    "preresnet_cifar": ("preresnet20_cifar10", "preresnet56_cifar10"),
}


def _efficientnet(name: str) -> nn.Module:
    return EfficientNet.from_name(name)


def _geffnet(name: str) -> nn.Module:
    return geffnet.create_model(name, pretrained=False)


def _resnest(name: str) -> nn.Module:
    return getattr(resnest, name)(pretrained=False)


NETWORKS = (
    table("pytorchcv", image(), _pairs(_IMAGENET, 64))
    | table("pytorchcv", image(32), _pairs(_CIFAR, 32))
    | table(
        "efficientnet-pytorch",
        image(),
        {
            "efficientnet": (_efficientnet, {"name": "efficientnet-b0"}, {"name": "efficientnet-b1"}),
            "efficientnet_b2": (_efficientnet, {"name": "efficientnet-b2"}, {"name": "efficientnet-b3"}),
        },
    )
    | table(
        "geffnet",
        image(),
        {
            "geffnet_mobilenetv3": (_geffnet, {"name": "mobilenetv3_rw"}, {"name": "mobilenetv3_large_075"}),
            "geffnet_mnasnet": (_geffnet, {"name": "mnasnet_050"}, {"name": "mnasnet_100"}),
            "geffnet_efficientnet_lite": (
                _geffnet,
                {"name": "efficientnet_lite0"},
                {"name": "efficientnet_lite1"},
            ),
        },
    )
    | table(
        "resnest",
        image(),
        {"resnest": (_resnest, {"name": "resnest50_fast_1s1x64d"}, {"name": "resnest50_fast_2s1x64d"})},
    )
)
