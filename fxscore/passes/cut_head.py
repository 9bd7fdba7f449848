"""Head removal: the classifier is not run, its input is encoded (METHOD.md section 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.base import PassBase, PassResult, ancestors, output_node, shape_of, weight_nodes

# The head's input, by operator: its position among the arguments.
_LINEAR = {F.linear: 0, torch.matmul: 0, torch.mm: 0, torch.addmm: 1}
_CONVOLUTIONS = {F.conv1d: 0, F.conv2d: 0, F.conv3d: 0}
_HEADS = _LINEAR | _CONVOLUTIONS


@dataclass(frozen=True)
class Encoded:
    """What the constructed architecture encodes.

    Attributes:
        axis: the channel axis of the encoded value.
        channels: its length.
        head: names of the head's parameters, which the scorer replaces; empty where the main output is encoded.
    """

    axis: int
    channels: int
    head: tuple[str, ...] = ()


class CutHeadPass(PassBase):
    """Makes the input of the head the graph's result, and notes its channel axis in `meta["encoded"]`.

    The head is the last linear layer or convolution whose result reaches the main output through weight-free
    operators only. There is none where the output is a map (four axes or more), where another weighted operator
    (a norm) also reaches the output that way, or where a path bypasses the candidate (a residual trunk): then the
    main output is encoded, by channel axis 1, or the last one of a token sequence (three axes).
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        if "encoded" in graph_module.meta:
            return PassResult(graph_module, False)
        output = output_node(graph_module.graph)
        result = output.args[0]
        assert isinstance(result, fx.Node)
        weights, _ = weight_nodes(graph_module.graph.nodes)
        head = _find_head(result, weights)
        if head is None:
            rank = len(shape_of(result) or ())
            graph_module.meta["encoded"] = _encoded(result, 2 if rank == 3 else 1, ())
            return PassResult(graph_module, True)
        encoded = _head_input(head)
        output.args = (encoded,)
        output.meta["val"] = encoded.meta["val"]
        axis = len(shape_of(encoded) or ()) - 1 if head.target in _LINEAR else 1
        graph_module.meta["encoded"] = _encoded(encoded, axis, _parameter_names(head, weights))
        return PassResult(graph_module, True)


def _encoded(node: fx.Node, axis: int, head: tuple[str, ...]) -> Encoded:
    shape = shape_of(node) or ()
    return Encoded(axis, shape[axis] if axis < len(shape) else 1, head)


def _find_head(result: fx.Node, weights: set[fx.Node]) -> fx.Node | None:
    rank = len(shape_of(result) or ())
    nearest = _nearest_weighted(result, weights)
    if rank >= 4 or not nearest or any(node.target not in _HEADS for node in nearest):
        return None
    position = {node: place for place, node in enumerate(result.graph.nodes)}
    last = max(nearest, key=lambda node: position[node])
    return None if nearest & ancestors(last) else last


def _nearest_weighted(result: fx.Node, weights: set[fx.Node]) -> set[fx.Node]:
    """The weighted operators that reach `result` through weight-free operators only."""
    nearest: set[fx.Node] = set()
    seen = {result}
    waiting = [result]
    while waiting:
        node = waiting.pop()
        if any(source in weights for source in node.all_input_nodes):
            nearest.add(node)
            continue
        fresh = set(node.all_input_nodes) - seen
        seen |= fresh
        waiting.extend(fresh)
    return nearest


def _head_input(head: fx.Node) -> fx.Node:
    place = _HEADS[head.target]  # type: ignore[index]
    value = head.args[place] if len(head.args) > place else head.kwargs["input"]
    assert isinstance(value, fx.Node)
    return value


def _parameter_names(head: fx.Node, weights: set[fx.Node]) -> tuple[str, ...]:
    sources = [source for source in head.all_input_nodes if source in weights]
    named = {node for source in sources for node in (source, *ancestors(source)) if node.meta.get("is_parameter")}
    return tuple(sorted(str(node.target) for node in named))
