"""Linear layers are 1×1 convolutions in their own form: linear layers, matrix products, contractions and look-ups."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.torch_private import GROUPED_PRODUCTS
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
    return ctx.unitise(ctx.call(torch.matmul, ctx.matrix(input), ctx.matrix(other), like=ctx.node))


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
    output = ctx.call(torch.einsum, equation, *(ctx.matrix(value) for value in values), like=ctx.node)
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


@represents(F.embedding_bag)
def embedding_bag(
    ctx: RewriteContext, input: fx.Node, weight: Any, offsets: Any = None, *settings: Any, **named: Any
) -> fx.Node:
    """Sums or means of a table's rows."""
    return ctx.call(F.embedding_bag, input, _table(ctx, weight), offsets, *settings, like=ctx.node, **named)


@represents(F.bilinear, torch.bilinear)
def bilinear(ctx: RewriteContext, input1: fx.Node, input2: fx.Node, weight: Any, bias: Any = None) -> fx.Node:
    """x₁ᵀ W x₂ for every output; W (out, in₁, in₂) is synthesised as a linear layer's (out, in₁·in₂)."""
    output = ctx.call(F.bilinear, input1, input2, _rows(ctx, weight), ctx.weight(bias), like=ctx.node)
    return ctx.unitise(output) if ctx.is_weight(weight) else output


@represents(*GROUPED_PRODUCTS)
def grouped_mm(
    ctx: RewriteContext, mat_a: fx.Node, mat_b: fx.Node, offs: Any = None, bias: Any = None, **named: Any
) -> fx.Node:
    """Experts: each row meets the matrix of its group. All are synthesised; routing is by the values there are."""
    output = ctx.call(
        ctx.node.target,
        ctx.matrix(mat_a),
        ctx.matrix(mat_b),
        offs=offs,
        bias=ctx.weight(bias),
        like=ctx.node,
        **named,
    )
    return ctx.unitise(output) if ctx.is_weight(mat_b) else output


def _rows(ctx: RewriteContext, weight: Any) -> Any:
    """A weight (out, …) of any rank, as the reshaped weight of a linear layer."""
    if not ctx.is_weight(weight):
        return weight
    ctx.drop(weight, form="synthesised")
    shape = ctx.shape(weight)
    return ctx.call(torch.reshape, ctx.synthesise((shape[0], prod(shape[1:]))), shape)


def _linear_from_columns(ctx: RewriteContext, input: Any, weight: fx.Node, bias: Any) -> fx.Node:
    inputs, outputs = ctx.shape(weight)
    ctx.drop(weight, form="synthesised")
    columns = ctx.synthesise_for(weight, (outputs, inputs))
    output = ctx.call(F.linear, input, columns, ctx.weight(bias), like=ctx.node)
    return ctx.unitise(output)


def _table(ctx: RewriteContext, weight: Any) -> Any:
    if not ctx.is_weight(weight):
        return weight
    ctx.drop(weight, form="synthesised")
    return ctx.direct(weight)
