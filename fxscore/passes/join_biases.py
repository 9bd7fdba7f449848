"""A learnable term per channel behind a layer without a bias is its bias: `x @ W + b` is `F.linear(x, Wᵀ, b)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.costs.shapes import argument
from fxscore.passes.base import PassBase, PassResult, replace, shape_of, weight_nodes
from fxscore.passes.contraction import call_before

_CONVOLUTIONS = (F.conv1d, F.conv2d, F.conv3d, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)


class JoinBiasesPass(PassBase):
    """Before operators are represented: any other term per channel is a norm's shift, which has no part in the graph.

    Source: METHOD.md section 1, design principle: identical architectures have identical representations.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        weights, _ = weight_nodes(graph_module.graph.nodes)
        modified = False
        for node in list(graph_module.graph.nodes):
            if node.target is not torch.add or len(node.args) != 2 or node.kwargs or node in weights:
                continue
            for value, bias in (node.args, node.args[::-1]):
                if isinstance(value, fx.Node) and value not in weights and bias in weights:
                    modified |= _join(node, value, bias, weights)
        return PassResult(graph_module, modified)


def _join(node: fx.Node, value: fx.Node, bias: fx.Node, weights: set[fx.Node]) -> bool:
    axis = _axis(shape_of(bias) or (), shape_of(node) or ())
    if axis is None or shape_of(value) != shape_of(node):
        return False
    layer, orders = value, list[tuple[int, ...]]()
    while (order := _order(layer)) is not None and len(layer.users) == 1:
        layer, axis = layer.args[0], order[axis]  # type: ignore[assignment]
        orders.append(order)
    if len(layer.users) > 1 or not _has_outputs_along(layer, axis, weights):
        return False
    joined = _with_bias(node, layer, bias)
    for order in reversed(orders):
        joined = call_before(node, torch.permute, joined, order)
    replace(node, joined)
    return True


def _order(node: fx.Node) -> tuple[int, ...] | None:
    """The order in which a node puts the axes of its operand; None where it does anything else."""
    rank = len(shape_of(node) or ())
    if node.target in (torch.permute, "permute"):
        dims: Any = node.args[1] if isinstance(node.args[1], (tuple, list)) else node.args[1:]
        return tuple(dim % rank for dim in dims)
    if node.target is not torch.transpose:
        return None
    order = list(range(rank))
    first: Any = argument(node, 1, "dim0")
    second: Any = argument(node, 2, "dim1")
    order[first], order[second] = order[second], order[first]
    return tuple(order)


def _axis(bias: Sequence[int], shape: Sequence[int]) -> int | None:
    """The one axis of a result along which a term differs; None where it is a scalar, or differs along several."""
    first = len(shape) - len(bias)
    axes = [first + place for place, length in enumerate(bias) if length > 1]
    return axes[0] if len(axes) == 1 and shape[axes[0]] == bias[axes[0] - first] else None


def _has_outputs_along(layer: fx.Node, axis: int, weights: set[fx.Node]) -> bool:
    """Whether a node is a layer with weights and without a bias, whose output channels are this axis."""
    weight = argument(layer, 1, "weight", argument(layer, 1, "other", argument(layer, 1, "mat2")))
    if weight not in weights or layer in weights:
        return False
    rank = len(shape_of(layer) or ())
    if layer.target in (torch.matmul, torch.mm):
        return axis == rank - 1 and len(shape_of(weight) or ()) == 2
    if layer.target is F.linear:
        return axis == rank - 1 and argument(layer, 2, "bias") is None
    unbatched = rank < len(shape_of(weight) or ())
    return layer.target in _CONVOLUTIONS and axis == 1 - unbatched and argument(layer, 2, "bias") is None


def _with_bias(node: fx.Node, layer: fx.Node, bias: fx.Node) -> fx.Node:
    """The layer, called before `node` with its bias."""
    shape = shape_of(bias) or ()
    if len(shape) > 1:
        bias = call_before(node, torch.reshape, bias, (max(shape),))
    if layer.target in (torch.matmul, torch.mm):
        value, matrix = argument(layer, 0, "input"), argument(layer, 1, "other", argument(layer, 1, "mat2"))
        return call_before(node, F.linear, value, call_before(node, torch.permute, matrix, (1, 0)), bias)
    with node.graph.inserting_before(node):
        joined = node.graph.node_copy(layer)
    if len(layer.args) > 2:
        joined.args = (*layer.args[:2], bias, *layer.args[3:])
    else:
        joined.kwargs = {**layer.kwargs, "bias": bias}
    return joined
