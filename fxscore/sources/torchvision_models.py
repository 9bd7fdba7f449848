"""torchvision as a source: its classification, segmentation, detection, video and optical-flow networks.

Built with `weights=None` and `weights_backbone=None`: nothing is downloaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fxscore.errors import ModelRefError
from fxscore.sources.base import DEFAULT_INPUT_SHAPE, Recipe
from fxscore.sources.digest import versions
from fxscore.sources.libraries import Library
from fxscore.sources.names import did_you_mean, select
from fxscore.sources.sizes import pair_of, resized
from fxscore.types import ModelRef, Shape

if TYPE_CHECKING:
    from torch import nn

_RAFT_SIZE = (128, 128)
_SSD_SIZE = 300  # its anchors are laid out for it
_FRAMES = 16  # the clip length that torchvision's multiscale transformers are built for
_WEIGHT_OPTIONS = ("weights", "weights_backbone", "pretrained", "pretrained_backbone")


class TorchvisionSource:
    """The builders that `torchvision.models.list_models()` names."""

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        chosen = select("torchvision", ref.name, TORCHVISION.names(pretrained_only))
        return [ModelRef("torchvision", name, ref.options) for name in chosen]

    def recipe(self, ref: ModelRef) -> Recipe:
        builder = _builder(ref)
        options = {**_without_weights(ref, builder), **ref.kwargs}
        return Recipe(
            lambda: _with_examples(ref, builder(**options)), lambda module: _input_shape(ref, module)
        )

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        return versions("torch", "torchvision")


def _builders() -> list[str]:
    from torchvision import models

    return list(models.list_models())


def _pretrained() -> list[str]:
    from torchvision import models

    return [name for name in models.list_models() if len(models.get_model_weights(name))]


def _accuracy(name: str) -> float | None:
    """Top-1 accuracy on ImageNet-1k, in percent, of the weights that a name loads by default; None where not stated."""
    from torchvision import models

    if name not in models.list_models():
        return None
    weights = getattr(models.get_model_weights(name), "DEFAULT", None)
    metrics = {} if weights is None else weights.meta.get("_metrics", {})
    found: float | None = metrics.get("ImageNet-1K", {}).get("acc@1")
    return found


TORCHVISION = Library("torchvision", _builders, _pretrained, _accuracy)


def _with_examples(ref: ModelRef, module: nn.Module) -> nn.Module:
    """Optical flow takes two images, of at least 128×128."""
    import torch

    if ref.name.startswith("raft"):
        module.example_input_array = (torch.zeros(1, 3, *_RAFT_SIZE), torch.zeros(1, 3, *_RAFT_SIZE))  # type: ignore[assignment]
    return module


def _builder(ref: ModelRef) -> Callable[..., Any]:
    from torchvision import models

    known = models.list_models()
    if ref.name not in known:
        raise ModelRefError(f"torchvision has no model {ref.name!r}{did_you_mean(ref.name, known)}")
    return models.get_model_builder(ref.name)  # type: ignore[no-any-return]


def _without_weights(ref: ModelRef, builder: Callable[..., Any]) -> dict[str, Any]:
    if refused := [option for option in _WEIGHT_OPTIONS if option in ref.kwargs]:
        raise ModelRefError(f"{ref}: {refused[0]} concerns weights, which are never read; leave it out")
    parameters = inspect.signature(builder).parameters
    options: dict[str, Any] = {name: None for name in _WEIGHT_OPTIONS[:2] if name in parameters}
    if ref.name.removeprefix("quantized_") in ("googlenet", "inception_v3"):
        options["init_weights"] = True  # today's default, said aloud so that torchvision does not warn
    return options


def _input_shape(ref: ModelRef, module: nn.Module) -> Shape:
    """The size the first published weights were evaluated at; a vision transformer's own size comes first."""
    crop = _SSD_SIZE if ref.name == "ssd300_vgg16" else _published(ref.name)
    shape = DEFAULT_INPUT_SHAPE if crop is None else resized(DEFAULT_INPUT_SHAPE, size=crop)
    if pair_of(size := getattr(module, "image_size", None)):
        shape = resized(shape, size=size)
    return (shape[0], _FRAMES, *shape[1:]) if _is_video(ref.name) else shape


def _published(name: str) -> Any:
    from torchvision import models

    weights = next(iter(models.get_model_weights(name)), None)
    return getattr(weights.transforms, "keywords", {}).get("crop_size") if weights else None


def _is_video(name: str) -> bool:
    from torchvision import models

    return ".video." in models.get_model_builder(name).__module__
