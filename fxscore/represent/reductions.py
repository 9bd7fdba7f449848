"""Reductions over axes, and pools over the whole map, which are reductions: one spelling each.

Every one keeps its axes, counted from the front; a reshape follows where the network does not keep them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.represent.attention import tuple_of
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents

Size = int | Sequence[int]
LARGEST_GUARD = 1e-3  # what is added to a length is there for vectors of zeros


@represents(torch.mean)
def mean(
    ctx: RewriteContext, input: fx.Node, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> fx.Node:
    """A mean."""
    return _reduced(ctx, torch.mean, input, dim)


@represents(torch.sum)
def total(
    ctx: RewriteContext, input: fx.Node, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> fx.Node:
    """A sum over axes; with a type of its own it stays as it is."""
    return _reduced(ctx, torch.sum, input, dim) if dtype is None else ctx.node


@represents(torch.var)
def variance(ctx: RewriteContext, input: fx.Node, *settings: Any, **named: Any) -> fx.Node:
    """A variance; how it is corrected is written as the number that is taken from the count."""
    dim, correction = _spread_settings(*settings, **named)
    return _reduced(ctx, torch.var, input, dim, correction=correction)


@represents(torch.std)
def deviation(ctx: RewriteContext, input: fx.Node, *settings: Any, **named: Any) -> fx.Node:
    """A standard deviation, likewise."""
    dim, correction = _spread_settings(*settings, **named)
    return _reduced(ctx, torch.std, input, dim, correction=correction)


@represents(torch.var_mean, torch.std_mean)
def spread_and_mean(ctx: RewriteContext, input: fx.Node, *settings: Any, **named: Any) -> fx.Node:
    """Both at once are one after the other."""
    dim, correction = _spread_settings(*settings, **named)
    spread = torch.var if ctx.node.target is torch.var_mean else torch.std
    shape = tuple(ctx.node.meta["val"][0].shape)
    first = _reduced(ctx, spread, input, dim, shape, correction=correction)
    return ctx.call(tuple_of, first, _reduced(ctx, torch.mean, input, dim, shape), like=ctx.node)


@represents(torch.norm, torch.linalg.norm, torch.linalg.vector_norm)
def length(
    ctx: RewriteContext, input: fx.Node, ord: Any = 2, dim: Any = None, keepdim: bool = False, **named: Any
) -> fx.Node:
    """The Euclidean norm of vectors; any other norm stays as it is."""
    order = named.get("p", ord)
    if (
        order not in (2, None, "fro")
        or ctx.is_weight(input)
        or input.meta["val"].is_complex()
        or named.get("dtype")
    ):
        return ctx.node
    axes = axes_of(dim, len(ctx.shape(input)))
    return _reshaped(ctx, ctx.call(torch.linalg.vector_norm, input, 2.0, axes, True))


@represents(F.normalize)
def normalize(
    ctx: RewriteContext, input: fx.Node, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None
) -> fx.Node:
    """Vectors of length one; its axis is counted from the front."""
    if p != 2 or ctx.is_weight(input) or eps > LARGEST_GUARD:
        return ctx.node
    return ctx.call(F.normalize, input, 2.0, axes_of(dim, len(ctx.shape(input))), like=ctx.node)


@represents(torch.amax, torch.amin)
def extreme(ctx: RewriteContext, input: fx.Node, dim: Any = (), keepdim: bool = False) -> fx.Node:
    """The largest or smallest element along axes; over the whole map it is a max pool."""
    rank = len(ctx.shape(input))
    if ctx.node.target is torch.amax and rank == 4 and axes_of(dim, rank) == (2, 3):
        return _reshaped(ctx, ctx.call(F.adaptive_max_pool2d, input, (1, 1)))
    return _reduced(ctx, ctx.node.target, input, dim)


@represents(F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
def adaptive_average_pool(ctx: RewriteContext, input: fx.Node, output_size: Size) -> fx.Node:
    """Pooling to one position is a mean over the positions, pooling to every position is nothing."""
    return pooled_to_shape(ctx, input, _RANKS[ctx.node.target])


def pooled_to_shape(ctx: RewriteContext, input: fx.Node, rank: int) -> fx.Node:
    """Adaptive average pooling of the last axes to the shape of the node, under whatever name."""
    spatial = ctx.shape(ctx.node)[-rank:]
    if all(length == 1 for length in spatial):
        return _map_mean(ctx, input, rank)
    if ctx.shape(input) == ctx.shape(ctx.node):
        return input
    return ctx.call(_ADAPTIVE[rank - 1], input, spatial, like=ctx.node)


@represents(F.adaptive_max_pool2d)
def adaptive_max_pool2d(
    ctx: RewriteContext, input: fx.Node, output_size: Any, return_indices: bool = False
) -> fx.Node:
    """Adaptive max pooling with both sides of the result written out."""
    if return_indices:
        return ctx.node
    return ctx.call(F.adaptive_max_pool2d, input, ctx.shape(ctx.node)[-2:], like=ctx.node)


@represents(F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)
def average_pool(
    ctx: RewriteContext,
    input: fx.Node,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> fx.Node:
    """Average pooling; over the whole map it is a mean. In two dimensions every setting is written out."""
    rank = _RANKS[ctx.node.target]
    if divisor_override is None and covers_map(ctx, input, rank, kernel_size, padding):
        return _map_mean(ctx, input, rank)
    if rank != 2:
        return ctx.node
    sizes = (kernel_size, kernel_size if stride in (None, [], ()) else stride, padding)
    settings = (ceil_mode, count_include_pad, divisor_override)
    return ctx.call(F.avg_pool2d, input, *map(_pair, sizes), *settings, like=ctx.node)


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
    """Max pooling with every setting written out; over the whole map it is adaptive pooling to one position."""
    if return_indices:
        return ctx.node
    if _pair(dilation) == (1, 1) and covers_map(ctx, input, 2, kernel_size, padding):
        return ctx.call(F.adaptive_max_pool2d, input, (1, 1), like=ctx.node)
    sizes = (kernel_size, kernel_size if stride in (None, [], ()) else stride, padding, dilation)
    return ctx.call(F.max_pool2d, input, *map(_pair, sizes), ceil_mode, like=ctx.node)


def covers_map(ctx: RewriteContext, input: fx.Node, rank: int, kernel_size: Size, padding: Size) -> bool:
    """Whether a window is the whole map, which has more than one position."""
    spatial = ctx.shape(input)[-rank:]
    unpadded = all(side == 0 for side in _sides(padding, rank))
    return unpadded and prod(spatial) > 1 and _sides(kernel_size, rank) == spatial


def axes_of(dim: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from the front, in order; all of them where none is named."""
    dims = range(rank) if dim is None else [dim] if isinstance(dim, int) else list(dim) or range(rank)
    return tuple(sorted(axis % rank for axis in dims))


