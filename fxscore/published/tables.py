"""Which network each row of a published table is, and which rows rank against each other.

A table has columns `architecture`, `dataset`, `metric`, `accuracy`, `recipe`. Its rows are placed one by one: into the
task whose networks one recipe trained, by a reference that builds the network; or left out, with the reason in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fxscore.published.names import bearpaw, bigballon, giung, huyvnphan, hysts, mmpretrain
from fxscore.published.places import NoTask, TaskPlace, classes_of, data_set_of, python_ref
from fxscore.spaces.files.csv_rows import CsvRow
from fxscore.types import ModelRef, Shape

CIFAR, IMAGENET = (3, 32, 32), (3, 224, 224)


@dataclass(frozen=True)
class PublishedTable:
    """One file of results.

    Attributes:
        name: of its populations, and of its file.
        origin: tables of one origin have networks or trainings in common and leave together.
        place: what a row is.
        input_shape: of all its networks; None where each has its own.
        caution: what must be said beside every figure.
    """

    name: str
    origin: str
    place: Callable[[CsvRow], TaskPlace | NoTask]
    input_shape: Shape | None = CIFAR
    caution: str = ""

    @property
    def file(self) -> str:
        """The name of its file in a folder of tables."""
        return f"{self.name}.csv.gz"


def _graph(row: CsvRow, name: str) -> TaskPlace:
    """A network whose operators a file beside the table lists."""
    file = str(row.path.parent / "small_cifar_graphs.jsonl.gz")
    ref = python_ref("graphs:network", file=file, name=name, classes=classes_of(row))
    return TaskPlace(data_set_of(row), ref)


def _chenyaofo(row: CsvRow) -> TaskPlace:
    return _graph(row, f"cifar10_{row.cells['architecture']}")


def _kuangliu(row: CsvRow) -> TaskPlace:
    return _graph(row, row.cells["architecture"])


def _pycls(row: CsvRow) -> TaskPlace | NoTask:
    found = re.search(r"create_model\('(\w+)'\)", row.cells["builder"])
    if row.cells["architecture"] == "ResNeXt-152":
        return TaskPlace("imagenet", python_ref("imagenet:resnext152"))
    if found is None:
        return NoTask("the table names no builder")
    # of the variants with equal layers, the one whose images have the size of the paper
    name = re.sub("^efficientnet", "tf_efficientnet", found[1])
    return TaskPlace("imagenet", ModelRef("timm", name))


def _slim(row: CsvRow) -> TaskPlace | NoTask:
    found = re.fullmatch(r"MobileNetV([12]) width ([\d.]+) input (\d+)", row.cells["architecture"])
    if found is None:
        return NoTask("MobileNetV3 has a recipe of its own and fewer than ten networks")
    version, width, side = found.groups()
    ref = ModelRef("mobilenet_slim", f"version={version},width={float(width)},side={side}")
    return TaskPlace(f"imagenet_v{version}", ref)


def _lemur(row: CsvRow) -> TaskPlace | NoTask:
    name, epochs = row.cells["architecture"], row.cells["epochs"]
    if not name.startswith("FractalNet-"):
        return NoTask("one epoch of training, whose ranks are mostly noise")
    if epochs not in ("4", "5"):
        return NoTask("epochs 1 to 3 of networks that epochs 4 and 5 rank better")
    return TaskPlace(f"cifar10_epoch_{epochs}", python_ref("lemur:network", architecture=name))


TABLES = (
    PublishedTable("chenyaofo_cifar", "cifar_networks", _chenyaofo),
    PublishedTable(
        "kuangliu_cifar10",
        "cifar_networks",
        _kuangliu,
        caution="rows of several years, perhaps of several recipes",
    ),
    PublishedTable("giung_cifar", "cifar_networks", giung),
    PublishedTable(
        "bigballon_cifar", "cifar_networks", bigballon, caution="batch size and epochs by family of networks"
    ),
    PublishedTable("bearpaw_cifar", "cifar_networks", bearpaw, caution="settings by family of networks"),
    PublishedTable("huyvnphan_cifar10", "cifar_networks", huyvnphan),
    PublishedTable("mmpretrain_cifar", "cifar_networks", mmpretrain),
    PublishedTable(
        "hysts_small", "cifar_networks", hysts, caution="almost the settings of each network's paper"
    ),
    PublishedTable("pycls_dds_imagenet", "imagenet_networks", _pycls, None),
    PublishedTable("tfslim_mobilenet_imagenet", "imagenet_networks", _slim, None),
    PublishedTable("lemur_cifar10_one_recipe", "lemur", _lemur, caution="four or five epochs of training"),
)
