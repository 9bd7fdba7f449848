"""Arithmetic, with learnable tensors used directly decided by use (METHOD.md section 1).

A weight that multiplies by a scalar or per channel is one, a weight that is added per channel is zero; any other
(a position embedding, a bias table) is synthesised at its shape with unit variance.
"""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents


@represents(torch.add)
def add(ctx: RewriteContext, input: Any, other: Any, *, alpha: float = 1) -> fx.Node:
    """A sum; a shift per channel is zero."""
    if (kept := _without_channel_weight(ctx, input, other, "zero")) is not None:
        return kept
    scaled = {} if alpha == 1 else {"alpha": alpha}
    return ctx.call(torch.add, input, other, like=ctx.node, **scaled)


@represents(torch.mul)
def mul(ctx: RewriteContext, input: Any, other: Any) -> fx.Node:
    """A product; a scale per channel is one, or minus one where its sign is certain (the decay −exp(w) of a state)."""
    if (kept := _without_channel_weight(ctx, input, other, "one")) is not None:
        turned = any(ctx.is_weight(each) and _is_negative(each) for each in (input, other))
        return ctx.call(torch.neg, kept, like=ctx.node) if turned else kept
    return ctx.call(torch.mul, input, other, like=ctx.node)


@represents(torch.sub)
def sub(ctx: RewriteContext, input: Any, other: Any, *, alpha: float = 1) -> fx.Node:
    """A difference; a shift per channel is zero."""
    if (kept := _without_channel_weight(ctx, input, other, "zero")) is not None:
        return ctx.call(torch.neg, kept, like=ctx.node) if ctx.is_weight(input) else kept
    scaled = {} if alpha == 1 else {"alpha": alpha}
    return ctx.call(torch.sub, input, other, like=ctx.node, **scaled)


@represents(torch.rsub)
def rsub(ctx: RewriteContext, input: Any, other: Any, *, alpha: float = 1) -> fx.Node:
    """`other - input`, the reflected spelling."""
    if alpha != 1 or not isinstance(other, fx.Node):
        return ctx.call(torch.rsub, input, other, like=ctx.node, **({} if alpha == 1 else {"alpha": alpha}))
    return sub(ctx, other, input)


@represents(torch.div)
def div(ctx: RewriteContext, input: Any, other: Any, *, rounding_mode: str | None = None) -> fx.Node:
    """A quotient; a divisor per channel is one."""
    if (kept := _without_channel_weight(ctx, input, other, "one")) is not None:
        return ctx.call(torch.reciprocal, kept, like=ctx.node) if ctx.is_weight(input) else kept
    rounded = {} if rounding_mode is None else {"rounding_mode": rounding_mode}
    return ctx.call(torch.div, input, other, like=ctx.node, **rounded)


@represents("__rdiv__", "__rtruediv__")
def reflected_div(ctx: RewriteContext, input: fx.Node, other: float) -> fx.Node:
    """`other / input` with a number: the reciprocal, times the number."""
    inverse = ctx.call(torch.reciprocal, input, like=ctx.node)
    return inverse if other == 1 else ctx.call(torch.mul, inverse, other, like=ctx.node)


@represents(F.prelu)
def prelu(ctx: RewriteContext, input: fx.Node, weight: Any) -> fx.Node:
    """The learnable slope is the one that PyTorch starts from, 0.25: the value itself is never read."""
    ctx.drop(weight, form="0.25")
    return ctx.call(F.leaky_relu, input, 0.25, like=ctx.node)


def _without_channel_weight(ctx: RewriteContext, first: Any, second: Any, form: str) -> fx.Node | None:
    """The other operand, at the result's shape, where one operand is a scalar or per-channel weight."""
    if ctx.is_weight(ctx.node):
        return None
    for weight, other in ((first, second), (second, first)):
        if ctx.is_weight(weight) and isinstance(other, fx.Node) and is_per_channel(ctx.shape(weight)):
            ctx.drop(weight, form=form)
            return _expand(ctx, other)
    return None


_POSITIVE = {torch.exp, torch.abs, torch.square, torch.sigmoid, F.sigmoid, F.softplus, torch.relu, F.relu}
_KEEP_SIGNS = {
    "to",
    "view",
    "reshape",
    "expand",
    "float",
    torch.reshape,
    torch.unsqueeze,
    torch.squeeze,
    getitem,
}


def _is_negative(weight: fx.Node) -> bool:
    """Whether what is computed from a parameter is below zero whatever the parameter holds: −exp(w), −softplus(w)."""
    outer = _without_forms(weight)
    return outer.target is torch.neg and _without_forms(outer.args[0]).target in _POSITIVE


def _without_forms(node: Any) -> fx.Node:
    """What a tensor was before its shape, its type or its place in another changed."""
    while node.op != "get_attr" and node.target in _KEEP_SIGNS:
        node = node.args[0]
    return node  # type: ignore[no-any-return]


def is_per_channel(shape: tuple[int, ...]) -> bool:
    """Whether a tensor of this shape holds a scalar or one number per position of a single axis."""
    return sum(length > 1 for length in shape) <= 1


def _expand(ctx: RewriteContext, node: fx.Node) -> fx.Node:
    shape = ctx.shape(ctx.node)
    return node if ctx.shape(node) == shape else ctx.call("expand", node, shape)
