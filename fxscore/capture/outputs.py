"""What a forward returns: every tensor in it, however they are packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

from fxscore.errors import CaptureError


def output_tensors(output: Any) -> list[Tensor]:
    """The tensors in what a network returns, each once, in the order in which they are met.

    They are looked for in lists, tuples, generators, mappings and dataclasses, and in what these hold in turn; where
    they hold none, in the attributes of the object that is returned.

    Raises:
        CaptureError: there is none.
    """
    tensors = list(_tensors(output)) or list(_tensors(getattr(output, "__dict__", None)))
    found = list({id(tensor): tensor for tensor in tensors}.values())
    if not found:
        raise CaptureError(
            f"the network returns {_name(output)}, in which there is no tensor to encode; its forward must return one"
        )
    return found


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from _tensors(list(output.values()))
    elif isinstance(output, (list, tuple, Iterator)):
        for item in output:
            yield from _tensors(item)
    elif is_dataclass(output) and not isinstance(output, type):
        yield from _tensors([getattr(output, field.name) for field in fields(output)])


def _name(output: Any) -> str:
    return "None" if output is None else type(output).__name__
