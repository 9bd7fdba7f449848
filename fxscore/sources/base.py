"""What a source of models is, and what it hands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fxscore.types import ModelRef, Shape

if TYPE_CHECKING:
    from torch import nn

DEFAULT_INPUT_SHAPE: Shape = (3, 224, 224)


@dataclass(frozen=True)
class Built:
    """A built network, ready to capture.

    Attributes:
        module: the network in eval mode; built weight-free, its parameters are on the meta device.
        input_shape: one input without the batch, (C, H, W), or (C, T, H, W) for video.
        ref: where it came from.
        step: how it was built: a step of `fxscore.capture.empty_weights` ("meta", "zeros" or "ordinary"), or
            "with weights".
        resized: the same network, built weight-free for images of another (height, width); raises `ModelRefError` where
            its builder does not take the size. None where no builder is known to.
    """

    module: nn.Module
    input_shape: Shape
    ref: ModelRef
    step: str = "with weights"
    resized: Callable[[tuple[int, int]], nn.Module] | None = None


@dataclass(frozen=True)
class Recipe:
    """How one reference is built.

    Attributes:
        make: builds the network with PyTorch's ordinary initialisation; may be called more than once.
        input_shape: the shape of one input of the network that `make` gave.
        path: the file to name in an error, where there is one.
        resized: builds the network for images of another (height, width), where its builder knows how.
    """

    make: Callable[[], object]
    input_shape: Callable[[nn.Module], Shape]
    path: Path | None = None
    resized: Callable[[tuple[int, int]], object] | None = None


class Source(Protocol):
    """A place that models come from."""

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        """The references that a pattern stands for, sorted; at least one.

        With `pretrained_only`, a library's architectures for which it publishes no weights are left out.

        Raises:
            ModelRefError: nothing has this name; the message gives close ones.
        """

    def recipe(self, ref: ModelRef) -> Recipe:
        """How to build one reference.

        Raises:
            ModelRefError: it does not exist, or its builder does not take the options.
        """

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        """What the network depends on beside the reference's text: package versions, file digests."""
