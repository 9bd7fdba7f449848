"""What users give as networks, sorted out; loads no torch, without which nothing that is given can be a module."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from fxscore.errors import UsageError
from fxscore.sources import expand_or_keep
from fxscore.texts import one_line
from fxscore.types import ModelRef

if TYPE_CHECKING:
    from torch import nn
    from typing_extensions import TypeIs

Model: TypeAlias = "nn.Module | ModelRef | str | os.PathLike[str]"


def is_module(given: object) -> TypeIs[nn.Module]:
    """Whether it is a module of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.nn.Module)


def network_of(model: object) -> nn.Module | ModelRef:
    """What a user gives as a network: a module, or a reference to one as text, path or object.

    Raises:
        UsageError: it is neither; says what to give instead.
        ModelRefError: a text that is no reference.
    """
    if isinstance(model, ModelRef) or is_module(model):
        return model
    if isinstance(model, (str, os.PathLike)):
        return ModelRef.parse(os.fsdecode(model))
    name = getattr(model, "__name__", "")
    if inspect.isclass(model):
        raise UsageError(f"{name} is a class, not a network; give an instance, as in {name}(...)")
    if callable(model) and name:
        raise UsageError(f"{name} is a function, not a network; give what it returns, as in {name}(...)")
    raise UsageError(
        f"{one_line(repr(model), 80)} is no network; give an nn.Module, or a reference such as 'timm:resnet50'"
    )


def sorted_out(
    models: Model | Iterable[Model] | Mapping[str, nn.Module],
) -> tuple[list[tuple[ModelRef, nn.Module]], list[ModelRef]]:
    """(modules with a name for their records, references), of what is to be ranked.

    Raises:
        UsageError: something among them is no network, or they are one module alone.
        ModelRefError: a pattern matches nothing, or a text is no reference.
    """
    if is_module(models):
        raise UsageError(
            "this ranks several networks, and was given one module, whose parts are no networks; "
            "fxscore.score(module) scores it, fxscore.rank([module, ...]) ranks it among others"
        )
    if isinstance(models, Mapping):
        return [(ModelRef("module", str(name)), _module(name, model)) for name, model in models.items()], []
    if isinstance(models, (str, ModelRef, os.PathLike)) or not isinstance(models, Iterable):
        models = [models]
    modules: list[tuple[ModelRef, nn.Module]] = []
    refs: list[ModelRef] = []
    for index, model in enumerate(models):
        network = network_of(model)
        if is_module(network):
            modules.append((ModelRef("module", f"{type(network).__name__}#{index}"), network))
        elif isinstance(model, (str, os.PathLike)):
            refs += expand_or_keep(os.fsdecode(model))
        else:
            refs.append(network)
    return modules, refs


def _module(name: object, model: object) -> nn.Module:
    network = network_of(model)
    if is_module(network):
        return network
    raise UsageError(
        f"{name!r} names the reference {network}, which has a name of its own; give references as a list"
    )
