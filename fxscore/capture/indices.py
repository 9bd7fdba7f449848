"""Places that are looked up while recording, on shapes alone.

An id beyond a table would go unnoticed, so places are checked. How many values a mask chooses is in its values: a mask
that has them becomes the places that it marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import getitem
from typing import Any

import torch
from torch import Tensor, fx

_PLACES = {"index_select": 2, "gather": 2, "index_add": 2, "index_copy": 2, "scatter": 2, "scatter_add": 2}


_LOOKS_UP = frozenset(("embedding", "__getitem__", *_PLACES))
# What finds places, and where among its arguments the axis stands.
_FINDERS = {"argmax": 1, "argmin": 1, "max": 1, "min": 1, "topk": 2}


def check_indices(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse a call that looks up a place which a tensor does not have.

    Args:
        name: of the function (`embedding`, `__getitem__`, `index_add_`, …).
        args: what it is called with; only indices with values are checked.
        kwargs: what it is called with by name.

    Raises:
        IndexError: says which number, and how many places there are.
    """
    name = name if name.startswith("__") else name.rstrip("_")
    if name not in _LOOKS_UP:
        return
    for index, length in _lookups(name, args, kwargs):
        if isinstance(index, Tensor) and not index.is_meta and index.numel() and index.dtype.itemsize > 1:
            largest, least = int(index.max()), int(index.min())
            if largest >= length or least < -length:
                wrong = largest if largest >= length else least
                raise IndexError(f"{name.strip('_')} looks up place {wrong} of {length}")


def check_classes(places: fx.Node | None, classes: Any) -> None:
    """Refuse a `one_hot` of fewer classes than there are places among which `places` were found.

    Raises:
        IndexError: says how many.
    """
    if places is None or not isinstance(classes, int) or classes < 0:
        return
    finder: Any = places.args[0] if places.target is getitem else places
    axis_at = _FINDERS.get(getattr(finder.target, "__name__", finder.target))
    if axis_at is None:
        return
    shape = finder.args[0].meta["val"].shape
    default = None if axis_at == 1 else -1
    axis = finder.args[axis_at] if len(finder.args) > axis_at else finder.kwargs.get("dim", default)
    if isinstance(axis, fx.Node):  # the greater of two
        return
    found_among = shape.numel() if axis is None else shape[axis]
    if found_among > classes:
        raise IndexError(f"one_hot of {classes} classes is given places among {found_among}")


def _lookups(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[Any, int]]:
    """(index, number of places) of every look-up in a call."""
    if name == "embedding" and len(args) > 1:
        index, table = args[:2] if args[1].dim() == 2 and args[1].is_floating_point() else args[1::-1]
        yield index, len(table)
    elif name == "__getitem__":
        yield from _in_brackets(args[0], args[1] if isinstance(args[1], tuple) else (args[1],))
    elif name in _PLACES and len(args) > _PLACES[name] and isinstance(args[1], int) and args[0].dim():
        yield args[2], args[0].shape[args[1]]


def is_known_mask(part: Any) -> bool:
    """Whether a part of an index is a mask with values."""
    return isinstance(part, Tensor) and part.dtype == torch.bool and not part.is_meta and part.dim() > 0


def _in_brackets(tensor: Tensor, index: tuple[Any, ...]) -> Iterator[tuple[Any, int]]:
    spelled = [part for part in index if part is not None]
    axis = 0
    for part in spelled:
        if part is Ellipsis:
            axis = tensor.dim() - sum(map(_axes, spelled)) + axis
        else:
            if isinstance(part, Tensor) and part.dtype.itemsize > 1 and axis < tensor.dim():
                yield part, tensor.shape[axis]
            axis += _axes(part)


def _axes(part: Any) -> int:
    """Axes that one part of an index takes up: none of an ellipsis, as many as a mask has."""
    if part is Ellipsis:
        return 0
    return part.dim() if isinstance(part, Tensor) and part.dtype.itemsize == 1 else 1
