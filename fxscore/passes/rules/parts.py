"""Slices that share out an axis equally are its chunks, and single places that do are its unbinding."""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
from torch import fx

from fxscore.passes.rules.heads import part_of_split
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext
from fxscore.represent.parts import ALL


@rewrites(getitem)
def slices(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x[:, :c]` and `x[:, c:]` of 2c channels are the halves of `x.chunk(2, 1)`; `x[0]`, `x[1]` of two `x.unbind(0)`.

    Only where the other parts are used as well: the first token of a sequence is no part of an equal division.
    """
    source: Any = node.args[0]
    place = _place(node)
    if place is None or not isinstance(source.meta.get("val"), torch.Tensor):
        return None
    axis, start, stop = place
    if stop is None and (part := part_of_split(ctx, source, axis, start)) is not None:
        return part
    size = ctx.shape(source)[axis]
    width = 1 if stop is None else stop - start
    count, rest = divmod(size, width)
    if rest or count < 2:
        return None
    last = axis == len(ctx.shape(source)) - 1
    args = (axis,) if stop is None else (count, -1 if last else axis)
    target = torch.unbind if stop is None else torch.chunk
    parts = next((user for user in source.users if user.target is target and user.args[1:] == args), None)
    if parts is None:
        used = {_place(user) for user in source.users if user.target is getitem}
        ends = {(axis, first, None if stop is None else first + width) for first in range(0, size, width)}
        if not ends <= used:
            return None
        parts = ctx.call(target, source, *args)
    return ctx.call(getitem, parts, start // width, like=node)


def _place(node: fx.Node) -> tuple[int, int, int | None] | None:
    """(axis, first, end) of an index along one axis; no end for a single place; None for any other index."""
    index = node.args[1]
    parts = index if isinstance(index, tuple) else (index,)
    source: Any = node.args[0]
    if any(part != ALL for part in parts[:-1]) or not isinstance(source.meta.get("val"), torch.Tensor):
        return None
    axis, last = len(parts) - 1, parts[-1]
    if isinstance(last, int) and not isinstance(last, bool):
        return axis, last, None
    if not isinstance(last, slice) or last.step is not None:
        return None
    start, stop, _ = last.indices(source.meta["val"].shape[axis])
    return (axis, start, stop) if stop > start else None
