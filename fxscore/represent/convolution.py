"""Convolutions keep their form; their weights come from the shared kernel (METHOD.md section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents

Size = int | Sequence[int]


def _convolution(function: Any, dims: int) -> Any:
    def rule(
        ctx: RewriteContext,
        input: fx.Node,
        weight: Any,
        bias: Any = None,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
    ) -> fx.Node:
        sizes = (
            _tuple(stride, dims),
            padding if isinstance(padding, str) else _tuple(padding, dims),
            _tuple(dilation, dims),
        )
        output = ctx.call(
            function, input, ctx.weight(weight), ctx.weight(bias), *sizes, groups, like=ctx.node
        )
        return ctx.unitise(output) if ctx.is_weight(weight) else output

    return rule


def _transposed_convolution(function: Any, dims: int) -> Any:
    def rule(
        ctx: RewriteContext,
        input: fx.Node,
        weight: Any,
        bias: Any = None,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        dilation: Size = 1,
    ) -> fx.Node:
        before = tuple(_tuple(size, dims) for size in (stride, padding, output_padding))
        after = (groups, _tuple(dilation, dims))
        output = ctx.call(
            function, input, ctx.weight(weight), ctx.weight(bias), *before, *after, like=ctx.node
        )
        return ctx.unitise(output) if ctx.is_weight(weight) else output

    return rule


@represents("torchvision.deform_conv2d", "torchvision.deform_conv2d.default")
def deformable_convolution(
    ctx: RewriteContext, input: fx.Node, weight: Any, offset: fx.Node, mask: Any, bias: Any, *settings: Any
) -> fx.Node:
    """`torchvision.ops.deform_conv2d`, by the name of its C++ operator; offsets and mask are values like any other."""
    output = ctx.call(
        ctx.node.target, input, ctx.weight(weight), offset, mask, ctx.weight(bias), *settings, like=ctx.node
    )
    return ctx.unitise(output) if ctx.is_weight(weight) else output


def _tuple(size: Size, dims: int) -> tuple[int, ...]:
    values = (size,) if isinstance(size, int) else tuple(size)
    return values * dims if len(values) == 1 else values


for _dims, _plain, _transposed in (
    (1, F.conv1d, F.conv_transpose1d),
    (2, F.conv2d, F.conv_transpose2d),
    (3, F.conv3d, F.conv_transpose3d),
):
    represents(_plain)(_convolution(_plain, _dims))
    represents(_transposed)(_transposed_convolution(_transposed, _dims))

assert torch.conv2d is F.conv2d  # one object under two names, so one rule
