"""Averages in several steps: a sum over its count, a mean of means, a mean of flattened positions."""

from __future__ import annotations

from math import isclose, prod
from typing import Any

import torch
from torch import fx

from fxscore.ops import sum_of
from fxscore.passes.rules.pattern import Call, Either, Number, Setting, Value, match, mean, times, total
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext

_X, _AXES, _COUNT, _SHARE = Value("x"), Setting("axes"), Number("count"), Number("share")
_TOTAL = Value("total")
_AVERAGE = Either((Call(torch.div, (_TOTAL, _COUNT)), times(_TOTAL, _SHARE)))
_INNER, _SHAPE = Setting("inner"), Setting("shape")
_AGAIN: dict[Any, Call] = {
    kind: Call(kind, (Either((once, Call(torch.reshape, (once, _SHAPE)))), _AXES, True))
    for kind, once in ((torch.mean, mean(_X, _INNER)), (torch.sum, total(_X, _INNER)))
}
_MEAN_OF_FLAT = mean(Call(torch.reshape, (_X, Setting("shape"))), _AXES)


@rewrites(torch.div, torch.mul)
def sum_over_count(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x.sum(axes) / count`."""
    scaled = match(_AVERAGE, node)
    found = None if scaled is None else match(total(_X, _AXES), _unshaped(scaled["total"]))
    if scaled is None or found is None:
        return None
    lengths = [ctx.shape(found["x"])[axis] for axis in found["axes"]]
    share = scaled["share"] if "share" in scaled else 1 / (scaled["count"] or 1)
    if not isclose(share * prod(lengths), 1, rel_tol=1e-6):
        return None
    return _reshaped(ctx, ctx.call(torch.mean, found["x"], found["axes"], True), ctx.shape(node))


@rewrites(torch.mean, torch.sum)
def axis_by_axis(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x.mean(3).mean(2)` is the mean over both axes, and so for sums."""
    found = match(_AGAIN[node.target], node)
    if found is None:
        return None
    shape, inner, outer = ctx.shape(found["x"]), found["inner"], found["axes"]
    if "shape" in found:
        left = [axis for axis in range(len(shape)) if axis not in inner]
        if tuple(found["shape"]) != tuple(shape[axis] for axis in left):
            return None
        outer = [left[axis] for axis in outer]
    kept = ctx.call(node.target, found["x"], tuple(sorted({*inner, *outer})), True)
    return _reshaped(ctx, kept, ctx.shape(node))


@rewrites(torch.mean)
def mean_of_flattened(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x.flatten(2).mean(2)` is the mean over height and width."""
    found = match(_MEAN_OF_FLAT, node)
    if found is None or len(found["axes"]) != 1:
        return None
    shape, flat, (axis,) = ctx.shape(found["x"]), tuple(found["shape"]), found["axes"]
    width = len(shape) - len(flat) + 1
    if width < 2 or shape[:axis] != flat[:axis] or shape[axis + width :] != flat[axis + 1 :]:
        return None
    kept = ctx.call(torch.mean, found["x"], tuple(range(axis, axis + width)), True)
    return _reshaped(ctx, kept, ctx.shape(node))


@rewrites(torch.sum, torch.mean)
def sum_of_stack(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """Values stacked only to be summed or averaged along the new axis are a sum of values."""
    stack: Any = node.args[0] if len(node.args) == 3 else node
    if stack.target is not torch.stack or len(stack.users) > 1 or not stack.args or len(stack.args[0]) < 2:
        return None
    dim = stack.args[1] if len(stack.args) > 1 else stack.kwargs.get("dim", 0)
    if node.args[1] != (dim % len(ctx.shape(stack)),):
        return None
    values = ctx.call(sum_of, *stack.args[0])
    if node.target is torch.mean:
        values = ctx.call(torch.mul, values, 1 / len(stack.args[0]))
    return _reshaped(ctx, values, ctx.shape(node))


def _unshaped(node: Any) -> Any:
    """What a value was before it was reshaped."""
    while node.target is torch.reshape:
        node = node.args[0]
    return node


def _reshaped(ctx: RewriteContext, value: fx.Node, shape: tuple[int, ...]) -> fx.Node:
    return value if ctx.shape(value) == shape else ctx.call(torch.reshape, value, shape)
