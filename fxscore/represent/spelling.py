"""One spelling for operators without weights, so that equal computations are equal graphs.

Sizes are known, so every change of shape is one `reshape` and every change of axis order one `permute`.
"""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.represent.context import RewriteContext
from fxscore.represent.reductions import pooled_to_shape
from fxscore.represent.registry import represents


@represents("reshape", "view", "view_as", "reshape_as", torch.reshape, torch.flatten, torch.squeeze, torch.unsqueeze,
            torch.unflatten, torch.ravel, "unflatten")  # fmt: skip
def reshape(ctx: RewriteContext, input: fx.Node, *_: Any, **__: Any) -> fx.Node:
    """Every operator that keeps the order of elements is a reshape."""
    if input.meta["val"].dtype != ctx.node.meta["val"].dtype:  # `view(dtype)` reads the bytes anew
        return ctx.node
    return ctx.call(torch.reshape, input, ctx.shape(ctx.node), like=ctx.node)


@represents(torch.view_as_complex)
def view_as_complex(ctx: RewriteContext, input: fx.Node) -> fx.Node:
    """Reads pairs that are neighbours in memory; what laid them out so is gone from the graph, so they are joined."""
    real, imaginary = (ctx.call(getitem, input, (Ellipsis, part)) for part in (0, 1))
    return ctx.call(torch.complex, real, imaginary, like=ctx.node)


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


@represents(torch.bitwise_not)
def invert(ctx: RewriteContext, input: fx.Node) -> fx.Node:
    """`~x` of truth values is their logical negation."""
    boolean = input.meta["val"].dtype == torch.bool
    return ctx.call(torch.logical_not, input, like=ctx.node) if boolean else ctx.node


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


@represents(F.leaky_relu)
def leaky_relu(
    ctx: RewriteContext, input: fx.Node, negative_slope: float = 0.01, inplace: bool = False
) -> fx.Node:
    """A slope of 0 is ReLU, of 1 nothing; PyTorch's own slope is not written out."""
    if negative_slope == 0:
        return ctx.call(F.relu, input, like=ctx.node)
    if negative_slope == 1:
        return input
    settings = {} if negative_slope == 0.01 else {"negative_slope": negative_slope}
    return ctx.call(F.leaky_relu, input, like=ctx.node, **settings)


@represents(F.rrelu, torch.rrelu)
def randomised_relu(
    ctx: RewriteContext,
    input: fx.Node,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> fx.Node:
    """Outside training its slope is the mean one."""
    return leaky_relu(ctx, input, (lower + upper) / 2)


@represents(torch.softmax, F.softmax)
def softmax(ctx: RewriteContext, input: fx.Node, dim: int = -1, *_: Any, dtype: Any = None) -> fx.Node:
    """Softmax over an axis counted from the front."""
    typed = {} if dtype in (None, input.meta["val"].dtype) else {"dtype": dtype}
    return ctx.call(torch.softmax, input, dim % len(ctx.shape(input)), like=ctx.node, **typed)


@represents(F.interpolate)
def interpolate(
    ctx: RewriteContext,
    input: fx.Node,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> fx.Node:
    """Resampling to a size; by a factor too, where the factor makes whole sizes, for then it is the same."""
    before, after = ctx.shape(input)[2:], ctx.shape(ctx.node)[2:]
    if mode == "area":
        return pooled_to_shape(ctx, input, len(before))
    factors = scale_factor if isinstance(scale_factor, (list, tuple)) else (scale_factor or 1,) * len(before)
    reached = all(
        length * factor == found for length, factor, found in zip(before, factors, after, strict=True)
    )
    if scale_factor is not None and not (recompute_scale_factor or reached):
        return ctx.node
    options = {"mode": mode, "align_corners": align_corners, "antialias": antialias}
    given = {name: value for name, value in options.items() if value and value != "nearest"}
    return ctx.call(F.interpolate, input, after, like=ctx.node, **given)


@represents(F.glu)
def gated_linear_unit(ctx: RewriteContext, input: fx.Node, dim: int = -1) -> fx.Node:
    """The gated linear unit; its axis is counted from the front, the last one is -1."""
    rank = len(ctx.shape(input))
    return ctx.call(F.glu, input, -1 if dim % rank == rank - 1 else dim % rank, like=ctx.node)


@represents(torch.movedim, torch.moveaxis)
def move_axes(ctx: RewriteContext, input: fx.Node, source: Any, destination: Any) -> fx.Node:
    """Axes move to other places, the rest keep their order."""
    rank = len(ctx.shape(input))
    source, destination = (
        [axis % rank for axis in ([axes] if isinstance(axes, int) else axes)]
        for axes in (source, destination)
    )
    rest = iter(axis for axis in range(rank) if axis not in source)
    moved = dict(zip(destination, source, strict=True))
    order = tuple(moved[place] if place in moved else next(rest) for place in range(rank))
    return ctx.call(torch.permute, input, order, like=ctx.node)


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
