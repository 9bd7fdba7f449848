"""Labelled images in batches: held in memory as one tensor, or read from files by worker processes.

Which images come in which order, and how each is augmented, is drawn from the seed that `batches` is given, so that an
epoch can be had again. Images from files are augmented by transforms that draw from the global generators; whoever
wants those again sets these too (`fxscore.sources.building.seeded`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from fxscore.errors import TrainingError
from fxscore.types import Shape

Batch = tuple[Tensor, Tensor]

SPLIT_SEED = 0  # of the digits' split and of `training_images`: the same for every run


class Images(Protocol):
    """Images with their classes."""

    def __len__(self) -> int: ...

    def batches(self, size: int, seed: int | None = None) -> Iterator[Batch]:
        """Batches of images (N, C, H, W), float, normalised, and classes (N,).

        Args:
            size: N. While training, an incomplete last batch is left out if there is another.
            seed: order and augmentation for training; None gives all images as they are, in their order.
        """


@dataclass(frozen=True, eq=False)
class TensorImages:
    """Images in memory.

    Attributes:
        images: (n, c, h, w), float, normalised.
        labels: (n,), whole numbers.
        shape: (C, H, W) to which batches are resized; one channel is repeated.
        shift: while training, each image moves by up to so many pixels along either axis; what enters is background.
        flip: while training, half of the images are mirrored, left and right.
    """

    images: Tensor
    labels: Tensor
    shape: tuple[int, int, int]
    shift: int = 0
    flip: bool = False

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, size: int, seed: int | None = None) -> Iterator[Batch]:
        """See `Images.batches`."""
        if seed is None:
            for begin in range(0, len(self), size):
                yield self._resized(self.images[begin : begin + size]), self.labels[begin : begin + size]
            return
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=generator)
        for begin in range(0, whole_batches(len(self), size), size):
            chosen = order[begin : begin + size]
            images = self._flipped(self._shifted(self.images[chosen], generator), generator)
            yield self._resized(images), self.labels[chosen]

    def shrunk(self) -> TensorImages:
        """The same images, resized once and for all where they get smaller."""
        if self.shape[-1] >= self.images.shape[-1] or self.shift:
            return self
        return replace(self, images=self._resized(self.images))

    def _flipped(self, images: Tensor, generator: torch.Generator) -> Tensor:
        if not self.flip:
            return images
        mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
        return torch.where(mirrored, images.flip(3), images)

    def _shifted(self, images: Tensor, generator: torch.Generator) -> Tensor:
        if not self.shift:
            return images
        (count, _, height, width), reach = images.shape, self.shift
        padded = F.pad(images, (reach,) * 4, value=float(self.images.min()))
        moves = torch.randint(2 * reach + 1, (2, count, 1), generator=generator)
        rows, columns = moves[0] + torch.arange(height), moves[1] + torch.arange(width)
        which = torch.arange(count)[:, None, None]
        return padded.movedim(1, 3)[which, rows[:, :, None], columns[:, None, :]].movedim(3, 1)

    def _resized(self, images: Tensor) -> Tensor:
        channels, *size = self.shape
        if list(images.shape[-2:]) != size:
            images = F.interpolate(images, size, mode="bilinear", align_corners=False)
        return images.expand(-1, channels, -1, -1)


@dataclass(frozen=True, eq=False)
class FileImages:
    """Images of a torchvision data set.

    Attributes:
        training: the data set with the transforms of training.
        plain: the same images without augmentation.
        workers: processes that read and augment.
        pinned: hold batches in memory from which a GPU copies at once.
    """

    training: Any
    plain: Any
    workers: int = 0
    pinned: bool = False

    def __len__(self) -> int:
        return len(self.plain)

    def batches(self, size: int, seed: int | None = None) -> Iterator[Batch]:
        """See `Images.batches`."""
        images = self.plain if seed is None else self.training
        loader: DataLoader[Batch] = DataLoader(
            images,
            size,
            shuffle=seed is not None,
            # The workers' own seeds are drawn from it too.
            generator=torch.Generator().manual_seed(seed or 0),
            drop_last=seed is not None and len(images) >= size,
            num_workers=self.workers,
            pin_memory=self.pinned,
        )
        yield from loader


def image_size(shape: Shape) -> tuple[int, int, int]:
    """(C, H, W) of the images that a network takes; raises `TrainingError` where it takes no images."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise TrainingError(f"images are (1, H, W) or (3, H, W); the network takes {shape}")
    return shape[0], shape[1], shape[2]


def whole_batches(count: int, size: int) -> int:
    """How many of `count` images a training epoch uses."""
    return count if count < size else count - count % size
