"""Heads of attention in one form: (batch, heads, length, channels), of chunks of a joint projection."""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
from torch import fx

from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext


@rewrites(getitem)
def unbound(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x.reshape(…, 3, heads, channels).permute(2, …).unbind(0)[i]` is a chunk of `x`."""
    parts: Any = node.args[0]
    if parts.target is not torch.unbind or len(parts.args) != 2:
        return None
    return part_of_split(ctx, parts.args[0], parts.args[1], node.args[1])


def part_of_split(ctx: RewriteContext, source: Any, axis: int, index: Any) -> fx.Node | None:
    """Place `index` along an axis of `source`, where that axis counts equal parts of the last axis of `x`.

    Returns:
        The part as a chunk of `x`, reshaped and permuted as `source` is; None where `source` is anything else.
    """
    order = tuple(range(len(ctx.shape(source))))
    if source.target is torch.permute:
        source, order = source.args
    if source.target is not torch.reshape:
        return None
    whole, after = source.args[0], ctx.shape(source)
    last = len(ctx.shape(whole)) - 1
    if order[axis] != last or after[:last] != ctx.shape(whole)[:last] or len(after) == last + 1:
        return None
    part = ctx.call(getitem, ctx.call(torch.chunk, whole, after[last], -1), index)
    apart = ctx.call(torch.reshape, part, (*after[:last], *after[last + 1 :]))
    return ctx.call(torch.permute, apart, tuple(each - (each > last) for each in order if each != last))


def with_heads_apart(ctx: RewriteContext, operands: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Queries, keys and values before their heads were folded into the batch; None where they were not, all alike."""
    apart = tuple(_apart(ctx, operand) for operand in operands)
    leading = {each and ctx.shape(each)[:-2] for each in apart}
    return apart if None not in leading and len(leading) == 1 else None


def _apart(ctx: RewriteContext, operand: fx.Node) -> fx.Node | None:
    """(batch · heads, length, channels) as (batch, heads, length, channels), by either way of folding."""
    moved = operand.target is torch.permute and operand.args[1] == (1, 0, 2)
    folded: Any = operand.args[0] if moved else operand
    if folded.target is not torch.reshape:
        return None
    source: fx.Node = folded.args[0]
    before, shape = ctx.shape(source), ctx.shape(operand)
    if not moved:
        return source if len(before) > len(shape) and before[-2:] == shape[-2:] else None
    length, batch = before[:2] if len(before) == 3 else (0, 0)
    if length != shape[1] or not batch or shape[0] % batch:
        return None
    split = ctx.call(torch.reshape, source, (length, batch, shape[0] // batch, shape[2]))
    return ctx.call(torch.permute, split, (1, 2, 0, 3))
