"""Permutations move behind what works along the last axis or element by element, where they meet their inverses.

A network that carries its sequences time first is then the network that carries them batch first, and its activations
are seen with the batch in front. Only permutations that leave the last axis in its place are moved:

    linear(permute(x))                    permute(linear(x))
    permute(x) + permute(y)               permute(x + y)
    reshape(permute(x, (1, 0, 2)), …)     permute(reshape(x, …), (1, 0, …))   where the axes behind the first two change
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.ops import unitise
from fxscore.passes.base import PassBase, PassResult, replace, shape_of
from fxscore.passes.functions.expression import is_elementwise
from fxscore.types import Shape

Order = tuple[int, ...]


class SinkPermutesPass(PassBase):
    """Moves permutations of leading axes towards the outputs.

    Source: METHOD.md section 1, design principle: identical architectures have identical representations.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        modified = False
        for node in list(graph_module.graph.nodes):
            rule = _RULES.get(node.target) or (_sink_elementwise if is_elementwise(node) else None)
            modified |= rule is not None and rule(node)
        return PassResult(graph_module, modified)


def _order(value: Any) -> Order | None:
    """The order of axes in which a permutation puts its operand; None where it moves the last, or is none."""
    if not isinstance(value, fx.Node) or value.target is not torch.permute:
        return None
    order: Any = value.args[1]
    return tuple(order) if order[-1] == len(order) - 1 else None


def _inverse(order: Order) -> Order:
    return tuple(order.index(axis) for axis in range(len(order)))


def _merge(node: fx.Node) -> bool:
    """Two permutations are one, or none; axes that were joined by a reshape are permuted before it."""
    source: Any = node.args[0]
    if source.target is torch.permute:
        replace(node, _permuted(source, tuple(node.args[1]), node))  # type: ignore[arg-type]
        return True
    order, groups = _order(node), _joined(source) if source.target is torch.reshape else None
    if order is None or groups is None or len(groups[-1]) > 1:
        return False
    apart = tuple(axis for group in order for axis in groups[group])
    node.target, node.args = torch.reshape, (_permuted(source.args[0], apart, node), shape_of(node))
    return True


def _joined(reshape: fx.Node) -> list[list[int]] | None:
    """The axes of its operand that each axis of a reshape joins; None where it splits any."""
    before, groups = shape_of(reshape.args[0]) or (), list[list[int]]()  # type: ignore[arg-type]
    axes = iter(range(len(before)))
    for size in shape_of(reshape) or ():
        group = [next(axes, -1)]
        while -1 not in group and prod(before[axis] for axis in group) < size:
            group.append(next(axes, -1))
        if -1 in group or prod(before[axis] for axis in group) != size:
            return None
        groups.append(group)
    return groups if next(axes, None) is None else None


def _sink_last_axis(node: fx.Node) -> bool:
    """Operators whose first operand is worked on along its last axis, or as a whole."""
    order = _order(node.args[0])
    if order is None:
        return False
    _replace(node, {node.args[0]: node.args[0].args[0]}, order)  # type: ignore[union-attr,dict-item]
    return True


def _sink_layer_norm(node: fx.Node) -> bool:
    shape: Any = node.args[1]
    return len(shape) == 1 and _sink_last_axis(node)


def _sink_elementwise(node: fx.Node) -> bool:
    """All operands of the result's shape are permuted alike; smaller ones are permuted the other way."""
    shape = shape_of(node)
    whole = [operand for operand in node.all_input_nodes if shape_of(operand) == shape]
    orders = {_order(operand) for operand in whole}
    order = orders.pop() if len(orders) == 1 else None
    others = [operand for operand in node.all_input_nodes if operand not in whole]
    if order is None or any(len(shape_of(other) or ()) not in (0, 1, len(order)) for other in others):
        return False
    operands = {operand: operand.args[0] for operand in whole}
    for other in others:
        if len(shape_of(other) or ()) == len(order):
            operands[other] = _permuted(other, _inverse(order), node)
    _replace(node, operands, order)
    return True


def _sink_mean(node: fx.Node) -> bool:
    """A mean that keeps its axes; where it leaves nothing to move, it is reshaped."""
    if _leaves_nothing_to_move(node):
        source: Any
        moved: Any
        reduced: Any = node.args[1]
        source, moved = node.args[0].args  # type: ignore[union-attr]
        taken = tuple(sorted(moved[axis] for axis in reduced))
        with node.graph.inserting_before(node):
            mean = node.graph.call_function(torch.mean, (source, taken, True))
            mean.meta.update(val=source.meta["val"].mean(taken, True), represented=True)
        node.target, node.args = torch.reshape, (mean, shape_of(node))
        return True
    order = _order(node.args[0])
    if order is None or len(node.args) < 3 or not node.args[2]:
        return False
    axes: Any = node.args[1]
    node.args = (node.args[0], tuple(sorted(order[axis] for axis in axes)), *node.args[2:])
    return _sink_last_axis(node)