_ADAPTIVE = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
_RANKS: dict[Any, int] = {
    function: rank
    for functions in (_ADAPTIVE, (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d))
    for rank, function in enumerate(functions, 1)
}


def _spread_settings(
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, float]:
    """(axes, correction) of the spellings `(unbiased)`, `(dim, unbiased, keepdim)` and `(dim, *, correction)`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return dim, correction


def _map_mean(ctx: RewriteContext, input: fx.Node, rank: int) -> fx.Node:
    return _reduced(ctx, torch.mean, input, tuple(range(-rank, 0)))


def _reduced(
    ctx: RewriteContext,
    function: Any,
    input: fx.Node,
    dim: Any,
    shape: tuple[int, ...] | None = None,
    **options: Any,
) -> fx.Node:
    axes = axes_of(dim, len(ctx.shape(input)))
    # `var` and `std` take `keepdim` by name alone beside a correction.
    kept = (
        ctx.call(function, input, axes, keepdim=True, **options)
        if options
        else ctx.call(function, input, axes, True)
    )
    return _reshaped(ctx, kept, shape)


def _reshaped(ctx: RewriteContext, kept: fx.Node, shape: tuple[int, ...] | None = None) -> fx.Node:
    shape = ctx.shape(ctx.node) if shape is None else shape
    return kept if ctx.shape(kept) == shape else ctx.call(torch.reshape, kept, shape)


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


def _sides(size: Size, rank: int) -> tuple[int, ...]:
    sides = (size,) if isinstance(size, int) else tuple(size)
    return sides * rank if len(sides) == 1 else sides
