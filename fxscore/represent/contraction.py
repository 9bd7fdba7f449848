"""Contractions without weights: an einsum of two values is the matrix product that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_uppercase
from typing import Any

import torch
from torch import fx

from fxscore.costs.contractions import einsum_terms, whole_equation
from fxscore.represent.context import RewriteContext


def contract(ctx: RewriteContext, equation: str, *values: fx.Node) -> fx.Node | None:
    """The value of `einsum(equation, *values)` by permutations, reshapes and one matrix product.

    Axes that both values and the result have come first, in the order of the result; then the axes of one value alone,
    of that first which comes first in the result. So `bhnc,bhmc->bhnm` is `q @ k.transpose(-2, -1)`.

    Returns:
        None where it is no such product: three values, an axis twice in one value, axes of one value alone that are
        summed, axes of length 1 that are repeated.
    """
    terms, result = _terms(equation, [len(ctx.shape(value)) for value in values])
    sizes = _sizes(ctx, terms, values)
    if sizes is None or any(len(set(term)) < len(term) for term in (*terms, result)):
        return None
    if len(values) == 1 and set(terms[0]) == set(result):
        return _permuted(ctx, values[0], terms[0], result)
    if len(values) != 2 or any(set(a) - set(b) - set(result) for a, b in (terms, terms[::-1])):
        return None
    alone = [axis for axis in result if (axis in terms[0]) != (axis in terms[1])]
    if alone and alone[0] in terms[1]:
        terms, values = terms[::-1], values[::-1]
    if set(terms[0]) & set(terms[1]) <= set(result):
        return _product(ctx, terms, result, values, sizes)
    return _matrix_product(ctx, terms, result, values, sizes)


def _matrix_product(
    ctx: RewriteContext,
    terms: list[str],
    result: str,
    values: Sequence[fx.Node],
    sizes: dict[str, int],
) -> fx.Node:
    (left, right), (a, b) = terms, values
    both = "".join(axis for axis in result if axis in left and axis in right)
    rows = "".join(axis for axis in result if axis in left and axis not in right)
    columns = "".join(axis for axis in result if axis in right and axis not in left)
    summed = "".join(axis for axis in left if axis not in result)
    leading = [sizes[axis] for axis in both]
    height, width, depth = (prod(sizes[axis] for axis in axes) for axes in (rows, columns, summed))
    first = _reshaped(ctx, _permuted(ctx, a, left, both + rows + summed), (*leading, height, depth))
    second = _reshaped(ctx, _permuted(ctx, b, right, both + summed + columns), (*leading, depth, width))
    found = ctx.call(torch.matmul, first, second)
    order = both + rows + columns
    return _permuted(ctx, _reshaped(ctx, found, tuple(sizes[axis] for axis in order)), order, result)


def _product(
    ctx: RewriteContext, terms: list[str], result: str, values: Sequence[fx.Node], sizes: dict[str, int]
) -> fx.Node:
    """Nothing is summed: the elementwise product, each value spread over the axes that it lacks."""
    spread = []
    for term, value in zip(terms, values, strict=True):
        ordered = _permuted(ctx, value, term, "".join(axis for axis in result if axis in term))
        spread.append(_reshaped(ctx, ordered, tuple(sizes[a] if a in term else 1 for a in result)))
    return ctx.call(torch.mul, *spread)


def _terms(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """A letter for every axis of every value, and those of the result; axes that `...` stands for have capitals."""
    terms, result = einsum_terms(whole_equation(equation), ranks)
    free = [letter for letter in ascii_uppercase if letter not in equation]
    spelt = [
        "".join(free[axis] if isinstance(axis, int) else axis for axis in term) for term in (*terms, result)
    ]
    return spelt[:-1], spelt[-1]


def _sizes(ctx: RewriteContext, terms: list[str], values: Sequence[fx.Node]) -> dict[str, int] | None:
    """The length of every axis; None where two values have different ones."""
    sizes: dict[str, int] = {}
    for term, value in zip(terms, values, strict=True):
        for axis, size in zip(term, ctx.shape(value), strict=True):
            if sizes.setdefault(axis, size) != size:
                return None
    return sizes


def _permuted(ctx: RewriteContext, value: fx.Node, axes: str, wanted: str) -> fx.Node:
    order = tuple(axes.index(axis) for axis in wanted)
    return value if order == tuple(range(len(axes))) else ctx.call(torch.permute, value, order)


def _reshaped(ctx: RewriteContext, value: fx.Node, shape: tuple[Any, ...]) -> fx.Node:
    return value if ctx.shape(value) == shape else ctx.call(torch.reshape, value, shape)
