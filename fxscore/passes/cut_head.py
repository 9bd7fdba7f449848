"""Head removal: classifiers are not run, their inputs are encoded (METHOD.md section 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx

from fxscore.errors import CaptureError
from fxscore.ops import encode, sum_of
from fxscore.passes.base import PassBase, PassResult, ancestors, output_node, shape_of, weight_nodes
from fxscore.represent.elementwise import is_per_channel

# The head's input, by operator: its position among the arguments, and its name.
_LINEAR: dict[Any, tuple[int, str]] = {
    F.linear: (0, "input"),
    torch.matmul: (0, "input"),
    torch.mm: (0, "input"),
    torch.addmm: (1, "mat1"),
}
_CONVOLUTIONS: dict[Any, int] = {F.conv1d: 3, F.conv2d: 4, F.conv3d: 5}  # axes of their input, with the batch
_HEADS = _LINEAR | dict.fromkeys(_CONVOLUTIONS, (0, "input"))
Heads = dict[tuple[str, ...], list[fx.Node]]  # parameters' names → calls of the head


class CutHeadPass(PassBase):
    """Makes what is encoded the graph's results, one `encode` each, and names the heads' parameters in `meta["head"]`.

    Every output counts, by a rule that looks at it alone. Its heads are the linear layers and convolutions whose
    results reach it through weight-free operators only (a bias may be added by an operator of its own): the one
    of a classifier, all of a sum of streams. The heads are not run; the input of each is encoded, and calls of one head
    (its parameters used again on another value) are averaged as its positions are. An output has no heads where it is
    a map (four axes or more), where another weighted operator (a norm) also reaches it that way, or where a path
    bypasses one of them (a residual trunk): then it is encoded itself, by channel axis 1, or the last one of a token
    sequence (three axes). Class numbers, truth values and scalars are seen through to the values they come from.

    Raises:
        CaptureError: no output depends on an input.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        if "head" in graph_module.meta:
            return PassResult(graph_module, False)
        output = output_node(graph_module.graph)
        weights, from_input = weight_nodes(graph_module.graph.nodes)
        values = _with_weights(_values(output.all_input_nodes, from_input), weights)
        if not values:
            raise CaptureError("no output of the network depends on an input, so there is nothing to score")
        encodings: list[fx.Node] = []
        names: set[str] = set()
        for value in values:
            heads = _find_heads(value, weights)
            names.update(*heads)
            encodings += _encodings(output, value, heads)
        output.args = (tuple(encodings),)
        graph_module.meta["head"] = tuple(sorted(names))
        return PassResult(graph_module, True)


def _encodings(output: fx.Node, value: fx.Node, heads: Heads) -> list[fx.Node]:
    """What stands for one output: an encoding for each of its heads, or one of its own."""
    if not heads:
        return [_encode(output, value, 2 if len(shape_of(value) or ()) == 3 else 1)]
    return [
        _average(output, [_encode(output, _head_input(head), _head_axis(head)) for head in calls])
        for calls in heads.values()
    ]


def _values(outputs: Iterable[fx.Node], from_input: set[fx.Node]) -> list[fx.Node]:
    """The values that are looked at: outputs, or the numbers from which whole, Boolean and scalar ones come."""
    values: list[fx.Node] = []
    seen: set[fx.Node] = set()
    waiting = list(outputs)[::-1]
    while waiting:
        node = waiting.pop()
        if node in seen or node not in from_input:
            continue
        seen.add(node)
        if _is_value(node):
            values.append(node)
        else:
            waiting.extend(node.all_input_nodes[::-1])
    return values


def _is_value(node: fx.Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, Tensor) and value.dim() > 0 and (value.is_floating_point() or value.is_complex())


def _with_weights(values: list[fx.Node], weights: set[fx.Node]) -> list[fx.Node]:
    """Those that a weighted operator reaches (not an input handed back, or a mask); all where there is none."""
    weighted = [value for value in values if _is_weighted(value, weights)]
    return weighted or values


def _is_weighted(value: fx.Node, weights: set[fx.Node]) -> bool:
    behind = ancestors(value) | {value}
    return any(node in weights or node.op == "call_module" for node in behind)


def _encode(output: fx.Node, value: fx.Node, axis: int) -> fx.Node:
    """The node that encodes `value` by its channel axis."""
    with value.graph.inserting_before(output):
        encoding = value.graph.call_function(encode, (value, axis))
    encoding.meta.update(val=encode(value.meta["val"], axis), represented=True)
    return encoding


def _average(output: fx.Node, encodings: list[fx.Node]) -> fx.Node:
    """The mean of equally wide encodings."""
    if len(encodings) == 1:
        return encodings[0]
    graph, like = output.graph, encodings[0].meta["val"]
    with graph.inserting_before(output):
        total = graph.call_function(sum_of, tuple(encodings))
        mean = graph.call_function(torch.div, (total, len(encodings)))
    total.meta.update(val=like, represented=True)
    mean.meta.update(val=like, represented=True)
    return mean


def _find_heads(value: fx.Node, weights: set[fx.Node]) -> Heads:
    """The heads of one output, by the names of their parameters, each with its calls; empty where it has none."""
    nearest = _nearest_weighted(value, weights)
    if len(shape_of(value) or ()) >= 4 or not all(_is_head(node, weights) for node in nearest):
        return {}
    if any(nearest.keys() & ancestors(node) for node in nearest):
        return {}
    heads: Heads = defaultdict(list)
    for head, biased in nearest.items():
        heads[_parameter_names((head, biased), weights)].append(head)
    return heads


def _is_head(node: fx.Node, weights: set[fx.Node]) -> bool:
    """Whether a weighted operator is a linear layer or convolution of a value with a batch axis."""
    if node.target not in _HEADS or _head_input(node) in weights:
        return False
    rank = len(shape_of(_head_input(node)) or ())
    return rank == _CONVOLUTIONS[node.target] if node.target in _CONVOLUTIONS else rank > 1


def _head_axis(head: fx.Node) -> int:
    """The channel axis of a head's input: the one that it contracts."""
    return 1 if head.target in _CONVOLUTIONS else len(shape_of(_head_input(head)) or ()) - 1


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
