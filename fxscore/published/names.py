"""Ordinary CIFAR networks by the names that the tables call them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fxscore.published.places import NoTask, TaskPlace, classes_of, data_set_of, python_ref
from fxscore.spaces.files.csv_rows import CsvRow
from fxscore.types import ModelRef

Options = dict[str, Any]


def _zoo(family: str, **options: Any) -> Callable[[int], ModelRef]:
    return lambda classes: python_ref("cifar:zoo", family=family, num_classes=classes, **options)


def _own(name: str, **options: Any) -> Callable[[int], ModelRef]:
    return lambda classes: python_ref(name, classes=classes, **options)


def _residual(
    family: str, blocks: int, bottleneck: bool = False, **options: Any
) -> Callable[[int], ModelRef]:
    return _zoo(family, blocks=blocks, bottleneck=bottleneck, **options)


def _dense(blocks: int, growth: int, bottleneck: bool = True) -> Callable[[int], ModelRef]:
    return _zoo("densenet", blocks=blocks, growth_rate=growth, bottleneck=bottleneck)


def _resnext(cardinality: int, width: int = 64) -> Callable[[int], ModelRef]:
    return _zoo("resnext", blocks=29, cardinality=cardinality, bottleneck_width=width)


_BEARPAW = {
    "alexnet": _own("cifar:alexnet"),
    "vgg19_bn": _own("cifar:vgg", depth=19),
    "ResNet-110": _residual("resnet", 110),
    "PreResNet-110": _residual("preresnet", 110),
    "WRN-28-10 (drop 0.3)": _zoo("wrn", blocks=28, width_factor=10),
    "ResNeXt-29, 8x64": _resnext(8),
    "ResNeXt-29, 16x64": _resnext(16),
    "DenseNet-BC (L=100, k=12)": _dense(100, 12),
    "DenseNet-BC (L=190, k=40)": _dense(190, 40),
}
_BIGBALLON = {
    "Lecun": _own("cifar:lenet"),
    "alexnet": _own("cifar:alexnet"),
    "vgg19": _own("cifar:vgg", depth=19),
    **{f"preresnet{depth}": _residual("preresnet", depth) for depth in (20, 110, 1202)},
    "densenet100bc": _dense(100, 12),
    "densenet190bc": _dense(190, 40),
    "resnext29_16x64d": _resnext(16),
    **{f"{kind}_resnext29_16x64d": _own("cifar:resnext29", attention=kind) for kind in ("se", "cbam", "ge")},
}
_HYSTS = {
    "ResNet-110": _residual("resnet", 110),
    "ResNet-preact-110": _residual("preresnet", 110),
    "ResNet-preact-164 bottleneck": _residual("preresnet", 164, True),
    "WRN-28-10": _zoo("wrn", blocks=28, width_factor=10),
    "DenseNet-100 (k=12)": _dense(100, 12, False),
    "DenseNet-BC-100 (k=12)": _dense(100, 12),
    "PyramidNet-110 (alpha=84)": _residual("pyramidnet", 110, alpha=84),
    "PyramidNet-110 (alpha=270)": _residual("pyramidnet", 110, alpha=270),
    "PyramidNet-164 bottleneck (alpha=270)": _residual("pyramidnet", 164, True, alpha=270),
    "ResNeXt-29 4x64d": _resnext(4),
    "ResNeXt-29 8x64d": _resnext(8),
    **{
        f"shake-shake-26 2x{width}d (S-S-I)": _residual("shakeshakeresnet", 26, first_stage_channels=width)
        for width in (32, 64, 96)
    },
}
_PAPER_LIKE = re.compile(r"see row: [\d.]+( \(1 run\))? / (N/A|~?\d+\.\d+)")  # the paper's error comes second


def _named(row: CsvRow, known: dict[str, Callable[[int], ModelRef]]) -> TaskPlace | NoTask:
    make = known.get(row.cells["architecture"])
    if make is None:
        return NoTask("a network whose builder is not known")
    return TaskPlace(data_set_of(row), make(classes_of(row)))


def bearpaw(row: CsvRow) -> TaskPlace | NoTask:
    """bearpaw/pytorch-classification."""
    return _named(row, _BEARPAW)


def bigballon(row: CsvRow) -> TaskPlace | NoTask:
    """BIGBALLON/CIFAR-ZOO."""
    if not row.cells["recipe"].startswith("SGD step decay"):
        return NoTask("cutout, mixup and longer training: fewer than ten networks of one recipe")
    return _named(row, _BIGBALLON)


def hysts(row: CsvRow) -> TaskPlace | NoTask:
    """hysts/pytorch_image_classification: its first table, "almost the same settings as the papers"."""
    if not _PAPER_LIKE.match(row.cells["recipe"]):
        return NoTask("augmentations and other data sets: fewer than ten networks of one recipe")
    if row.cells["architecture"].startswith("VGG-like"):
        return NoTask("the table does not say how its fifteen layers are shared out")
    return _named(row, _HYSTS)


def giung(row: CsvRow) -> TaskPlace | NoTask:
    """cs-giung/giung2-jax: VGG with two linear layers of 512, ResNet by depth and width, WRN."""
    if "TPU" in row.cells["recipe"]:
        return NoTask("a recipe of its own for other hardware")
    plain = re.fullmatch(r"VGG(\d+)(-BN)?-ReLU", row.cells["architecture"])
    residual = re.fullmatch(r"R(\d+)(?:x(\d+))?-BN-ReLU", row.cells["architecture"])
    wide = re.fullmatch(r"WRN(\d+)x(\d+)-BN-ReLU", row.cells["architecture"])
    if plain:
        norm = bool(plain[2])
        make = _own("cifar:vgg", depth=int(plain[1]), norm=norm, bias=not norm, hidden=[512, 512])
    elif residual:
        make = _own("cifar:resnet", depth=int(residual[1]), width=int(residual[2] or 1))
    elif wide:
        make = _zoo("wrn", blocks=int(wide[1]), width_factor=int(wide[2]))
    else:
        return NoTask("a network whose builder is not known")
    return TaskPlace(data_set_of(row), make(classes_of(row)))


def huyvnphan(row: CsvRow) -> TaskPlace | NoTask:
    """huyvnphan/PyTorch_CIFAR10: torchvision's networks with other stems."""
    name = row.cells["architecture"]
    family = re.match(r"(vgg|resnet|densenet)\d", name)
    if family:
        return TaskPlace(data_set_of(row), python_ref(f"stems:{family[1]}", name=name))
    if name in ("mobilenet_v2", "googlenet", "inception_v3"):
        return TaskPlace(data_set_of(row), python_ref(f"stems:{name}"))
    return NoTask("a network whose builder is not known")


def mmpretrain(row: CsvRow) -> TaskPlace | NoTask:
    """open-mmlab/mmpretrain: ResNets whose stem has neither stride nor pooling."""
    name = row.cells["architecture"]
    if not re.fullmatch(r"resnet\d+", name):
        return NoTask("a network whose builder is not known")
    return TaskPlace(
        data_set_of(row), python_ref("stems:resnet", name=name, classes=classes_of(row), pool=False)
    )
