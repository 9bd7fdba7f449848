"""A linear layer on rows that were joined into one axis, and are taken apart behind it, is the linear layer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.ops import unitise
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext


@rewrites(torch.reshape)
def folded_rows(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`linear(x.reshape(-1, c)).reshape(*x.shape[:-1], d)`, as fused layers (`torch.addmm`) are called."""
    scaled: Any = node.args[0]
    if scaled.target is not unitise or len(scaled.users) > 1:
        return None
    layer = scaled.args[0]
    if layer.target is not F.linear or len(layer.users) > 1 or layer.kwargs:
        return None
    rows = layer.args[0]
    if rows.target is not torch.reshape or len(ctx.shape(rows)) != 2:
        return None
    value = rows.args[0]
    before, after = ctx.shape(value), ctx.shape(node)
    if before[:-1] != after[:-1] or (before[-1], after[-1]) != (ctx.shape(rows)[-1], ctx.shape(layer)[-1]):
        return None
    whole = ctx.call(F.linear, value, *layer.args[1:], like=node)
    return ctx.call(unitise, whole, *scaled.args[1:], like=node)
