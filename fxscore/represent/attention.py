"""Attention keeps its own form, with synthesised projections (METHOD.md section 1)."""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.errors import UnrepresentedOperatorError
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents


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
    _refuse_unusual(ctx, bias_k, add_zero_attn, key_padding_mask, static_k)
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        ctx.drop(in_proj_bias, form="synthesised")
        q, k, v = (
            _project(ctx, x, ctx.weight(w), in_proj_bias)
            for x, w in zip((query, key, value), weights, strict=True)
        )
    else:
        ctx.drop(in_proj_weight, in_proj_bias, form="synthesised")
        q, k, v = _packed_projections(ctx, query, key, value, in_proj_bias)
    length, batch = ctx.shape(query)[:2]
    heads = [_split_heads(ctx, x, num_heads) for x in (q, k, v)]
    mask = None if attn_mask is None else _mask_shape(ctx, attn_mask, batch, num_heads)
    attended = ctx.call(F.scaled_dot_product_attention, *heads, mask, 0.0, is_causal and mask is None)
    joined = ctx.call(
        torch.reshape, ctx.call(torch.permute, attended, (2, 0, 1, 3)), (length, batch, embed_dim)
    )
    output = ctx.call(F.linear, joined, ctx.weight(out_proj_weight), ctx.weight(out_proj_bias))
    return ctx.call(tuple_of, ctx.unitise(output), None, like=ctx.node)


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


def _refuse_unusual(ctx: RewriteContext, *options: Any) -> None:
    if any(option is not None and option is not False for option in options):
        raise UnrepresentedOperatorError(
            "attention with bias_k, add_zero_attn, key_padding_mask or static keys"
        )
    if any(user.args[1] == 1 and user.users for user in ctx.node.users):
        raise UnrepresentedOperatorError("attention whose weights are used as an output (need_weights=True)")


def _packed_projections(
    ctx: RewriteContext, query: fx.Node, key: fx.Node, value: fx.Node, bias: Any
) -> list[fx.Node]:
    """One joint projection where query, key and value are one tensor; else one each."""
    channels = ctx.shape(query)[-1]
    if not query == key == value:
        return [_project(ctx, x, ctx.synthesise((channels, channels)), bias) for x in (query, key, value)]
    joint = ctx.call(
        F.linear, query, ctx.synthesise((3 * channels, channels)), _bias(ctx, bias, 3 * channels)
    )
    joint = ctx.unitise(joint)
    chunks = ctx.call(torch.chunk, joint, 3, -1)
    return [ctx.call(getitem, chunks, index) for index in range(3)]


def _project(ctx: RewriteContext, value: fx.Node, weight: fx.Node, bias: Any) -> fx.Node:
    return ctx.unitise(ctx.call(F.linear, value, weight, _bias(ctx, bias, ctx.shape(weight)[0])))


def _bias(ctx: RewriteContext, bias: Any, length: int) -> Any:
    return None if bias is None else ctx.synthesise((length,))


def _split_heads(ctx: RewriteContext, value: fx.Node, heads: int) -> fx.Node:
    length, batch, channels = ctx.shape(value)
    split = ctx.call(torch.reshape, value, (length, batch, heads, channels // heads))
    return ctx.call(torch.permute, split, (1, 2, 0, 3))


def _mask_shape(ctx: RewriteContext, mask: fx.Node, batch: int, heads: int) -> fx.Node:
    shape = ctx.shape(mask)
    return ctx.call(torch.reshape, mask, (batch, heads, *shape[1:])) if len(shape) == 3 else mask
