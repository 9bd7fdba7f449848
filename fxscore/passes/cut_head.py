"""Head removal: the classifier is not run, its input is encoded (METHOD.md section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.base import PassBase, PassResult, ancestors, output_node, shape_of, weight_nodes
from fxscore.passes.structure import structural_hashes
from fxscore.represent.elementwise import is_per_channel

# The head's input, by operator: its position among the arguments, and its name.
_LINEAR: dict[Any, tuple[int, str]] = {
    F.linear: (0, "input"),
    torch.matmul: (0, "input"),
    torch.mm: (0, "input"),
    torch.addmm: (1, "mat1"),
}
_CONVOLUTIONS: dict[Any, tuple[int, str]] = dict.fromkeys((F.conv1d, F.conv2d, F.conv3d), (0, "input"))
_HEADS = _LINEAR | _CONVOLUTIONS


@dataclass(frozen=True)
class Encoded:
    """What the constructed architecture encodes.

    Attributes:
        axis: the channel axis of the encoded value.
        channels: its length.
        head: names of the parameters of the head (of all of them, where there are several), which the scorer replaces;
            empty where the main output is encoded.
    """

    axis: int
    channels: int
    head: tuple[str, ...] = ()


class CutHeadPass(PassBase):
    """Makes the input of the head the graph's result, and notes its channel axis in `meta["encoded"]`.

    The head is the last linear layer or convolution whose result reaches the main output through weight-free
    operators only (its bias may be added by an operator of its own). There is none where the output is a map (four
    axes or more), where another weighted operator (a norm) also reaches the output that way, or where a path
    bypasses the candidate (a residual trunk): then the main output is encoded, by channel axis 1, or the last one
    of a token sequence (three axes). Of several candidates (two heads whose results are averaged) the deepest is
    the last; of equally deep ones the choice is fixed by their structure, never by the order in which they ran.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        if "encoded" in graph_module.meta:
            return PassResult(graph_module, False)
        output = output_node(graph_module.graph)
        result = output.args[0]
        assert isinstance(result, fx.Node)
        weights, _ = weight_nodes(graph_module.graph.nodes)
        nearest = _nearest_weighted(result, weights)
        head = _find_head(graph_module, result, nearest, weights)
        if head is None:
            rank = len(shape_of(result) or ())
            graph_module.meta["encoded"] = _encoded(result, 2 if rank == 3 else 1, ())
            return PassResult(graph_module, True)
        encoded = _head_input(head)
        output.args = (encoded,)
        output.meta["val"] = encoded.meta["val"]
        axis = len(shape_of(encoded) or ()) - 1 if head.target in _LINEAR else 1
        names = _parameter_names((*nearest, *nearest.values()), weights)
        graph_module.meta["encoded"] = _encoded(encoded, axis, names)
        return PassResult(graph_module, True)


def _encoded(node: fx.Node, axis: int, head: tuple[str, ...]) -> Encoded:
    shape = shape_of(node) or ()
    return Encoded(axis, shape[axis] if axis < len(shape) else 1, head)


def _find_head(
    graph_module: fx.GraphModule, result: fx.Node, nearest: dict[fx.Node, fx.Node], weights: set[fx.Node]
) -> fx.Node | None:
    if len(shape_of(result) or ()) >= 4 or not nearest:
        return None
    if any(node.target not in _HEADS or _head_input(node) in weights for node in nearest):
        return None
    last = _last(graph_module, list(nearest))
    return None if nearest.keys() & ancestors(last) else last


def _last(graph_module: fx.GraphModule, candidates: list[fx.Node]) -> fx.Node:
    if len(candidates) == 1:
        return candidates[0]
    depths: dict[fx.Node, int] = {}
    for node in graph_module.graph.nodes:
        before = max((depths[source] for source in node.all_input_nodes), default=0)
        depths[node] = before + (node.target in _HEADS)
    hashes = structural_hashes(graph_module)
    return max(candidates, key=lambda node: (depths[node], hashes[node]))


def _nearest_weighted(result: fx.Node, weights: set[fx.Node]) -> dict[fx.Node, fx.Node]:
    """The weighted operators that reach `result` through weight-free ones, each with the one that adds its bias."""
    nearest: dict[fx.Node, fx.Node] = {}
    seen = {result}
    waiting = [result]
    while waiting:
        node = waiting.pop()
        if any(source in weights for source in node.all_input_nodes):
            nearest[_without_bias(node, weights)] = node
            continue
        fresh = [source for source in node.all_input_nodes if source not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return nearest


def _without_bias(node: fx.Node, weights: set[fx.Node]) -> fx.Node:
    """The linear layer or convolution whose bias `node` adds; else `node` itself."""
    if node.target is not torch.add or len(node.args) != 2:
        return node
    for bias, layer in (node.args, node.args[::-1]):
        added = isinstance(bias, fx.Node) and bias in weights and is_per_channel(shape_of(bias) or ())
        weighted = isinstance(layer, fx.Node) and any(source in weights for source in layer.all_input_nodes)
        if added and weighted and isinstance(layer, fx.Node) and layer.target in _HEADS:
            return layer
    return node


def _head_input(head: fx.Node) -> fx.Node:
    place, name = _HEADS[head.target]
    value = head.args[place] if len(head.args) > place else head.kwargs[name]
    assert isinstance(value, fx.Node)
    return value


def _parameter_names(users: tuple[fx.Node, ...], weights: set[fx.Node]) -> tuple[str, ...]:
    sources = [source for user in users for source in user.all_input_nodes if source in weights]
    named = {
        node for source in sources for node in (source, *ancestors(source)) if node.meta.get("is_parameter")
    }
    return tuple(sorted(str(node.target) for node in named))
