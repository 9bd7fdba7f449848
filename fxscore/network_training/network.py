"""A network from its reference, with as many outputs as there are classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fxscore.capture.modes import evaluating
from fxscore.errors import ModelRefError, TrainingError
from fxscore.sources import Built, build
from fxscore.sources.building import seeded
from fxscore.texts import first_line
from fxscore.types import ModelRef, Shape


@dataclass(frozen=True)
class Network:
    """A network that is ready to be trained.

    Attributes:
        ref: the reference that builds it, number of classes included.
        module: freshly initialised.
        input_shape: one image, (C, H, W).
    """

    ref: ModelRef
    module: nn.Module
    input_shape: Shape

    @property
    def params(self) -> int:
        """The number of learnable parameters."""
        return sum(parameter.numel() for parameter in self.module.parameters() if parameter.requires_grad)


def build_network(ref: ModelRef, classes: int, *, input_shape: Shape | None = None, seed: int = 0) -> Network:
    """Build a network for images of so many classes.

    A builder that takes `num_classes` (timm's and torchvision's do) is given it, unless the reference says so itself.

    Args:
        ref: one reference, not a pattern.
        classes: of the data set.
        input_shape: (C, H, W) of the images that it will be given; by default its own.
        seed: of the initial weights.

    Raises:
        ModelRefError: it cannot be built.
        TrainingError: it does not give one row of `classes` numbers for each image; says what it gives.
    """
    built = _build(ref, classes, seed)
    network = Network(built.ref, built.module, input_shape or built.input_shape)
    with seeded(seed), torch.no_grad():
        _check(network, classes)
    return network


def _build(ref: ModelRef, classes: int, seed: int) -> Built:
    if "num_classes" not in ref.kwargs:
        fitted = ModelRef.of(ref.source, ref.name, {**ref.kwargs, "num_classes": classes})
        try:
            return build(fitted, weights=True, seed=seed)
        except ModelRefError:
            pass  # built below as it stands: either it takes no such option, or this raises its own error
    return build(ref, weights=True, seed=seed)


def _check(network: Network, classes: int) -> None:
    """Two images in eval mode, which changes no statistic."""
    try:
        outputs = evaluating(network.module)(torch.zeros(2, *network.input_shape))
    except Exception as error:  # the network's own code, which may raise anything
        raise TrainingError(
            f"{network.ref} does not take images of {network.input_shape} "
            f"({type(error).__name__}: {first_line(error)}); "
            "name their shape with --input-shape C,H,W"
        ) from error
    if not isinstance(outputs, Tensor):
        raise TrainingError(f"{network.ref} gives a {type(outputs).__name__}; a classifier gives one tensor")
    if tuple(outputs.shape) != (2, classes):
        raise TrainingError(
            f"{network.ref} gives {tuple(outputs.shape)} for 2 images, and {classes} classes need (2, {classes}); let "
            "its builder take num_classes, or name its own option in braces"
        )
