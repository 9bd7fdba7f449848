"""What a forward returns: every tensor in it, however they are packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

from fxscore.errors import CaptureError


def output_tensors(output: Any) -> list[Tensor]:
    """The tensors in what a network returns, each once, in the order in which they are met.

    They are looked for in lists, tuples, generators, mappings and dataclasses, and in what these hold in turn; where
    they hold none, in the attributes of the objects in them as well.

    Raises:
        CaptureError: there is none.
    """
    output = list(output) if isinstance(output, Iterator) else output  # which can be gone through once
    tensors = list(_tensors(output)) or list(_tensors(output, opened={}))
    found = list({id(tensor): tensor for tensor in tensors}.values())
    if not found:
        raise CaptureError(
            f"the network returns {_name(output)}, in which there is no tensor to encode; its forward must return one"
        )
    return found


def _tensors(output: Any, opened: dict[int, Any] | None = None) -> Iterator[Tensor]:
    """`opened` has the objects whose attributes were looked at; without it objects are not looked into."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from _tensors(list(output.values()), opened)
    elif isinstance(output, (list, tuple, Iterator)):
        for item in output:
            yield from _tensors(item, opened)
    elif is_dataclass(output) and not isinstance(output, type):
        yield from _tensors([getattr(output, field.name) for field in fields(output)], opened)
    elif opened is not None and id(output) not in opened and not isinstance(output, (type, nn.Module)):
        opened[id(output)] = output
        yield from _tensors(_attributes(output), opened)


def _attributes(output: Any) -> list[Any]:
    slots = [name for cls in type(output).__mro__ for name in vars(cls).get("__slots__", ())]
    found = [getattr(output, name, None) for name in slots if isinstance(name, str)]
    return [*getattr(output, "__dict__", {}).values(), *found]


def _name(output: Any) -> str:
    return "None" if output is None else type(output).__name__
