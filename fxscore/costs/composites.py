"""Multiply-accumulates of operators that hold several products: attention, recurrent layers, bilinear forms."""

from __future__ import annotations

import inspect
from math import prod
from typing import Any

import torch.nn.functional as F
from torch import fx

from fxscore.costs.shapes import argument, first_shape, shape_of
from fxscore.types import Shape

_ATTENTION = inspect.signature(F.multi_head_attention_forward)


def attention_macs(node: fx.Node) -> int:
    """Scaled dot products over (…, queries, keys): the scores, and the values that they sum."""
    query, key = (shape_of(argument(node, place, name)) for place, name in enumerate(("query", "key")))
    *rows, width = shape_of(node)
    return prod(rows) * key[-2] * (query[-1] + width)


def packed_attention_macs(node: fx.Node) -> int:
    """`F.multi_head_attention_forward`: three projections, the attention, the output's projection."""
    given = _ATTENTION.bind(*node.args, **node.kwargs).arguments
    query, key = shape_of(given["query"]), shape_of(given["key"])
    projected = sum(rows * inputs for rows, inputs in _projections(given)) * query[-1]
    keys = key[0] + (given.get("bias_k") is not None) + bool(given.get("add_zero_attn"))
    return projected + 2 * prod(query) * keys


def packed_attention_outputs(node: fx.Node) -> int:
    """Output elements of its four projections."""
    given = _ATTENTION.bind(*node.args, **node.kwargs).arguments
    return sum(rows for rows, _ in _projections(given)) * shape_of(given["query"])[-1]


def _projections(given: dict[str, Any]) -> list[tuple[int, int]]:
    """(rows, inputs) of the projections of queries, keys, values and of the output."""
    shapes = [shape_of(given[name]) for name in ("query", "key", "value", "query")]
    return [(prod(shape[:-1]), shape[-1]) for shape in shapes]


def recurrent_macs(node: fx.Node) -> int:
    """Every matrix of a recurrent layer (of any layer and direction, projections too) meets every step of every row."""
    return prod(shape_of(node.args[0])[:-1]) * sum(map(prod, recurrent_matrices(node)))


def recurrent_matrices(node: fx.Node) -> list[Shape]:
    """The shapes (out, in) of a recurrent layer's or cell's matrices, in their order.

    `torch.lstm(input, hx, params, …)`, or of a packed sequence `torch.lstm(data, batch_sizes, hx, params, …)`;
    `torch.lstm_cell(input, hx, w_ih, w_hh, b_ih, b_hh)`.
    """
    if isinstance(argument(node, 3, "params"), (list, tuple)):
        weights = argument(node, 3, "params")
    elif isinstance(argument(node, 2, "params"), (list, tuple)):
        weights = argument(node, 2, "params")
    else:
        weights = node.args[2:4]
    return [shape for shape in map(shape_of, weights) if len(shape) == 2]


def sequence_outputs(node: fx.Node) -> int:
    """Elements of the sequence that a recurrent layer gives, or of a cell's state."""
    return prod(first_shape(node))


def bilinear_macs(node: fx.Node) -> int:
    """x₁ᵀ W x₂ for every output: first with x₁, then with x₂, as `einsum("…i,oij,…j->…o")`."""
    outputs, first, second = shape_of(argument(node, 2, "weight"))
    rows = prod(shape_of(node)[:-1])
    return rows * outputs * second * (first + 1)


def grouped_macs(node: fx.Node) -> int:
    """`F.grouped_mm`: every row of (S, K) meets the (K, N) of its group alone; (M, S) by (S, N) sum over a group."""
    rows, inner = shape_of(node.args[0])[-2:]
    if len(shape_of(node.args[0])) == 2 and len(shape_of(node.args[1])) == 2:
        return rows * inner * shape_of(node.args[1])[-1]
    return prod(shape_of(node)) * inner
