"""The weighted layers that an operator of the flow holds, with their sizes per image.

A convolution or linear layer is one. A recurrent layer has one for each of its matrices: each is a linear layer at
every step. A table of embeddings is a linear layer of one-hot vectors, whose product costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch.nn.functional as F
from torch import fx

from fxscore.costs import macs_of
from fxscore.costs.composites import recurrent_matrices
from fxscore.costs.operators import CELLS, RECURRENT
from fxscore.costs.shapes import shape_of
from fxscore.graph_features.flow import Flow, Operator
from fxscore.graph_features.kinds import (
    BILINEAR,
    MATRIX_PRODUCTS,
    TRANSPOSED,
    WEIGHTED,
    elements,
    is_deformable,
)
from fxscore.types import Shape


@dataclass(frozen=True)
class Layer:
    """A convolution or linear layer, per image.

    Attributes:
        operator: that holds it.
        kind: one of `WEIGHTED`.
        params, macs, elements: learnable numbers, multiply-accumulates, output elements.
        width: output channels.
        positions: at which it works.
        weight: shape of its weight, outputs first.
    """

    operator: Operator
    kind: str
    params: int
    macs: int
    elements: int
    width: int
    positions: int
    weight: Shape


def layers_in(flow: Flow) -> list[Layer]:
    """The weighted layers of a flow, in execution order."""
    return [layer for operator in flow.operators for layer in layers_of(operator, flow.batch)]


def holds_layers(operator: Operator) -> bool:
    """Whether `layers_of` finds any."""
    return operator.kind in WEIGHTED or operator.node.target in _OTHERS


def layers_of(operator: Operator, batch: int) -> list[Layer]:
    """The weighted layers of one operator; none where it has no weights."""
    if operator.kind in WEIGHTED:
        return [_plain(operator, batch)]
    find = _OTHERS.get(operator.node.target)
    return [] if find is None else find(operator, batch)


def _plain(operator: Operator, batch: int) -> Layer:
    node = operator.node
    weights = _weight_shapes(operator)
    weight = max(weights, key=prod, default=(1, 1))
    width = max(_width(node, weight), 1)
    positions = operator.elements // width
    return Layer(
        operator=operator,
        kind=operator.kind,
        params=sum(map(prod, weights)),
        macs=macs_of(node) // batch,
        elements=operator.elements,
        width=width,
        positions=positions if node.target in TRANSPOSED else max(positions, 1),
        weight=weight if _has_values_beside(node) else _largest_operand(node),
    )


def _width(node: fx.Node, weight: Shape) -> int:
    if node.target in TRANSPOSED:
        return shape_of(node)[1]
    return (shape_of(node) or (1,))[-1] if node.target in MATRIX_PRODUCTS else weight[0]


def _weight_shapes(operator: Operator) -> list[Shape]:
    node = operator.node
    by_flow = node.target in MATRIX_PRODUCTS or _has_values_beside(node)
    operands = operator.weights if by_flow else node.all_input_nodes[1:]
    return [shape for shape in map(shape_of, operands) if shape]


def _has_values_beside(node: fx.Node) -> bool:
    """Whether operands after the first may be values: a bilinear form's second, a deformable convolution's offsets."""
    return node.target in BILINEAR or is_deformable(node)


def _largest_operand(node: fx.Node) -> Shape:
    return max(map(shape_of, node.all_input_nodes[1:]), key=prod, default=(1, 1))


def _recurrent(operator: Operator, batch: int) -> list[Layer]:
    rows = prod(shape_of(operator.node.args[0])[:-1]) // batch
    return [
        _linear(operator, matrix, rows, rows * prod(matrix)) for matrix in recurrent_matrices(operator.node)
    ]


def _embedding(operator: Operator, batch: int) -> list[Layer]:
    table = shape_of(operator.node.args[1])
    rows = elements(operator.node, batch) // max(table[1], 1)
    return [_linear(operator, (table[1], table[0]), rows, 0)]


def _linear(operator: Operator, weight: Shape, rows: int, macs: int) -> Layer:
    width = max(weight[0], 1)
    return Layer(operator, "linear", prod(weight), macs, rows * width, width, max(rows, 1), weight)


_OTHERS: dict[Any, Callable[[Operator, int], list[Layer]]] = {
    **dict.fromkeys((*RECURRENT, *CELLS), _recurrent),
    **dict.fromkeys((F.embedding, F.embedding_bag), _embedding),
}
