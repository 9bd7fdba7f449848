"""Networks that label pixels: segmentation-models-pytorch, pytorchcv and kornia."""

from __future__ import annotations

from functools import partial

import segmentation_models_pytorch as smp
from kornia.models.rrdbnet import RRDBNet
from pytorchcv import model_provider
from pytorchcv.models.segnet import SegNet
from pytorchcv.models.unet import UNet
from torch import nn

from benchmarks.coverage.wild_networks.recipe import image, table


def _smp(name: str, encoder: str = "resnet18") -> nn.Module:
    return getattr(smp, name)(encoder, encoder_weights=None)


def _pytorchcv(name: str, size: int = 64) -> nn.Module:
    return model_provider.get_model(name, in_size=(size, size))


_DEEPER = {"encoder": "resnet34"}
_SMP = "Unet UnetPlusPlus FPN PSPNet Linknet MAnet DeepLabV3 DeepLabV3Plus UPerNet".split()
_ENCODERS = {
    "mobilenet": ("Unet", "mobilenet_v2", "resnet18"),
    "efficientnet": ("Unet", "efficientnet-b0", "efficientnet-b1"),
    "densenet": ("FPN", "densenet121", "densenet169"),
    "vgg": ("Unet", "vgg11_bn", "vgg13_bn"),
    "mix_transformer": ("Unet", "mit_b0", "mit_b1"),
    "xception": ("FPN", "xception", "resnet34"),
    "mobileone": ("FPN", "mobileone_s0", "mobileone_s1"),
    "senet": ("Linknet", "se_resnet50", "se_resnext50_32x4d"),
    "segformer": ("Segformer", "mit_b0", "mit_b1"),
    "dpt": ("DPT", "tu-vit_tiny_patch16_224", "tu-vit_small_patch16_224"),
}
_PYTORCHCV = {
    "fcn8sd": ("fcn8sd_resnetd50b_voc", "fcn8sd_resnetd101b_voc"),
    "pspnet_resnetd": ("pspnet_resnetd50b_voc", "pspnet_resnetd101b_voc"),
    "deeplabv3_resnetd": ("deeplabv3_resnetd50b_voc", "deeplabv3_resnetd101b_voc"),
    "danet": ("danet_resnetd50b_cityscapes", "danet_resnetd101b_cityscapes"),
}
_SEGNET = {
    "channels": ((8, 16, 16, 16, 16), (16, 16, 16, 8, 8)),
    "layers": ((2, 2, 2, 2, 2), (2, 2, 2, 2, 2)),
}
_UNET = {"channels": ((16, 32, 32, 32), (32, 32, 16, 8)), "init_block_channels": 8}

NETWORKS = (
    table(
        "segmentation-models-pytorch",
        image(),
        {name.lower(): (partial(_smp, name), {}, _DEEPER) for name in _SMP}
        | {
            f"{name.lower()}_{kind}": (partial(_smp, name), {"encoder": plain}, {"encoder": other})
            for kind, (name, plain, other) in _ENCODERS.items()
            if name != "DPT"
        },
    )
    | table(
        "segmentation-models-pytorch",
        image(224),
        {"dpt": (partial(_smp, "DPT"), {"encoder": _ENCODERS["dpt"][1]}, {"encoder": _ENCODERS["dpt"][2]})},
    )
    | table(
        "pytorchcv",
        image(),
        {kind: (_pytorchcv, {"name": plain}, {"name": other}) for kind, (plain, other) in _PYTORCHCV.items()}
        | {
            "segnet": (
                SegNet,
                {**_SEGNET, "in_size": (64, 64)},
                {"layers": ((2, 3, 2, 2, 2), (2, 2, 2, 2, 2))},
            ),
            "unet_plain": (
                UNet,
                {**_UNET, "in_size": (64, 64)},
                {"channels": ((16, 32, 48, 48), (48, 32, 16, 8))},
            ),
        },
    )
    | table(
        "kornia",
        image(),
        {
            "super_resolution": (
                RRDBNet,
                {"num_in_ch": 3, "num_out_ch": 3, "num_feat": 8, "num_block": 1, "num_grow_ch": 4},
                {"num_block": 2},
            )
        },
    )
)
