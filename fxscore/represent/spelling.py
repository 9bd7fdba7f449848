"""One spelling for operators without weights, so that equal computations are equal graphs.

Sizes are known, so every change of shape is one `reshape` and every change of axis order one `permute`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents

Size = int | Sequence[int]


@represents("reshape", "view", "view_as", "reshape_as", torch.reshape, torch.flatten, torch.squeeze, torch.unsqueeze,
            torch.unflatten, torch.ravel, "unflatten")  # fmt: skip
def reshape(ctx: RewriteContext, input: fx.Node, *_: Any, **__: Any) -> fx.Node:
    """Every operator that keeps the order of elements is a reshape."""
    if input.meta["val"].dtype != ctx.node.meta["val"].dtype:  # `view(dtype)` reads the bytes anew
        return ctx.node
    return ctx.call(torch.reshape, input, ctx.shape(ctx.node), like=ctx.node)


@represents("permute", torch.permute)
def permute(ctx: RewriteContext, input: fx.Node, *dims: Any, **named: Any) -> fx.Node:
    """`x.permute(0, 2, 1)` or `torch.permute(x, (0, 2, 1))`."""
    order = named.get("dims", dims[0] if len(dims) == 1 and isinstance(dims[0], (list, tuple)) else dims)
    rank = len(ctx.shape(input))
    return ctx.call(torch.permute, input, tuple(dim % rank for dim in order), like=ctx.node)


@represents(torch.transpose, torch.swapaxes, torch.swapdims)
def transpose(ctx: RewriteContext, input: fx.Node, dim0: int, dim1: int) -> fx.Node:
    """Two axes change places."""
    order = list(range(len(ctx.shape(input))))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return ctx.call(torch.permute, input, tuple(order), like=ctx.node)


@represents(torch.t, torch.adjoint)
def matrix_transpose(ctx: RewriteContext, input: fx.Node) -> fx.Node:
    """The last two axes change places."""
    return transpose(ctx, input, -2, -1) if len(ctx.shape(input)) > 1 else input


@represents("where")
def where(ctx: RewriteContext, input: fx.Node, condition: fx.Node, other: Any) -> fx.Node:
    """The method, which is called on the first of the two values."""
    return ctx.call(torch.where, condition, input, other, like=ctx.node)


@represents(F.relu, torch.relu)
def relu(ctx: RewriteContext, input: fx.Node, inplace: bool = False) -> fx.Node:
    """ReLU."""
    return ctx.call(F.relu, input, like=ctx.node)


@represents(torch.clamp, torch.clip)
def clamp(ctx: RewriteContext, input: fx.Node, min: Any = None, max: Any = None) -> fx.Node:
    """A clamp from 0 on is ReLU, from 0 to 6 ReLU6."""
    return _clamp(ctx, input, min, max)


@represents(F.hardtanh)
def hardtanh(
    ctx: RewriteContext, input: fx.Node, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> fx.Node:
    """A clamp under another name."""
    return _clamp(ctx, input, min_val, max_val)


@represents(F.relu6)
def relu6(ctx: RewriteContext, input: fx.Node, inplace: bool = False) -> fx.Node:
    """ReLU6."""
    return _clamp(ctx, input, 0, 6)


@represents(torch.softmax, F.softmax)
def softmax(ctx: RewriteContext, input: fx.Node, dim: int = -1, *_: Any, dtype: Any = None) -> fx.Node:
    """Softmax over an axis counted from the front."""
    typed = {} if dtype is None else {"dtype": dtype}
    return ctx.call(torch.softmax, input, dim % len(ctx.shape(input)), like=ctx.node, **typed)


@represents(torch.mean)
def mean(
    ctx: RewriteContext, input: fx.Node, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> fx.Node:
    """A mean that keeps its axes, then a reshape where they are not kept."""
    rank = len(ctx.shape(input))
    dims = range(rank) if dim is None else [dim] if isinstance(dim, int) else list(dim) or range(rank)
    return _mean(ctx, input, tuple(sorted(axis % rank for axis in dims)))


@represents(F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
def adaptive_average_pool(ctx: RewriteContext, input: fx.Node, output_size: Size) -> fx.Node:
    """Pooling to one position is a mean over the positions, pooling to every position is nothing."""
    spatial = ctx.shape(ctx.node)[-_pool_rank(ctx) :]
    rank = len(ctx.shape(input))
    if all(length == 1 for length in spatial):
        return _mean(ctx, input, tuple(range(rank - len(spatial), rank)))
    if ctx.shape(input) == ctx.shape(ctx.node):
        return input
    return ctx.call(ctx.node.target, input, spatial, like=ctx.node)


@represents(F.max_pool2d, torch.max_pool2d)
def max_pool2d(
    ctx: RewriteContext,
    input: fx.Node,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> fx.Node:
    """Max pooling with every setting written out."""
    if return_indices:
        return ctx.node
    sizes = (kernel_size, kernel_size if stride in (None, [], ()) else stride, padding, dilation)
    return ctx.call(F.max_pool2d, input, *map(_pair, sizes), ceil_mode, like=ctx.node)


@represents(F.avg_pool2d)
def average_pool2d(
    ctx: RewriteContext,
    input: fx.Node,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> fx.Node:
    """Average pooling with every setting written out."""
    sizes = (kernel_size, kernel_size if stride in (None, [], ()) else stride, padding)
    settings = (ceil_mode, count_include_pad, divisor_override)
    return ctx.call(F.avg_pool2d, input, *map(_pair, sizes), *settings, like=ctx.node)


def _simple(function: Any, settings: dict[str, Any]) -> Any:
    """An activation whose only settings are its own, each with its default: a default is not written out."""

    def rule(ctx: RewriteContext, input: fx.Node, *args: Any, **kwargs: Any) -> fx.Node:
        given = {**dict(zip(settings, args, strict=False)), **kwargs}
        changed = {name: value for name, value in given.items() if value != settings.get(name)}
        return ctx.call(function, input, like=ctx.node, **changed)

    return rule


_WITHOUT_SETTINGS = (
    F.silu,
    F.hardswish,
    F.hardsigmoid,
    F.mish,
    F.selu,
    F.softsign,
    F.tanhshrink,
    F.logsigmoid,
)
_WITH_SETTINGS: dict[Any, dict[str, Any]] = {
    F.gelu: {"approximate": "none"},
    F.elu: {"alpha": 1.0},
    F.celu: {"alpha": 1.0},
    F.leaky_relu: {"negative_slope": 0.01},
    F.softplus: {"beta": 1, "threshold": 20},
    F.hardshrink: {"lambd": 0.5},
    F.softshrink: {"lambd": 0.5},
}
represents(torch.sigmoid, F.sigmoid)(_simple(torch.sigmoid, {}))
represents(torch.tanh, F.tanh)(_simple(torch.tanh, {}))
for _function in (*_WITHOUT_SETTINGS, *_WITH_SETTINGS):
    represents(_function)(_simple(_function, _WITH_SETTINGS.get(_function, {})))


def _clamp(ctx: RewriteContext, input: fx.Node, low: Any, high: Any) -> fx.Node:
    if low == 0 and high is None:
        return ctx.call(F.relu, input, like=ctx.node)
    if low == 0 and high == 6:
        return ctx.call(F.relu6, input, like=ctx.node)
    return ctx.call(torch.clamp, input, low, high, like=ctx.node)


def _mean(ctx: RewriteContext, input: fx.Node, axes: tuple[int, ...]) -> fx.Node:
    kept = ctx.call(torch.mean, input, axes, True)
    return (
        kept if ctx.shape(kept) == ctx.shape(ctx.node) else ctx.call(torch.reshape, kept, ctx.shape(ctx.node))
    )


def _pool_rank(ctx: RewriteContext) -> int:
    ranks: dict[Any, int] = {F.adaptive_avg_pool1d: 1, F.adaptive_avg_pool2d: 2, F.adaptive_avg_pool3d: 3}
    return ranks[ctx.node.target]


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])