def _leaves_nothing_to_move(node: fx.Node) -> bool:
    """Whether a mean of a permuted value has the axes that it keeps in the order that they had."""
    source: Any = node.args[0]
    if source.target is not torch.permute or len(node.args) < 3 or not node.args[2]:
        return False
    left = [order for place, order in enumerate(source.args[1]) if (shape_of(node) or ())[place] != 1]
    return left == sorted(left)


def _sink_chunk(node: fx.Node) -> bool:
    """Parts of the last axis."""
    order = _order(node.args[0])
    along_last = len(node.args) == 3 and order is not None and node.args[2] in (-1, len(order) - 1)
    if order is None or not along_last or any(user.target is not getitem for user in node.users):
        return False
    node.args = (node.args[0].args[0], *node.args[1:])  # type: ignore[union-attr]
    node.meta["val"] = tuple(part.permute(_inverse(order)) for part in node.meta["val"])
    for part in list(node.users):
        _replace(part, {}, order)
    return True


def _sink_reshape(node: fx.Node) -> bool:
    """A reshape of trailing axes alone: the leading ones, which it keeps, can be put in order behind it."""
    while _only_reshapes(node.args[0]):
        node.args = (node.args[0].args[0], node.args[1])  # type: ignore[union-attr]
    order, after = _order(node.args[0]), shape_of(node)
    if order is None or after is None:
        return False
    kept = _kept(shape_of(node.args[0]) or (), after)  # type: ignore[arg-type]
    leading = order[:kept]
    if list(leading) == sorted(leading):
        return False
    source: Any = node.args[0]
    value = _permuted(source.args[0], (*sorted(leading), *order[kept:]), node)
    outer = (*(sorted(leading).index(axis) for axis in leading), *range(kept, len(after)))
    sizes = tuple(after[place] for place in _inverse(outer))
    with node.graph.inserting_before(node):
        reshaped = node.graph.call_function(torch.reshape, (value, sizes))
    reshaped.meta.update(node.meta, val=node.meta["val"].permute(_inverse(outer)))
    replace(node, _permuted(reshaped, outer, node))
    return True


def _only_reshapes(value: Any) -> bool:
    """Whether a value is a reshape, or a permutation that moves nothing but axes of one element."""
    if value.target is not torch.permute:
        return value.target is torch.reshape
    before: Any = shape_of(value.args[0])
    moved = [axis for axis in value.args[1] if before[axis] != 1]
    return moved == sorted(moved)


def _kept(before: Shape, after: Shape) -> int:
    """The number of leading axes that a reshape leaves as they are, with at least one behind them on either side."""
    most = min(len(before), len(after)) - 1
    return next((axis for axis in range(most) if before[axis] != after[axis]), max(most, 0))


def _permuted(value: fx.Node, order: Order, before: fx.Node) -> fx.Node:
    """A permutation of `value`, or `value` itself where there is nothing to move."""
    if value.target is torch.permute:
        inner: Any = value.args[1]
        value, order = value.args[0], tuple(inner[axis] for axis in order)  # type: ignore[assignment]
    if order == tuple(range(len(order))):
        return value
    with before.graph.inserting_before(before):
        node = before.graph.call_function(torch.permute, (value, order))
    node.meta.update(val=value.meta["val"].permute(order), represented=True)
    return node


def _replace(node: fx.Node, operands: dict[fx.Node, Any], order: Order) -> None:
    """The operator on other operands, permuted, in the place of `node`."""
    with node.graph.inserting_before(node):
        sunk = node.graph.node_copy(node, lambda operand: operands.get(operand, operand))
    sunk.meta["val"] = node.meta["val"].permute(_inverse(order))
    replace(node, _permuted(sunk, order, node))


_RULES: dict[Any, Callable[[fx.Node], bool]] = {
    torch.permute: _merge,
    F.linear: _sink_last_axis,
    unitise: _sink_last_axis,
    F.layer_norm: _sink_layer_norm,
    torch.mean: _sink_mean,
    torch.chunk: _sink_chunk,
    torch.reshape: _sink_reshape,
}
