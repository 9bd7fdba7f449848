"""Arguments of a node and their shapes: what every count is made of."""

from __future__ import annotations

from typing import Any

from torch import Tensor, fx

from fxscore.types import Shape


def argument(node: fx.Node, place: int, name: str, default: Any = None) -> Any:
    """An argument given by place or by name."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def shape_of(value: Any) -> Shape:
    """The shape of a node's value; () where it is not one tensor."""
    inferred = value.meta.get("val") if isinstance(value, fx.Node) else None
    return tuple(inferred.shape) if isinstance(inferred, Tensor) else ()


def first_shape(node: fx.Node) -> Shape:
    """The shape of a node's value, or of the first of its values."""
    value = node.meta.get("val")
    first = value[0] if isinstance(value, (tuple, list)) else value
    return tuple(first.shape) if isinstance(first, Tensor) else ()
