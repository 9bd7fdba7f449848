"""Packed sequences of one length are padded sequences: packing leaves nothing out, and is a change of shape.

Sequences of several lengths stay packed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from fxscore.capture.torch_private import PACK, UNPACK
from fxscore.represent.attention import tuple_of
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents
from fxscore.types import Shape


@represents(PACK)
def pack(ctx: RewriteContext, input: fx.Node, lengths: fx.Node, batch_first: bool = False) -> fx.Node:
    """(B, T, channels), or time first, to (T · B, channels), step by step."""
    sizes, steps = ctx.constant(lengths), ctx.shape(input)[int(batch_first)]
    if sizes is None or not bool((sizes == steps).all()):
        return ctx.node
    flat = rows_of(ctx, input) if batch_first else _flattened(ctx, input)
    return ctx.call(tuple_of, flat, like=ctx.node)


@represents(UNPACK)
def unpack(
    ctx: RewriteContext, data: fx.Node, batch_sizes: fx.Node, batch_first: bool = False, *_: Any
) -> fx.Node:
    """And back."""
    shape = one_length(ctx, data, batch_sizes)
    padded = ctx.node.meta["val"][0].shape
    if shape is None or padded[int(batch_first)] != shape[0]:
        return ctx.node
    steps = ctx.call(torch.reshape, data, shape)
    order = (1, 0, *range(2, len(shape)))
    return ctx.call(tuple_of, ctx.call(torch.permute, steps, order) if batch_first else steps, like=ctx.node)


@represents(torch.index_select)
def index_select(ctx: RewriteContext, input: fx.Node, dim: int, index: Any) -> fx.Node:
    """Every place in its order is nothing: sequences of one length, sorted by it."""
    places = ctx.constant(index)
    length = ctx.shape(input)[dim]
    if (
        ctx.is_weight(ctx.node)
        or places is None
        or not torch.equal(places, torch.arange(length).to(places.dtype))
    ):
        return ctx.node
    return input


def one_length(ctx: RewriteContext, data: fx.Node, batch_sizes: Any) -> Shape | None:
    """(steps, batch, …) of packed sequences that all have one length; None for others."""
    sizes = ctx.constant(batch_sizes)
    if sizes is None or bool((sizes != sizes[0]).any()):
        return None
    return (len(sizes), int(sizes[0]), *ctx.shape(data)[1:])


def rows_of(ctx: RewriteContext, sequence: fx.Node) -> fx.Node:
    """(B, T, …) as packed data, (T · B, …)."""
    return _flattened(ctx, ctx.call(torch.permute, sequence, (1, 0, *range(2, len(ctx.shape(sequence))))))


def _flattened(ctx: RewriteContext, steps: fx.Node) -> fx.Node:
    first, second, *rest = ctx.shape(steps)
    return ctx.call(torch.reshape, steps, (first * second, *rest))
