"""The data sets by name: CIFAR-10 and -100, Fashion-MNIST, a folder of images, and scikit-learn's hand-written digits.

Nothing is downloaded. `digits` are 1,797 real digits of 8×8 pixels that ship with scikit-learn (E. Alpaydin, C. Kaynak,
"Optical Recognition of Handwritten Digits", UCI, 1998): 1,200 to train and 597 to test, or by `training_images` fewer
to train, and then all the others to test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from fxscore.errors import TrainingError
from fxscore.extras import require
from fxscore.network_training.fashion_mnist import FashionMNIST
from fxscore.network_training.images import SPLIT_SEED, FileImages, Images, TensorImages, image_size
from fxscore.network_training.plan import ClassifierPlan
from fxscore.network_training.transforms import cifar_transforms, folder_transforms
from fxscore.types import Shape

DATA_SETS = ("cifar10", "cifar100", "imagefolder", "digits", "fashion_mnist")
DIGITS_TO_TRAIN = 1200
_UNPACKED = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


class DataSet(Protocol):
    """Where images come from, and how many classes they have."""

    @property
    def classes(self) -> int: ...

    def split(self, shape: Shape, plan: ClassifierPlan) -> tuple[Images, Images]:
        """The images to train on and those to measure on, for a network that takes `shape` (C, H, W).

        Raises:
            TrainingError: images cannot be had in this shape, or there are too few.
        """


def open_data_set(
    name: str, folder: Path | None = None, workers: int = 0, *, pinned: bool = False
) -> DataSet:
    """The data set of a name.

    Args:
        name: one of `DATA_SETS`.
        folder: where it lies; `digits` needs none, `fashion_mnist` none where the system has it.
        workers: processes that read images.
        pinned: see `FileImages`.

    Raises:
        TrainingError: there is no such data set, or the folder does not hold it; says how to get it.
    """
    if name == "digits":
        return Digits()
    if name == "fashion_mnist":
        return FashionMNIST.found(folder)
    if name not in DATA_SETS:
        raise TrainingError(f"no data set is called {name!r}; there are {', '.join(DATA_SETS)}")
    if folder is None or not folder.is_dir():
        raise TrainingError(f"{name} needs a folder with its images, and {folder or 'none'} is no folder")
    opened = _Files(*(_image_folder(folder) if name == "imagefolder" else _cifar(name, folder)))
    return FileData(name, opened, workers, pinned)


@dataclass(frozen=True)
class Digits:
    """scikit-learn's digits."""

    classes: int = 10

    def split(self, shape: Shape, plan: ClassifierPlan) -> tuple[Images, Images]:
        """See `DataSet.split`."""
        size = image_size(shape)
        if plan.augmentation == "timm":
            raise TrainingError("timm's augmentation is made for photographs; digits take standard or none")
        pixels, labels = _load_digits()
        count = plan.training_images or DIGITS_TO_TRAIN
        if not 1 <= count < len(labels):
            raise TrainingError(
                f"of {len(labels)} digits, 1 to {len(labels) - 1} can be trained on, not {count}"
            )
        order = torch.from_numpy(np.random.default_rng(SPLIT_SEED).permutation(len(labels)))
        chosen, rest = order[:count], order[count:]
        pixels = (pixels - pixels[chosen].mean()) / pixels[chosen].std()
        shift = int(plan.augmentation == "standard")
        training = TensorImages(pixels[chosen], labels[chosen], size, shift)
        return training, TensorImages(pixels[rest], labels[rest], size)


@dataclass(frozen=True)
class _Files:
    """How the images of a folder are opened: each function takes their transform."""

    training: Any
    test: Any
    classes: int


@dataclass(frozen=True)
class FileData:
    """A data set of torchvision in the user's folder."""

    name: str
    files: _Files
    workers: int
    pinned: bool

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.files.classes

    def split(self, shape: Shape, plan: ClassifierPlan) -> tuple[Images, Images]:
        """See `DataSet.split`."""
        make = folder_transforms if self.name == "imagefolder" else cifar_transforms
        augmented, plain = make(image_size(shape), plan.augmentation)
        training, unchanged = (self.files.training(transform=each) for each in (augmented, plain))
        if plan.training_images:
            training, unchanged = (_drawn(images, plan.training_images) for images in (training, unchanged))
        test = self.files.test(transform=plain)
        return (
            FileImages(training, unchanged, self.workers, self.pinned),
            FileImages(test, test, self.workers, self.pinned),
        )


def _drawn(images: Any, count: int) -> Any:
    if count > len(images):
        raise TrainingError(f"there are {len(images)} training images, not {count}")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    return torch.utils.data.Subset(images, order[:count].tolist())


def _load_digits() -> tuple[torch.Tensor, torch.Tensor]:
    require("fit", "the data set of digits")
    from sklearn.datasets import load_digits

    data = load_digits()
    return torch.from_numpy(data.images).float()[:, None], torch.from_numpy(data.target).long()


def _cifar(name: str, folder: Path) -> tuple[Any, Any, int]:
    from torchvision import datasets

    kind = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    parts = [partial(kind, str(folder), train=train, download=False) for train in (True, False)]
    try:
        classes = len(parts[1]().classes)
    except RuntimeError as error:
        raise TrainingError(
            f"{folder} does not hold the whole of {name} ({error}); it needs {folder / _UNPACKED[name]}, unpacked from "
            "the 'python version' at https://www.cs.toronto.edu/~kriz/cifar.html; to fetch it: "
            f'python -c "from torchvision.datasets import {kind.__name__}; '
            f"{kind.__name__}('{folder}', download=True)\""
        ) from None
    return parts[0], parts[1], classes


def _image_folder(folder: Path) -> tuple[Any, Any, int]:
    from torchvision.datasets import ImageFolder

    parts = [partial(ImageFolder, str(folder / part)) for part in ("train", "val")]
    try:
        training, test = (part() for part in parts)
    except (FileNotFoundError, OSError) as error:
        raise TrainingError(
            f"{folder} is no image folder ({error}); it needs train/CLASS/ and val/CLASS/ with images in each"
        ) from None
    if training.classes != test.classes:
        different = sorted(set(training.classes) ^ set(test.classes))
        raise TrainingError(f"{folder}: train/ and val/ have different classes, such as {different[0]!r}")
    return parts[0], parts[1], len(training.classes)
