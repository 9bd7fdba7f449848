"""A copy of a module whose parameters take no memory: what is captured instead of the user's own model."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from fxscore.capture.lazy import has_shape, new_buffer
from fxscore.capture.modes import evaluating
from fxscore.capture.plain import replacements
from fxscore.capture.seeds import is_generator, new_generator
from fxscore.capture.torch_private import forget_compiled
from fxscore.errors import CaptureError

_CONTAINERS = frozenset((dict, list, OrderedDict))


def weightless_copy(model: nn.Module) -> nn.Module:
    """Copy `model` in evaluation mode, with parameters on the meta device and buffers of its own.

    The weights are never read or copied; the model itself is left as it is, whatever its forward does to `self`. What
    wraps a part of it (`fxscore.capture.plain`) is not part of the copy.

    Raises:
        CaptureError: the module holds something that cannot be copied (a lock, a generator, an open file).
    """
    found = replacements(model)
    model = found.get(model, model)
    memo: dict[int, object] = {id(parameter): meta_parameter(parameter) for parameter in _sized(model, found)}
    memo.update({id(value): plain for value, plain in _uncopyable(model)})
    memo.update({id(buffer): new_buffer(buffer) for buffer in model.buffers() if not has_shape(buffer)})
    try:
        for wrapper, plain in found.items():
            memo[id(wrapper)] = copy.deepcopy(plain, memo)
        duplicate: nn.Module = copy.deepcopy(model, memo)
    except Exception as error:  # a user's object may raise anything from __deepcopy__ or __reduce__
        raise CaptureError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}: {error}); "
            "instead of the instance, give a recipe that builds it (a file with build(), or package.module:callable)"
        ) from error
    for module in duplicate.modules():
        forget_compiled(module)
    return evaluating(duplicate)


def _uncopyable(model: nn.Module) -> Iterator[tuple[object, object]]:
    """(attribute, what stands for it) of what PyTorch does not copy, or must not be copied as it is.

    Tensors that a hook computes from weights before every forward (old weight norms); scripted functions; generators,
    which begin anew (`fxscore.capture.chance`).
    """
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                yield value, value.detach()
            elif isinstance(value, torch.jit.ScriptFunction):
                yield value, value
            elif is_generator(value):
                yield value, new_generator(value)


def _sized(model: nn.Module, found: dict[nn.Module, nn.Module]) -> Iterator[nn.Parameter]:
    """All parameters that have a shape; those of lazy modules have none yet."""
    for module in (model, *found.values()):
        yield from (p for p in module.parameters() if has_shape(p))


@contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """Within this context a forward may change attributes of `model` (caches, counters); afterwards they are as before.

    What a captured forward caches are tensors of that capture, which no later one can use.
    """
    before = [(module, dict(module.__dict__), _containers(module)) for module in model.modules()]
    try:
        yield
    finally:
        for module, attributes, containers in before:
            module.__dict__.clear()
            module.__dict__.update(attributes)
            for name, content in containers.items():
                _refill(attributes[name], content)


def _containers(module: nn.Module) -> dict[str, Any]:
    """The lists and dicts among a module's own attributes, hooks included: copies, and most are empty."""
    return {
        name: value.copy() if value else ()
        for name, value in module.__dict__.items()
        if type(value) in _CONTAINERS
    }


def _refill(container: Any, content: Any) -> None:
    if not container and not content:
        return
    container.clear()
    if isinstance(container, dict):
        container.update(content)
    else:
        container.extend(content)


def meta_parameter(parameter: nn.Parameter) -> nn.Parameter:
    """A parameter of the same shape and type without data."""
    return nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)
