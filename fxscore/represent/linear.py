"""Linear layers are 1×1 convolutions in their own form: linear, matrix products and einsum with a weight."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.represent.context import RewriteContext
from fxscore.represent.contraction import contract
from fxscore.represent.registry import represents


@represents(F.linear)
def linear(ctx: RewriteContext, input: fx.Node, weight: Any, bias: Any = None) -> fx.Node:
    """A linear layer; one that is computed from the input keeps its value."""
    output = ctx.call(F.linear, input, ctx.weight(weight), ctx.weight(bias), like=ctx.node)
    return ctx.unitise(output) if ctx.is_weight(weight) else output


@represents(torch.matmul, torch.mm, torch.bmm)
def matmul(ctx: RewriteContext, input: Any, other: Any, **_: Any) -> fx.Node:
    """`x @ W` with a weight (in, out) is the linear layer with weight (out, in)."""
    if ctx.is_weight(other) and len(ctx.shape(other)) == 2 and not ctx.is_weight(input):
        return _linear_from_columns(ctx, input, other, None)
    if not (ctx.is_weight(input) or ctx.is_weight(other)):
        return ctx.call(torch.matmul, input, other, like=ctx.node)
    return ctx.unitise(ctx.call(torch.matmul, _matrix(ctx, input), _matrix(ctx, other), like=ctx.node))


@represents(torch.addmm)
def addmm(
    ctx: RewriteContext, input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1
) -> fx.Node:
    """`bias + x @ W`, the spelling of fused linear layers."""
    if ctx.is_weight(mat2) and not ctx.is_weight(mat1):
        return _linear_from_columns(ctx, mat1, mat2, input)
    return ctx.call(torch.addmm, input, mat1, mat2, beta=beta, alpha=alpha, like=ctx.node)


@represents(torch.einsum)
def einsum(ctx: RewriteContext, equation: str, *operands: Any) -> fx.Node:
    """A contraction with a weight is synthesised and unitised like a linear layer; without one it is a product."""
    values = tuple(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    if not any(map(ctx.is_weight, values)):
        product = contract(ctx, equation, *values)
        if product is not None:
            return product
    output = ctx.call(torch.einsum, equation, *(_matrix(ctx, value) for value in values), like=ctx.node)
    return ctx.unitise(output) if any(map(ctx.is_weight, values)) else output


@represents(F.embedding)
def embedding(ctx: RewriteContext, input: fx.Node, weight: Any, *_: Any, **__: Any) -> fx.Node:
    """Rows of a table that is synthesised at its shape, with unit variance."""
    table = _table(ctx, weight)
    return ctx.call(F.embedding, input, table, like=ctx.node)


@represents(torch.embedding)
def torch_embedding(ctx: RewriteContext, weight: Any, indices: fx.Node, *_: Any, **__: Any) -> fx.Node:
    """The lower-level spelling, with its arguments the other way round."""
    return embedding(ctx, indices, weight)


def _linear_from_columns(ctx: RewriteContext, input: Any, weight: fx.Node, bias: Any) -> fx.Node:
    inputs, outputs = ctx.shape(weight)
    ctx.drop(weight, form="synthesised")
    output = ctx.call(F.linear, input, ctx.synthesise((outputs, inputs)), ctx.weight(bias), like=ctx.node)
    return ctx.unitise(output)


def _matrix(ctx: RewriteContext, value: Any) -> Any:
    """A weight of any rank, synthesised as the matrix that its leading axes and its last axis make."""
    if not ctx.is_weight(value):
        return value
    ctx.drop(value, form="synthesised")
    shape = ctx.shape(value)
    flat = ctx.synthesise((prod(shape[:-1]), shape[-1]))
    return ctx.call(torch.reshape, flat, shape)


def _table(ctx: RewriteContext, weight: Any) -> Any:
    if not ctx.is_weight(weight):
        return weight
    ctx.drop(weight, form="synthesised")
    return ctx.tensor(ctx.shape(weight))
