"""Parts of a tensor along an axis: chunks, splits, selections and slices, one spelling each."""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
from torch import Tensor, fx

from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents

ALL = slice(None, None, None)


@represents(torch.chunk, torch.split, torch.split_with_sizes, torch.tensor_split)
def split(ctx: RewriteContext, *given: Any, dim: int = 0, **named: Any) -> fx.Node:
    """Equal parts are chunks, others a split; the axis is counted from the front, the last one is -1."""
    input = given[0] if given else named["tensor" if ctx.node.target is torch.split else "input"]
    dim = given[2] if len(given) > 2 else dim
    parts = ctx.node.meta["val"]
    rank = len(ctx.shape(input))
    axis = -1 if dim % rank == rank - 1 else dim % rank
    lengths = [part.shape[axis] for part in parts]
    if len(set(lengths)) == 1:
        return ctx.call(torch.chunk, input, len(lengths), axis, like=ctx.node)
    return ctx.call(torch.split, input, lengths, axis, like=ctx.node)


@represents(torch.unbind)
def unbind(ctx: RewriteContext, input: fx.Node, dim: int = 0) -> fx.Node:
    """All places along an axis counted from the front."""
    return ctx.call(torch.unbind, input, dim % len(ctx.shape(input)), like=ctx.node)


@represents(torch.select)
def select(ctx: RewriteContext, input: fx.Node, dim: int, index: int) -> fx.Node:
    """One place along an axis, as an index."""
    return ctx.call(getitem, input, _index(dim % len(ctx.shape(input)), index), like=ctx.node)


@represents(torch.narrow)
def narrow(ctx: RewriteContext, input: fx.Node, dim: int, start: Any, length: int) -> fx.Node:
    """Neighbouring places along an axis, as a slice."""
    if not isinstance(start, int):
        return ctx.node
    size = ctx.shape(input)[dim]
    start = start % size if start < 0 else start
    return item(ctx, input, _index(dim % len(ctx.shape(input)), slice(start, start + length)))


@represents(getitem)
def item(ctx: RewriteContext, input: fx.Node, index: Any) -> fx.Node:
    """An index without what selects everything; one that only adds axes is a reshape."""
    if not isinstance(input.meta.get("val"), Tensor):
        return ctx.node
    plain = _plain(index, ctx.shape(input))
    if plain is None:
        return ctx.node
    if all(part is None or part == ALL for part in plain):
        shape = ctx.shape(ctx.node)
        return input if ctx.shape(input) == shape else ctx.call(torch.reshape, input, shape, like=ctx.node)
    while plain[-1] == ALL:
        plain = plain[:-1]
    return ctx.call(getitem, input, plain if len(plain) > 1 else plain[0], like=ctx.node)


def _index(axis: int, part: Any) -> Any:
    return (ALL,) * axis + (part,) if axis else part


def _plain(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """The index with `...` written out and whole slices bare; None where it is by tensors, lists or truth values."""
    given = index if isinstance(index, tuple) else (index,)
    if not all(_is_plain(part) for part in given):
        return None
    missing = len(shape) - sum(part is not None and part is not Ellipsis for part in given)
    place = next((place for place, part in enumerate(given) if part is Ellipsis), len(given))
    given = (*given[:place], *(ALL,) * missing, *given[place + 1 :])
    sizes = iter(shape)
    return tuple(part if part is None else _bare(part, next(sizes)) for part in given)


def _is_plain(part: Any) -> bool:
    if isinstance(part, slice):
        return all(bound is None or isinstance(bound, int) for bound in (part.start, part.stop, part.step))
    return part is None or part is Ellipsis or (isinstance(part, int) and not isinstance(part, bool))


def _bare(part: Any, size: int) -> Any:
    """A slice with bounds that do not matter left out; a place counted from the front."""
    if isinstance(part, int):
        return part % size
    start, stop, step = part.indices(size)
    return slice(start or None, None if stop >= size else stop, None if step == 1 else step)
