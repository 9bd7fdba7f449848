"""Attention keeps its own form, with synthesised projections (METHOD.md section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.errors import UnrepresentedOperatorError
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents
from fxscore.types import Shape


def tuple_of(*items: Any) -> tuple[Any, ...]:
    """Several results of one operator."""
    return items


@represents(F.multi_head_attention_forward)
def multi_head_attention(
    ctx: RewriteContext,
    query: fx.Node,
    key: fx.Node,
    value: fx.Node,
    embed_dim: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> fx.Node:
    """`nn.MultiheadAttention` on (length, batch, channels): projections, scaled dot products, output projection."""
    if static_k is not None or static_v is not None:
        raise UnrepresentedOperatorError("attention with static keys or values")
    own = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    inputs = [_batched(ctx, value) for value in (query, key, value)]
    projected = _projections(ctx, inputs, in_proj_weight, in_proj_bias, own)
    projected = _with_learned_keys(ctx, projected, (bias_k, bias_v))
    heads = [_split_heads(ctx, part, num_heads) for part in projected]
    if add_zero_attn:
        heads = [heads[0], *(ctx.call(F.pad, part, (0, 0, 0, 1)) for part in heads[1:])]
    mask = _mask(ctx, heads, attn_mask, key_padding_mask)
    causal = is_causal and mask is None
    attended = ctx.call(F.scaled_dot_product_attention, *heads, mask, 0.0, causal)
    joined = ctx.call(torch.reshape, ctx.call(torch.permute, attended, (2, 0, 1, 3)), ctx.shape(inputs[0]))
    output = ctx.unitise(ctx.call(F.linear, joined, ctx.weight(out_proj_weight), ctx.weight(out_proj_bias)))
    if len(ctx.shape(query)) == 2:
        output = ctx.call(torch.reshape, output, ctx.shape(query))
    shares = _shares(ctx, heads, mask, average_attn_weights) if _wants_shares(ctx) else None
    return ctx.call(tuple_of, output, shares, like=ctx.node)


@represents(F.scaled_dot_product_attention)
def scaled_dot_product_attention(
    ctx: RewriteContext,
    query: fx.Node,
    key: fx.Node,
    value: fx.Node,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> fx.Node:
    """Attention without weights of its own is itself, without dropout."""
    arguments = (attn_mask, 0.0, is_causal)
    options = {"scale": scale, "enable_gqa": enable_gqa} if scale is not None or enable_gqa else {}
    return ctx.call(F.scaled_dot_product_attention, query, key, value, *arguments, like=ctx.node, **options)


def _batched(ctx: RewriteContext, value: fx.Node) -> fx.Node:
    """(length, channels) as (length, 1, channels)."""
    shape = ctx.shape(value)
    return value if len(shape) == 3 else ctx.call(torch.reshape, value, (shape[0], 1, shape[1]))


def _projections(
    ctx: RewriteContext, inputs: Sequence[fx.Node], joint: Any, bias: Any, own: tuple[Any, Any, Any] | None
) -> list[fx.Node]:
    """Queries, keys and values: by weights of their own, by one joint projection of one tensor, or by its thirds."""
    channels = ctx.shape(inputs[0])[-1]
    ctx.drop(joint, bias, *(own or ()), form="synthesised")
    if own is None and inputs[0] == inputs[1] == inputs[2]:
        whole = _project(ctx, inputs[0], (3 * channels, channels), bias)
        chunks = ctx.call(torch.chunk, whole, 3, -1)
        return [ctx.call(getitem, chunks, index) for index in range(3)]
    return [_project(ctx, value, (channels, ctx.shape(value)[-1]), bias) for value in inputs]


def _project(ctx: RewriteContext, value: fx.Node, shape: Shape, bias: Any) -> fx.Node:
    offset = None if bias is None else ctx.synthesise(shape[:1])
    return ctx.unitise(ctx.call(F.linear, value, ctx.synthesise(shape), offset))


def _with_learned_keys(
    ctx: RewriteContext, projected: list[fx.Node], learned: tuple[Any, Any]
) -> list[fx.Node]:
    """`add_bias_kv`: one more key and value (1, 1, channels), the same for every row."""
    if learned[0] is None:
        return projected
    _, batch, channels = ctx.shape(projected[1])
    longer = [
        ctx.call(torch.cat, [part, ctx.call("expand", weight, (1, batch, channels))])
        for part, weight in zip(projected[1:], learned, strict=True)
    ]
    return [projected[0], *longer]


def _split_heads(ctx: RewriteContext, value: fx.Node, heads: int) -> fx.Node:
    length, batch, channels = ctx.shape(value)
    split = ctx.call(torch.reshape, value, (length, batch, heads, channels // heads))
    return ctx.call(torch.permute, split, (1, 2, 0, 3))


def _mask(ctx: RewriteContext, heads: Sequence[fx.Node], mask: Any, padding: Any) -> fx.Node | None:
    """One mask that scaled dot products add, or None.

    A mask of `nn.MultiheadAttention`, or of padded keys (batch, keys), is added, or true where it does *not* look.
    """
    batch, number, *_ = ctx.shape(heads[0])
    parts = []
    if mask is not None:
        shape = ctx.shape(mask)
        folded = len(shape) == 3
        parts.append(ctx.call(torch.reshape, mask, (batch, number, *shape[1:])) if folded else mask)
    if padding is not None:
        keys = ctx.shape(padding)[-1]
        parts.append(ctx.call(torch.reshape, padding, (batch, 1, 1, keys)))
    if not parts:
        return None
    missing = ctx.shape(heads[1])[2] - ctx.shape(parts[0])[-1]
    added = [_as_added(ctx, part, missing) for part in parts]
    return added[0] if len(added) == 1 else ctx.call(torch.add, *added)


def _as_added(ctx: RewriteContext, mask: fx.Node, missing: int) -> fx.Node:
    """A mask that is added to scores, nothing at the further keys that were appended."""
    if mask.meta["val"].dtype is torch.bool:
        zeros = ctx.call(torch.zeros_like, mask, dtype=torch.float32)
        mask = ctx.call(torch.masked_fill, zeros, mask, float("-inf"))
    return ctx.call(F.pad, mask, (0, missing)) if missing else mask


def _wants_shares(ctx: RewriteContext) -> bool:
    """Whether the second result, the shares of attention, is used."""
    return any(user.args[1] == 1 and user.users for user in ctx.node.users)


def _shares(ctx: RewriteContext, heads: Sequence[fx.Node], mask: fx.Node | None, average: bool) -> fx.Node:
    """softmax(q kᵀ / √width), (batch, queries, keys) as the mean over heads, or (batch, heads, queries, keys)."""
    keys = ctx.call(torch.permute, heads[1], (0, 1, 3, 2))
    scores = ctx.call(torch.div, ctx.call(torch.matmul, heads[0], keys), ctx.shape(heads[0])[-1] ** 0.5)
    masked = scores if mask is None else ctx.call(torch.add, scores, mask)
    shares = ctx.call(torch.softmax, masked, 3)
    wanted = tuple(ctx.node.meta["val"][1].shape)
    found = ctx.call(torch.mean, shares, (1,), True) if average else shares
    return found if ctx.shape(found) == wanted else ctx.call(torch.reshape, found, wanted)
