"""Fashion-MNIST: 70,000 pictures of clothes, 28×28 grey pixels, ten classes (Xiao, Rasul, Vollgraf 2017; MIT).

Four IDX files, compressed or not: in the folder that is named, in the `FashionMNIST/raw` that torchvision makes there,
or where Debian's package `dataset-fashion-mnist` lays them. An IDX file is a magic number whose last byte is the number
of axes, the length of each axis as four bytes, the highest first, and then one byte a pixel or label.
"""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fxscore.errors import TrainingError
from fxscore.network_training.images import SPLIT_SEED, Images, TensorImages, image_size
from fxscore.network_training.plan import ClassifierPlan
from fxscore.types import Shape

SYSTEM_FOLDERS = tuple(Path(root) / "share/datasets/fashion-mnist" for root in ("/usr", "/usr/local"))
_FILES = {True: "train", False: "t10k"}
_UNSIGNED_BYTES = 8  # the third byte of the magic number


@dataclass(frozen=True)
class FashionMNIST:
    """The four files in one folder."""

    folder: Path
    classes: int = 10

    @classmethod
    def found(cls, folder: Path | None) -> FashionMNIST:
        """In `folder`, or where the system has it; raises `TrainingError` where it is in neither."""
        named = () if folder is None else (folder, folder / "FashionMNIST" / "raw")
        places = (*named, *SYSTEM_FOLDERS)
        for place in places:
            if _file(place, "train-images-idx3-ubyte") is not None:
                return cls(place)
        raise TrainingError(
            f"Fashion-MNIST is in none of {', '.join(map(str, places))}: install Debian's dataset-fashion-mnist, or "
            "name the folder with its four files (--data FOLDER)"
        )

    def split(self, shape: Shape, plan: ClassifierPlan) -> tuple[Images, Images]:
        """See `DataSet.split`; at 14×14 a pixel is the mean of 2×2."""
        size = image_size(shape)
        if plan.augmentation == "timm":
            raise TrainingError(
                "timm's augmentation is made for photographs; fashion_mnist takes standard or none"
            )
        (pixels, labels), test = self._part(True), self._part(False)
        chosen = _chosen(len(labels), plan.training_images)
        pixels, labels = pixels[chosen], labels[chosen]
        mean, spread = pixels.mean(), pixels.std()
        training = TensorImages((pixels - mean) / spread, labels, size, flip=plan.augmentation == "standard")
        return training.shrunk(), TensorImages((test[0] - mean) / spread, test[1], size).shrunk()

    def _part(self, train: bool) -> tuple[Tensor, Tensor]:
        """(images (n, 1, H, W) from 0 to 1, classes (n,)) of one half."""
        name = _FILES[train]
        images = read_idx(self._path(f"{name}-images-idx3-ubyte"), axes=3)
        labels = read_idx(self._path(f"{name}-labels-idx1-ubyte"), axes=1)
        if len(images) != len(labels):
            raise TrainingError(f"{self.folder}: {len(images)} {name} images, but {len(labels)} labels")
        return torch.from_numpy(images).float()[:, None] / 255, torch.from_numpy(labels).long()

    def _path(self, name: str) -> Path:
        path = _file(self.folder, name)
        if path is None:
            raise TrainingError(f"{self.folder} has no {name} and no {name}.gz; Fashion-MNIST has four files")
        return path


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The bytes of an IDX file, as an array of `axes` axes; raises `TrainingError` where it is damaged or another."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        magic, *lengths = struct.unpack_from(f">{1 + axes}I", data)
    except (OSError, EOFError, struct.error) as error:
        raise TrainingError(f"{path} cannot be read as an IDX file: {error}") from None
    begin = 4 * (1 + axes)
    if magic != _UNSIGNED_BYTES << 8 | axes or len(data) - begin != math.prod(lengths):
        raise TrainingError(f"{path} is no whole IDX file of bytes with {axes} axes")
    pixels: NDArray[np.uint8] = np.frombuffer(data, np.uint8, offset=begin).reshape(lengths).copy()
    return pixels


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _chosen(count: int, wanted: int) -> Tensor:
    if wanted > count:
        raise TrainingError(f"there are {count} training images, not {wanted}")
    order = np.random.default_rng(SPLIT_SEED).permutation(count)
    return torch.from_numpy(order[:wanted] if wanted else order)
