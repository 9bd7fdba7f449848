"""Where the batch lies in every value of a represented graph: on which axis, and what is folded into that axis.

An axis of `outer · B · inner` elements holds the batch B between what was folded in before it (two stacks of images,
one after the other) and behind it (the frames of each clip). A reshape keeps the distance between neighbours of the
batch in memory, a permutation moves the axis, a sum or choice along it ends it. Operators without a rule of their own
keep the axis where the sizes allow, aligned from the right as broadcasting is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx

from fxscore.passes.base import shape_of
from fxscore.represent.attention import tuple_of
from fxscore.types import Shape


@dataclass(frozen=True)
class BatchAxis:
    """The axis of a value on which the batch lies, and the number of elements folded in behind it."""

    axis: int
    inner: int = 1


Found = dict[fx.Node, BatchAxis]


def batch_axes(graph_module: fx.GraphModule) -> Found:
    """The batch axis of every value that has one, for the batch in `meta["batch"]`; none in a graph without batch."""
    batch = graph_module.meta["batch"]
    found: Found = {}
    if batch != graph_module.meta["rows"]:
        return found
    for node in graph_module.graph.nodes:
        place = _place(node, found, batch)
        shape = shape_of(node)
        if place is None or (shape is not None and not _fits(place, shape, batch)):
            continue
        found[node] = place
    return found


def _fits(place: BatchAxis, shape: Shape, batch: int) -> bool:
    return place.axis < len(shape) and shape[place.axis] % (batch * place.inner) == 0


def _place(node: fx.Node, found: Found, batch: int) -> BatchAxis | None:
    if node.op == "placeholder":
        return BatchAxis(0) if node.target == "input_like" else None
    if node.op == "get_attr":
        return _of_given(node, batch) if node.meta.get("is_input") else None
    sources = [source for source in node.all_input_nodes if source in found]
    if not sources:
        return None
    rule = _RULES.get(node.target, _aligned)
    return rule(node, found)


def _of_given(node: fx.Node, batch: int) -> BatchAxis | None:
    """Ids, and what was computed of them with values: the first axis as long as the batch."""
    shape = shape_of(node) or ()
    return next((BatchAxis(axis) for axis, size in enumerate(shape) if size == batch), None)


def _aligned(node: fx.Node, found: Found) -> BatchAxis | None:
    """The axis of the first operand that has one, where the result has it too."""
    shape = shape_of(node)
    for source in node.all_input_nodes:
        place, before = found.get(source), shape_of(source)
        if place is None:
            continue
        if shape is None or before is None:  # several results of one operator, which are alike
            return place
        for axis in (place.axis + len(shape) - len(before), place.axis):
            if 0 <= axis < len(shape) and shape[axis] == before[place.axis]:
                return place if axis == place.axis else BatchAxis(axis, place.inner)
    return None


def _same_axis(node: fx.Node, found: Found) -> BatchAxis | None:
    """The axis of the first operand, whatever its size became."""
    return found.get(node.all_input_nodes[0])


def _reshaped(node: fx.Node, found: Found) -> BatchAxis | None:
    source = node.all_input_nodes[0]
    place, before, after = found.get(source), shape_of(source), shape_of(node)
    if place is None or before is None or after is None:
        return None
    behind = place.inner * prod(before[place.axis + 1 :])  # elements between neighbours of the batch
    for axis in reversed(range(len(after))):
        below = prod(after[axis + 1 :])
        if behind < below * after[axis]:
            return BatchAxis(axis, behind // below) if behind % below == 0 else None
    return None


def _permuted(node: fx.Node, found: Found) -> BatchAxis | None:
    place, order = found.get(node.all_input_nodes[0]), tuple(node.args[1])  # type: ignore[arg-type]
    return None if place is None else BatchAxis(order.index(place.axis), place.inner)


def _stacked(node: fx.Node, found: Found) -> BatchAxis | None:
    place = next(found[source] for source in node.all_input_nodes if source in found)
    dim = _argument(node, 1, "dim", 0) % len(shape_of(node) or (1,))
    return BatchAxis(place.axis + (dim <= place.axis), place.inner)


def _joined(node: fx.Node, found: Found) -> BatchAxis | None:
    return next(found[source] for source in node.all_input_nodes if source in found)


def _reduced(node: fx.Node, found: Found) -> BatchAxis | None:
    """A sum, a maximum …: `dim` and `keepdim` in the places that they have in PyTorch."""
    source = node.all_input_nodes[0]
    place, rank = found.get(source), len(shape_of(source) or ())
    dims = _argument(node, 1, "dim", None)
    if isinstance(dims, fx.Node):  # the greater of two
        return _aligned(node, found)
    if place is None or dims is None:
        return None
    axes = {dim % rank for dim in ([dims] if isinstance(dims, int) else dims)}
    if place.axis in axes:
        return None
    kept = _argument(node, 2, "keepdim", False)
    return place if kept else BatchAxis(place.axis - sum(axis < place.axis for axis in axes), place.inner)


def _unbound(node: fx.Node, found: Found) -> BatchAxis | None:
    source = node.all_input_nodes[0]
    place, dim = found.get(source), _argument(node, 1, "dim", 0) % len(shape_of(source) or (1,))
    if place is None or dim == place.axis:
        return None
    return BatchAxis(place.axis - (dim < place.axis), place.inner)


def _contracted(node: fx.Node, found: Found) -> BatchAxis | None:
    """An einsum: the letter that the batch has in an operand and in the result."""
    equation = node.args[0]
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return _aligned(node, found)
    terms, result = equation.replace(" ", "").split("->")
    for term, operand in zip(terms.split(","), node.all_input_nodes, strict=False):
        place = found.get(operand)
        if place is not None and place.axis < len(term) and term[place.axis] in result:
            return BatchAxis(result.index(term[place.axis]), place.inner)
    return None


def _recurrent(node: fx.Node, found: Found) -> BatchAxis | None:
    return found.get(node.all_input_nodes[0])


def _item(node: fx.Node, found: Found) -> BatchAxis | None:
    """An item of several results, or a part of a tensor."""
    source: Any = node.args[0]
    if not isinstance(source.meta.get("val"), Tensor):
        if source.target is tuple_of:
            return found.get(source.args[node.args[1]])
        if source.target in _RECURRENT and node.args[1] != 0:  # the last states: (layers, batch, channels)
            return BatchAxis(1)
        return found.get(source)
    if source not in found:  # rows of a table, chosen by values
        return _aligned(node, found)
    index = node.args[1]
    return _part(found[source], index if isinstance(index, tuple) else (index,), len(shape_of(source) or ()))


def _part(place: BatchAxis, index: tuple[Any, ...], rank: int) -> BatchAxis | None:
    """Where the batch axis goes under `x[index]`; None where a number or a tensor picks along it."""
    taken = sum(part is not None and part is not Ellipsis for part in index)
    before = after = 0
    for part in index:
        step = rank - taken if part is Ellipsis else 0 if part is None else 1
        if before <= place.axis < before + step:
            whole = part is Ellipsis or part == slice(None)
            return BatchAxis(after + place.axis - before, place.inner) if whole else None
        before += step
        after += (
            step if part is Ellipsis or isinstance(part, slice) else 1 if part is None else _new_axes(part)
        )
    return BatchAxis(after + place.axis - before, place.inner)


def _new_axes(part: Any) -> int:
    return len(shape_of(part) or ()) if isinstance(part, fx.Node) else 0


def _argument(node: fx.Node, place: int, name: str, default: Any) -> Any:
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


Rule = Callable[[fx.Node, Found], BatchAxis | None]
_RECURRENT = (torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu)
_RULES: dict[Any, Rule] = {
    torch.reshape: _reshaped,
    torch.permute: _permuted,
    torch.stack: _stacked,
    torch.cat: _joined,
    getitem: _item,
    torch.einsum: _contracted,
    F.unfold: _same_axis,
    **dict.fromkeys((torch.chunk, torch.split, "repeat", "unfold", torch.tile), _same_axis),
    **dict.fromkeys((torch.sum, torch.mean, torch.amax, torch.amin, torch.argmax, torch.logsumexp), _reduced),
    **dict.fromkeys((torch.max, torch.min, torch.median, torch.prod, torch.any, torch.all), _reduced),
    torch.unbind: _unbound,
    **dict.fromkeys(_RECURRENT, _recurrent),
}
