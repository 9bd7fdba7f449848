"""Attention in single steps, `softmax(q @ kᵀ · scale + mask) @ v`, is scaled dot-product attention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isclose, sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.base import is_sum
from fxscore.passes.rules.attention_mask import (
    Mask,
    added_mask,
    can_combine,
    combined,
    constant_mask,
    filled_mask,
)
from fxscore.passes.rules.heads import with_heads_apart
from fxscore.passes.rules.pattern import is_number
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext

_MOVES = (torch.reshape, torch.permute)


@dataclass(frozen=True)
class _Scores:
    """What a softmax is taken of: `query @ keys · scale`, with masks; `keys` is (…, channels, length)."""

    query: fx.Node
    keys: fx.Node
    scale: float
    masks: tuple[Mask, ...]


@rewrites(torch.matmul)
def attention(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`weights @ v`, or `vᵀ @ weightsᵀ`, which is its transpose."""
    weights: Any
    value: Any
    weights, value = node.args
    turned = _is_transpose(ctx, value)
    if turned:
        weights, value = value.args[0], weights
    scores = _scores(ctx, weights.args[0]) if _is_weights(ctx, weights) else None
    if scores is None or len({ctx.shape(each)[:-2] for each in (scores.query, scores.keys, value)}) > 1:
        return None
    if turned:
        return _transposed(ctx, _attend(ctx, scores, _transposed(ctx, value), None))
    return _attend(ctx, scores, value, node)


@rewrites(F.scaled_dot_product_attention)
def plain_settings(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """Fused attention: a scale that is the default is not written, a constant mask takes its one form."""
    if len(node.args) != 6:
        return None
    query, key, value, given, dropout, causal = node.args
    options: dict[str, Any] = dict(node.kwargs)
    scale = options.get("scale")
    if scale is not None and _is_default(ctx, query, scale):
        options["scale"] = None
    if options.get("scale") is None and not options.get("enable_gqa"):
        options = {}
    mask = constant_mask(ctx, given)
    if mask is not None:
        given, causal = mask.node(ctx), mask.causal
    return _fused(ctx, (query, key, value), (given, dropout, causal), options, node)


def _attend(ctx: RewriteContext, scores: _Scores, value: fx.Node, like: fx.Node | None) -> fx.Node:
    query, scale = _unscaled(scores.query, scores.scale)
    keys, scale = _unscaled(scores.keys, scale)
    options = {} if _is_default(ctx, query, scale) else {"scale": float(f"{scale:.6g}"), "enable_gqa": False}
    mask, causal = combined(ctx, scores.masks)
    operands = (query, _transposed(ctx, keys), value)
    fused = _fused(ctx, operands, (mask, 0.0, causal), options, like)
    assert fused is not None  # `like` is a product, which is another operator
    return fused


def _fused(
    ctx: RewriteContext,
    operands: tuple[Any, ...],
    settings: tuple[Any, ...],
    options: dict[str, Any],
    like: fx.Node | None,
) -> fx.Node | None:
    """Fused attention, with heads apart from the batch; None where that is what `like` is."""
    apart = with_heads_apart(ctx, operands) if settings[0] is None else None
    if apart is not None:
        attended = ctx.call(F.scaled_dot_product_attention, *apart, *settings, **options)
        return ctx.call(torch.reshape, attended, (*ctx.shape(operands[0])[:-1], ctx.shape(operands[2])[-1]))
    if like is not None and like.args == (*operands, *settings) and like.kwargs == options:
        return None
    return ctx.call(F.scaled_dot_product_attention, *operands, *settings, like=like, **options)


def _scores(ctx: RewriteContext, node: fx.Node) -> _Scores | None:
    """Walks from what the softmax is of to the product, by masks, the scale, and windows folded otherwise between."""
    outer, scale, masks = ctx.shape(node), 1.0, list[Mask]()
    while node.target is not torch.matmul:
        if (scaled := _scaled(node)) is not None:
            node, factor = scaled
            scale *= factor
        elif (folded := _folded(ctx, node)) is not None:
            node = folded
        else:
            found = added_mask(ctx, node) if is_sum(node) else filled_mask(ctx, node)
            if found is None or scale != 1.0 or ctx.shape(found[0]) != ctx.shape(node):
                return None  # a mask that is scaled as well is none
            masks.append(
                found[1] if ctx.shape(node) == outer else replace(found[1], spread=(ctx.shape(node), outer))
            )
            node = found[0]
    if ctx.shape(node) != outer or not can_combine(masks):
        return None
    query: Any
    keys: Any
    query, keys = node.args
    return _Scores(query, keys, scale, tuple(masks))


def _folded(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """The scores before their leading axes were folded otherwise."""
    before: Any = node.args[0] if node.target is torch.reshape else None
    return before if before is not None and ctx.shape(before)[-2:] == ctx.shape(node)[-2:] else None


def _scaled(node: fx.Node) -> tuple[fx.Node, float] | None:
    """(value, factor) of a value times or over a number."""
    if node.target not in (torch.mul, torch.div) or len(node.args) != 2 or node.kwargs:
        return None
    value, number = node.args
    if node.target is torch.mul and not isinstance(value, fx.Node):
        value, number = number, value
    if not isinstance(value, fx.Node) or not is_number(number) or not number:
        return None
    return value, float(number) if node.target is torch.mul else 1 / float(number)  # type: ignore[arg-type]


def _unscaled(node: fx.Node, scale: float) -> tuple[fx.Node, float]:
    """Queries or keys without a number that multiplies them, also before heads were split; (they, scale with it)."""
    scaled = _scaled(node)
    if scaled is not None:
        return _unscaled(scaled[0], scale * scaled[1])
    moved = node
    while moved.target in _MOVES and len(moved.users) == 1:
        moved = moved.args[0]  # type: ignore[assignment]
    scaled = _scaled(moved)
    if moved is node or scaled is None or len(moved.users) > 1:
        return node, scale
    moved.replace_all_uses_with(scaled[0])
    moved.graph.erase_node(moved)
    return _unscaled(node, scale * scaled[1])


def _is_weights(ctx: RewriteContext, node: Any) -> bool:
    """Whether a node is a softmax along its last axis of at least three, for one user."""
    if not isinstance(node, fx.Node) or node.target is not torch.softmax or len(node.users) > 1:
        return False
    rank = len(ctx.shape(node))
    return bool(rank > 2 and node.args[1] == rank - 1 and not node.kwargs)


def _is_transpose(ctx: RewriteContext, node: Any) -> bool:
    """Whether a node has the last two axes of its operand exchanged."""
    if not isinstance(node, fx.Node) or node.target is not torch.permute or len(node.users) > 1:
        return False
    return bool(node.args[1] == _exchange(len(ctx.shape(node))))


def _transposed(ctx: RewriteContext, node: fx.Node) -> fx.Node:
    if _is_transpose(ctx, node):
        return node.args[0]  # type: ignore[return-value]
    order = _exchange(len(ctx.shape(node)))
    if node.target is torch.permute:
        inner: Any = node.args[1]
        return ctx.call(torch.permute, node.args[0], tuple(inner[axis] for axis in order))
    return ctx.call(torch.permute, node, order)


def _exchange(rank: int) -> tuple[int, ...]:
    return (*range(rank - 2), rank - 1, rank - 2)


def _is_default(ctx: RewriteContext, query: Any, scale: Any) -> bool:
    return isclose(scale, 1 / sqrt(ctx.shape(query)[-1]), rel_tol=1e-5)
