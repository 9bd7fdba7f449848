"""timm as a source: `timm:resnet50`, `timm:resnet*,!*d`, `timm:vit_tiny_patch16_224{"img_size": 64}`.

Architectures only: a scorer reads no weights, so a pretrained tag means nothing here. Nothing is downloaded.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from fxscore.errors import ModelRefError
from fxscore.sources.base import DEFAULT_INPUT_SHAPE, Recipe
from fxscore.sources.digest import versions
from fxscore.sources.libraries import Library
from fxscore.sources.names import did_you_mean, select
from fxscore.sources.sizes import resized
from fxscore.sources.torchvision_models import TORCHVISION
from fxscore.types import ModelRef, Shape

if TYPE_CHECKING:
    from torch import nn

_WEIGHT_OPTIONS = ("pretrained", "checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir")


class TimmSource:
    """The architectures of the timm library."""

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        _refuse_tag(ref.name, TIMM.names())
        chosen = select("timm", ref.name, TIMM.names(pretrained_only))
        return [ModelRef("timm", name, ref.options) for name in chosen]

    def recipe(self, ref: ModelRef) -> Recipe:
        import timm

        if ref.name not in _names() and ref.name not in timm.list_models():
            _refuse_tag(ref.name, timm.list_models())
            near = did_you_mean(ref.name, timm.list_models())
            raise ModelRefError(f"timm has no architecture {ref.name!r}{near}")
        if refused := [option for option in _WEIGHT_OPTIONS if option in ref.kwargs]:
            raise ModelRefError(f"{ref}: {refused[0]} concerns weights, which are never read; leave it out")
        return Recipe(
            lambda: timm.create_model(ref.name, pretrained=False, **ref.kwargs),
            lambda module: _input_shape(ref, module),
            resized=lambda size: timm.create_model(
                ref.name, pretrained=False, **{**ref.kwargs, "img_size": size}
            ),
        )

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        return versions("torch", "timm")


def _architectures() -> list[str]:
    import timm

    return list(timm.list_models())


def _pretrained() -> list[str]:
    import timm

    return sorted({name.partition(".")[0] for name in timm.list_models(pretrained=True)})


def _tag(name: str) -> str | None:
    """The tag of the weights that a name alone loads; "" for weights without one."""
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(name, allow_unregistered=True)
    return None if config is None else config.tag or ""


TIMM = Library("timm", _architectures, _pretrained, _tag, loads=TORCHVISION)


@cache
def _names() -> frozenset[str]:
    """The architectures of timm itself, whose sorting takes as long as to build a small one."""
    return frozenset(_architectures())


def _refuse_tag(name: str, known: list[str]) -> None:
    architecture, dot, _ = name.partition(".")
    if dot and architecture in known:
        raise ModelRefError(
            f"timm:{name} has a pretrained tag, but no weights are read; write timm:{architecture}"
        )


def _input_shape(ref: ModelRef, module: nn.Module) -> Shape:
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None) or {}
    shape = tuple(config.get("input_size") or DEFAULT_INPUT_SHAPE)
    return resized(shape, ref.kwargs.get("in_chans"), ref.kwargs.get("img_size"))
