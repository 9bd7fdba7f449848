"""Norms in single steps: `(x - mean) / sqrt(var + eps)` is LayerNorm, `x / sqrt(mean(x²) + eps)` RMSNorm.

A deviation that is corrected for the mean (`torch.std`'s default) differs by a constant factor alone, and counts too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.ops import batch_axis_norm
from fxscore.passes.rules.pattern import (
    Call,
    Either,
    Number,
    Setting,
    Value,
    match,
    mean,
    over,
    over_root,
    plus,
    root,
    square,
)
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext

_X, _EPS, _AXES = Value("x"), Number("eps"), Setting("axes")
_CORRECTED = {"correction": Setting("correction"), "keepdim": True}
_CENTRED = Call(torch.sub, (_X, mean(_X, _AXES)))
_VARIANCE = Either(
    (
        Call(torch.var, (_X, _AXES), _CORRECTED),
        mean(square(_CENTRED), _AXES),
        Call(torch.sub, (mean(square(_X), _AXES), square(mean(_X, _AXES)))),
        Call(torch.var, (_CENTRED, _AXES), _CORRECTED),
    )
)
_DEVIATION = Either((Call(torch.std, (_X, _AXES), _CORRECTED), root(_VARIANCE)))
_LAYER_NORM = Either(
    (
        over_root(_CENTRED, plus(_VARIANCE, _EPS)),
        over(_CENTRED, plus(_DEVIATION, _EPS)),
        over(_CENTRED, _DEVIATION),
    )
)
_MEAN_SQUARE = mean(square(_X), _AXES)
_RMS_NORM = Either(
    (
        over_root(_X, plus(_MEAN_SQUARE, _EPS)),
        over(_X, plus(root(_MEAN_SQUARE), _EPS)),
        over_root(_X, _MEAN_SQUARE),
    )
)


@rewrites(torch.div, torch.mul)
def layer_norm(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """LayerNorm by its axes: over channels, over the map (InstanceNorm), over both (GroupNorm of one group)."""
    found = match(_LAYER_NORM, node)
    if found is None or ctx.shape(found["x"]) != ctx.shape(node):
        return None
    value, axes, eps = found["x"], found["axes"], float(found.get("eps", 0.0))
    rank = len(ctx.shape(value))
    if axes in ((0,), (0, *range(2, rank))):
        return ctx.call(batch_axis_norm, value, like=node)
    if rank > 3 and axes == tuple(range(2, rank)):
        return ctx.call(F.instance_norm, value, eps=eps, like=node)
    if rank > 3 and axes == tuple(range(1, rank)):
        return ctx.call(F.group_norm, value, 1, None, None, eps, like=node)
    return with_axes_last(
        ctx, value, axes, lambda last, shape: ctx.call(F.layer_norm, last, shape, None, None, eps, like=last)
    )


@rewrites(torch.div, torch.mul)
def rms_norm(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """RMSNorm over any axes."""
    found = match(_RMS_NORM, node)
    if found is None or ctx.shape(found["x"]) != ctx.shape(node):
        return None
    eps = float(found.get("eps", 0.0))
    return with_axes_last(
        ctx,
        found["x"],
        found["axes"],
        lambda last, shape: ctx.call(F.rms_norm, last, shape, None, eps, like=last),
    )


@rewrites(torch.reshape)
def group_norm(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """A norm over all but the batch and the first axis of channels split in groups."""
    norm = node.args[0]
    if not isinstance(norm, fx.Node) or norm.target not in (F.layer_norm, F.instance_norm):
        return None
    split = norm.args[0]
    if not isinstance(split, fx.Node) or split.target is not torch.reshape:
        return None
    value: Any = split.args[0]
    shape, parts = ctx.shape(value), ctx.shape(split)
    layered = norm.target is F.layer_norm and len(norm.args[1]) == len(parts) - 2  # type: ignore[arg-type]
    if shape != ctx.shape(node) or len(shape) < 3 or not (layered or norm.target is F.instance_norm):
        return None
    eps = norm.args[4] if layered else norm.kwargs.get("eps", 1e-5)
    # Images may be folded into channels, or channels into images.
    groups, rest = divmod(prod(parts[:2]), shape[0])
    if rest or groups == 0 or shape[1] % groups:
        return None
    if groups == shape[1]:
        return ctx.call(F.instance_norm, value, eps=eps, like=node)
    return ctx.call(F.group_norm, value, groups, None, None, eps, like=node)


def with_axes_last(
    ctx: RewriteContext,
    value: fx.Node,
    axes: tuple[int, ...],
    norm: Callable[[fx.Node, tuple[int, ...]], fx.Node],
) -> fx.Node:
    """`norm` of the last axes, with the axes brought there and back."""
    shape = ctx.shape(value)
    order = (*(axis for axis in range(len(shape)) if axis not in axes), *axes)
    lengths = tuple(shape[axis] for axis in axes)
    if order == tuple(range(len(shape))):
        return norm(value, lengths)
    back = tuple(order.index(axis) for axis in range(len(shape)))
    return ctx.call(torch.permute, norm(ctx.call(torch.permute, value, order), lengths), back)
