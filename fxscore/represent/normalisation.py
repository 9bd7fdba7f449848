"""Normalisation layers: BatchNorm over the batch axis alone, all others in their own form without affine.

Source: METHOD.md section 1. Running statistics are never read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from fxscore.ops import batch_axis_norm
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents


@represents(F.batch_norm)
def batch_norm(
    ctx: RewriteContext,
    input: fx.Node,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    *_: Any,
    **__: Any,
) -> fx.Node:
    """BatchNorm becomes a norm over the batch axis, per channel and position; a norm of weights alone stays one.

    With its own statistics of a batch of one, into whose channels images were folded, it is an InstanceNorm.
    """
    _drop_affine(ctx, weight, bias)
    shape = ctx.shape(input)
    if training and len(shape) > 2 and shape[0] == 1 and not ctx.is_weight(input):
        return ctx.call(F.instance_norm, input, eps=1e-5, like=ctx.node)
    return ctx.call(batch_axis_norm, input, like=ctx.node)


@represents(torch.batch_norm)
def torch_batch_norm(
    ctx: RewriteContext, input: fx.Node, weight: Any, bias: Any, *_: Any, **__: Any
) -> fx.Node:
    """The lower-level spelling, with its arguments in another order."""
    return batch_norm(ctx, input, None, None, weight, bias)


@represents(
    "FrozenBatchNorm2d",  # torchvision's and timm's
    "DetrFrozenBatchNorm2d",
    "ConditionalDetrFrozenBatchNorm2d",
    "DeformableDetrFrozenBatchNorm2d",
    "RTDetrFrozenBatchNorm2d",
    "TableTransformerFrozenBatchNorm2d",
)
def frozen_batch_norm(ctx: RewriteContext, module: nn.Module, input: fx.Node) -> fx.Node:
    """A BatchNorm whose affine and statistics are buffers is a BatchNorm."""
    return ctx.call(batch_axis_norm, input, like=ctx.node)


@represents(F.layer_norm, torch.layer_norm)
def layer_norm(
    ctx: RewriteContext,
    input: fx.Node,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    *_: Any,
    **__: Any,
) -> fx.Node:
    """LayerNorm keeps no batch statistic: its own form, without affine. Over a whole map it is an InstanceNorm."""
    _drop_affine(ctx, weight, bias)
    behind = len(ctx.shape(input)) - len(normalized_shape)
    if behind == 2 and len(normalized_shape) > 1 and not ctx.is_weight(input):
        return ctx.call(F.instance_norm, input, eps=eps, like=ctx.node)
    return ctx.call(F.layer_norm, input, tuple(normalized_shape), None, None, eps, like=ctx.node)


@represents(F.group_norm, torch.group_norm)
def group_norm(
    ctx: RewriteContext,
    input: fx.Node,
    num_groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    *_: Any,
    **__: Any,
) -> fx.Node:
    """GroupNorm: its own form, without affine."""
    _drop_affine(ctx, weight, bias)
    return ctx.call(F.group_norm, input, num_groups, None, None, eps, like=ctx.node)


@represents(F.instance_norm)
def instance_norm(
    ctx: RewriteContext,
    input: fx.Node,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> fx.Node:
    """InstanceNorm: its own form over the input's statistics, without affine."""
    _drop_affine(ctx, weight, bias)
    return ctx.call(F.instance_norm, input, eps=eps, like=ctx.node)


@represents(F.rms_norm, torch.rms_norm)
def rms_norm(
    ctx: RewriteContext,
    input: fx.Node,
    normalized_shape: Sequence[int],
    weight: Any = None,
    eps: float | None = None,
) -> fx.Node:
    """RMSNorm: its own form, without scale."""
    _drop_affine(ctx, weight, None)
    return ctx.call(F.rms_norm, input, tuple(normalized_shape), None, eps, like=ctx.node)


def _drop_affine(ctx: RewriteContext, weight: Any, bias: Any) -> None:
    ctx.drop(weight, form="one")
    ctx.drop(bias, form="zero")
